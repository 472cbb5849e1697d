"""Retention on Elasticsearch, by whole backing index wherever most of one is over its time.

An index of which nothing is to stay is deleted. One of which most is to go or to lose its content is rewritten: what
stays is copied to a new index behind the alias `past-…`, counted, and only then the old one is deleted. A few late ones
are overwritten or deleted in their place. How it fails: until the old index is gone it holds all that it held, so
whoever begins again drops the unfinished copy; between the alias and the deletion records are seen twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from slmtrail.core.errors import StoreError
from slmtrail.core.ports import Rows
from slmtrail.indexer.retain.leafset import LeafSet
from slmtrail.indexer.store.elastic_client import ElasticClient
from slmtrail.indexer.store.elastic_erase import erase_documents, merge, send, without_content
from slmtrail.indexer.store.elastic_names import Streams, class_of_stream, rewritten
from slmtrail.indexer.store.mapping import LEAF, LEDGER, mappings, settings

MAX_BYTES = 30 * 1024**3
"""A backing index larger than this is followed by another, whatever its age."""

BATCH = 500
PAGE = 10_000
"""Leaves and ids in one answer, without their records."""
_MAX_INDICES = 10_000
_BY_LEAF = [{LEDGER: {"unmapped_type": "keyword"}}, {LEAF: {"unmapped_type": "long"}}]


@dataclass(slots=True)
class _Due:
    """What is to become of one index."""

    records: int
    remove: list[str] = field(default_factory=list)
    summarise: list[str] = field(default_factory=list)
    """Ids of documents."""


class _Orders:
    """Which leaves are to be removed, and which are to lose their content."""

    def __init__(self, summarise: Mapping[str, Rows], remove: Mapping[str, Rows]) -> None:
        self._summarise = {ledger: LeafSet(rows) for ledger, rows in summarise.items()}
        self._remove = {ledger: LeafSet(rows) for ledger, rows in remove.items()}

    def removes(self, ledger: str, leaf: int) -> bool:
        return ledger in self._remove and leaf in self._remove[ledger]

    def summarises(self, ledger: str, leaf: int) -> bool:
        return ledger in self._summarise and leaf in self._summarise[ledger]

    def extents(self) -> dict[str, tuple[int, int]]:
        """The first and last leaf of each ledger."""
        rows: dict[str, list[tuple[int, int]]] = {}
        for sets in (self._summarise, self._remove):
            for ledger, leaves in sets.items():
                rows.setdefault(ledger, []).extend(leaves.rows)
        return {ledger: (min(found)[0], max(last for _, last in found)) for ledger, found in rows.items() if found}


def expire(client: ElasticClient, streams: Streams, summarise: Mapping[str, Rows], remove: Mapping[str, Rows]) -> None:
    """Destroys the content of the first leaves, by ledger, and all of the second."""
    orders = _Orders(summarise, remove)
    touched = []
    for index in _indices(client, streams, orders):
        due = _due(client, index, orders)
        if len(due.remove) == due.records:
            _delete_index(client, streams, index)
        elif 2 * (len(due.remove) + len(due.summarise)) >= due.records:
            _rewrite(client, streams, index, orders, due.records - len(due.remove))
        elif due.remove or due.summarise:
            erase_documents(client, index, due.summarise)
            _delete_documents(client, index, due.remove)
            touched.append(index)
    merge(client, touched)


def rotate(client: ElasticClient, streams: Streams, ages_ms: Mapping[str, int]) -> None:
    """Gives each data stream whose newest index is older than its class may be, or large, a new one."""
    for stream in backing(client, streams):
        conditions: dict[str, Any] = {"max_primary_shard_size": f"{MAX_BYTES}b", "min_docs": 1}
        age_ms = ages_ms.get(class_of_stream(stream))
        if age_ms is not None:
            conditions["max_age"] = f"{age_ms}ms"
        client.ask("POST", f"/{stream}/_rollover", {"conditions": conditions})


def backing(client: ElasticClient, streams: Streams) -> dict[str, list[str]]:
    """The backing indices of each data stream, the one that is written to last."""
    resolved = client.ask("GET", f"/_resolve/index/{streams.pattern}") or {"data_streams": []}
    found = {}
    for stream in resolved["data_streams"]:
        indices = stream["backing_indices"]
        found[stream["name"]] = indices if isinstance(indices, list) else [indices]
    return found


def _indices(client: ElasticClient, streams: Streams, orders: _Orders) -> list[str]:
    """The indices that hold leaves between the first and the last that are asked for."""
    client.refresh(streams.searched)
    found: set[str] = set()
    for ledger, (first, last) in orders.extents().items():
        leaves = [{"term": {LEDGER: ledger}}, {"range": {LEAF: {"gte": first, "lte": last}}}]
        body = {
            "size": 0,
            "query": {"bool": {"filter": leaves}},
            "aggs": {"indices": {"terms": {"field": "_index", "size": _MAX_INDICES}}},
        }
        answer = client.ask("POST", f"/{streams.searched}/_search", body) or {}
        found.update(bucket["key"] for bucket in answer.get("aggregations", {}).get("indices", {}).get("buckets", []))
    return sorted(found)


def _due(client: ElasticClient, index: str, orders: _Orders) -> _Due:
    due = _Due(client.ask("GET", f"/{index}/_count")["count"])
    for hit in client.hits(index, {"match_all": {}}, _BY_LEAF, source=False, page=PAGE):
        ledger, leaf = hit["sort"][:2]
        if orders.removes(ledger, leaf):
            due.remove.append(hit["_id"])
        elif orders.summarises(ledger, leaf):
            due.summarise.append(hit["_id"])
    return due


def _closed(client: ElasticClient, streams: Streams, index: str) -> None:
    """Lets nothing be written to an index any more: neither new records nor, while it is copied, erasures."""
    for stream, indices in backing(client, streams).items():
        if index == indices[-1]:
            client.ask("POST", f"/{stream}/_rollover")
    client.ask("PUT", f"/{index}/_settings", {"index": {"blocks": {"write": True}}})
    client.ask("POST", f"/{index}/_refresh")


def _delete_index(client: ElasticClient, streams: Streams, index: str) -> None:
    counted = client.ask("GET", f"/{index}/_count")["count"]
    _closed(client, streams, index)
    if client.ask("GET", f"/{index}/_count")["count"] != counted:
        raise StoreError(f"Elasticsearch at {client.place}: {index} was written to meanwhile, and stays; try again")
    client.ask("DELETE", f"/{index}")


def _rewrite(client: ElasticClient, streams: Streams, index: str, orders: _Orders, staying: int) -> None:
    """Copies what stays to an index of its own, and takes the old one away."""
    new = rewritten(index)
    _closed(client, streams, index)
    finished = client.ask("GET", f"/{new}/_alias/{streams.past}") is not None
    if not finished:
        client.ask("DELETE", f"/{new}")  # a copy that was not finished
        _copy(client, index, new, orders)
    client.ask("POST", f"/{new}/_refresh")
    copied = (client.ask("GET", f"/{new}/_count") or {"count": 0})["count"]
    if copied < staying or (copied > staying and not finished):  # one that was finished before may have more to lose
        text = f"{copied} of {staying} records of {index} are copied to {new}, so it stays; try again"
        raise StoreError(f"Elasticsearch at {client.place}: {text}")
    if client.ask("POST", "/_aliases", {"actions": [{"add": {"index": new, "alias": streams.past}}]}) is None:
        raise StoreError(f"Elasticsearch at {client.place}: {new} was deleted meanwhile, so {index} stays; try again")
    client.ask("DELETE", f"/{index}")


def _copy(client: ElasticClient, index: str, new: str, orders: _Orders) -> None:
    held = client.ask("GET", f"/{index}/_settings")[index]["settings"]["index"]
    body = {"mappings": mappings(), "settings": settings(logsdb=held.get("mode") == "logsdb")}
    client.ask("PUT", f"/{new}", body)
    lines: list[bytes] = []
    for record_id, document in _staying(client, index, orders):
        lines += [orjson.dumps({"create": {"_index": new, "_id": record_id}}), document]
        if len(lines) >= 2 * BATCH:
            _copied(client, new, lines)
            lines = []
    if lines:
        _copied(client, new, lines)


def _staying(client: ElasticClient, index: str, orders: _Orders) -> Iterator[tuple[str, bytes]]:
    for hit in client.hits(index, {"match_all": {}}, _BY_LEAF):
        source = hit["_source"]
        ledger, leaf = source.get(LEDGER, ""), source.get(LEAF, -1)
        if orders.removes(ledger, leaf):
            continue
        reduced = without_content(source) if orders.summarises(ledger, leaf) else None
        yield hit["_id"], reduced or orjson.dumps(source)


def _copied(client: ElasticClient, new: str, lines: list[bytes]) -> None:
    wrong = next((item["create"] for item in send(client, lines) if item["create"]["status"] >= 300), None)
    if wrong:
        raise StoreError(f"Elasticsearch at {client.place} takes no copy into {new}: {wrong['error']['type']}")


def _delete_documents(client: ElasticClient, index: str, ids: list[str]) -> None:
    for start in range(0, len(ids), BATCH):
        part = ids[start : start + BATCH]
        answers = send(client, [orjson.dumps({"delete": {"_index": index, "_id": record_id}}) for record_id in part])
        wrong = next((item["delete"] for item in answers if item["delete"]["status"] not in (200, 404)), None)
        if wrong:
            raise StoreError(f"Elasticsearch at {client.place} deletes nothing in {index}: {wrong['error']['type']}")
