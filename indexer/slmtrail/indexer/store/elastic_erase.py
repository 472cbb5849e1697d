"""Destroying content on Elasticsearch: documents are overwritten in their backing index, and their old versions merged
away."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from slmtrail.core.errors import StoreError
from slmtrail.core.ports import Rows, Sealed
from slmtrail.indexer.erase import erased
from slmtrail.indexer.store.elastic_bulk import line
from slmtrail.indexer.store.elastic_client import ElasticClient
from slmtrail.indexer.store.mapping import LEAF, LEDGER, TEXT

BATCH = 500
ATTEMPTS = 5


def erase(client: ElasticClient, pattern: str, ledger: str, rows: Rows) -> int:
    """Destroys the content of leaves; returns of how many there was any."""
    indices: set[str] = set()
    count = 0
    for first, last in rows:
        for start in range(first, last + 1, BATCH):
            leaves = {"gte": start, "lte": min(start + BATCH - 1, last)}
            query = {"bool": {"filter": [{"term": {LEDGER: ledger}}, {"range": {LEAF: leaves}}]}}
            count += _erase(client, pattern, query, indices)
    merge(client, indices)
    return count


def erase_documents(client: ElasticClient, index: str, ids: Sequence[str]) -> None:
    """Destroys the content of documents of one index."""
    for start in range(0, len(ids), BATCH):
        _erase(client, index, {"ids": {"values": list(ids[start : start + BATCH])}}, set())


def merge(client: ElasticClient, indices: Iterable[str]) -> None:
    """Lets what was overwritten or deleted leave the files of these indices."""
    for index in indices:
        client.ask("POST", f"/{index}/_refresh")
        client.ask("POST", f"/{index}/_forcemerge", only_expunge_deletes="true")


def without_content(source: dict[str, Any]) -> bytes | None:
    """A document without content, persons and salts; None where nothing of them is left."""
    record = dict(source)
    ledger, leaf = record.pop(LEDGER), record.pop(LEAF)
    record.pop(TEXT, None)
    made = erased(record)
    return None if made is None else line(Sealed(ledger, leaf, record["event.id"], orjson.loads(made), made))


def _erase(client: ElasticClient, pattern: str, query: dict[str, Any], indices: set[str]) -> int:
    """Overwrites what fits and still has content; looks again where others changed it meanwhile."""
    count: int = 0
    for _ in range(ATTEMPTS):
        client.refresh(pattern)
        body = {"size": 2 * BATCH, "seq_no_primary_term": True, "query": query}
        answer = client.ask("POST", f"/{pattern}/_search", body)
        hits = answer["hits"]["hits"] if answer else []
        lines = []
        for hit in hits:
            document = without_content(hit["_source"])
            if document is not None:
                place = {"_index": hit["_index"], "_id": hit["_id"]}
                seen = {"if_seq_no": hit["_seq_no"], "if_primary_term": hit["_primary_term"]}
                lines += [orjson.dumps({"index": place | seen}), document]
                indices.add(hit["_index"])
        if not lines:
            return count
        items = [item["index"] for item in send(client, lines)]
        count += sum([item["status"] < 300 for item in items])
        refused = next((item["error"]["type"] for item in items if item["status"] == 400), None)
        if refused:
            raise StoreError(f"Elasticsearch at {client.place} does not take an erased document: {refused}")
        if all(item["status"] < 300 for item in items):
            return count
    raise StoreError(f"Elasticsearch at {client.place}: others change the documents that are to be erased")


def send(client: ElasticClient, lines: list[bytes]) -> list[dict[str, Any]]:
    """What became of each action of a bulk request."""
    items: list[dict[str, Any]] = client.ask("POST", "/_bulk", b"".join(part + b"\n" for part in lines))["items"]
    return items
