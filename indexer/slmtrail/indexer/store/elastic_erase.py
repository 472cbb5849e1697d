"""Destroying content on Elasticsearch: documents are overwritten in their backing index, and their old versions merged
away."""

from __future__ import annotations

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
            for _ in range(ATTEMPTS):
                done, again = _erase(client, pattern, ledger, leaves, indices)
                count += done
                if not again:
                    break
            else:
                raise StoreError(f"Elasticsearch at {client.place}: others change the documents that are to be erased")
    for index in indices:
        client.ask("POST", f"/{index}/_refresh")
        client.ask("POST", f"/{index}/_forcemerge", only_expunge_deletes="true")
    return count


def _erase(
    client: ElasticClient, pattern: str, ledger: str, leaves: dict[str, int], indices: set[str]
) -> tuple[int, bool]:
    """Overwrites what still has content; how many, and whether to look again."""
    client.ask("POST", f"/{pattern}/_refresh")
    body = {
        "size": 2 * BATCH,
        "seq_no_primary_term": True,
        "query": {"bool": {"filter": [{"term": {LEDGER: ledger}}, {"range": {LEAF: leaves}}]}},
    }
    hits = client.ask("POST", f"/{pattern}/_search", body)["hits"]["hits"]
    lines, touched = [], []
    for hit in hits:
        action, document = _overwritten(hit, ledger)
        if document is not None:
            lines += [orjson.dumps(action), document]
            touched.append(hit["_index"])
    if not lines:
        return 0, False
    answer = client.ask("POST", "/_bulk", b"".join(part + b"\n" for part in lines))
    statuses = [item["index"]["status"] for item in answer["items"]]
    indices.update(touched)
    refused = next((item["index"]["error"]["type"] for item in answer["items"] if item["index"]["status"] == 400), None)
    if refused:
        raise StoreError(f"Elasticsearch at {client.place} does not take an erased document: {refused}")
    return sum(status < 300 for status in statuses), any(status >= 300 for status in statuses)


def _overwritten(hit: dict[str, Any], ledger: str) -> tuple[dict[str, Any], bytes | None]:
    record = dict(hit["_source"])
    record.pop(LEDGER), record.pop(TEXT, None)
    leaf = record.pop(LEAF)
    made = erased(record)
    place = {
        "_index": hit["_index"],
        "_id": hit["_id"],
        "if_seq_no": hit["_seq_no"],
        "if_primary_term": hit["_primary_term"],
    }
    if made is None:
        return {}, None
    return {"index": place}, line(Sealed(ledger, leaf, record["event.id"], orjson.loads(made), made))
