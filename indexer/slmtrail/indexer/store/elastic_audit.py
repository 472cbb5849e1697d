"""What is wrong with the documents in Elasticsearch.

The server makes its columns and words from each document by the mapping. So they are right where the mapping
is ours and the document is whole: it stands where its place, id and environment say, and `slm.text` holds
what its strings give. Whether a document is the record that was sealed, the ledger tells.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from slmtrail.core.ports import Fault
from slmtrail.indexer.store.elastic_client import ElasticClient
from slmtrail.indexer.store.elastic_names import Streams
from slmtrail.indexer.store.mapping import LEAF, LEDGER, TEXT, leaves, mappings
from slmtrail.indexer.store.text import supplement

MAX_FAULTS = 1000
"""Of each sort; where all is wrong, the first thousand tell as much."""


def audit(client: ElasticClient, streams: Streams) -> list[Fault]:
    """The faults of all documents of `streams`."""
    checks = (_mappings(client, streams), _documents(client, streams))
    return [fault for check in checks for fault in itertools.islice(check, MAX_FAULTS)]


def _mappings(client: ElasticClient, streams: Streams) -> Iterator[Fault]:
    wanted = leaves(mappings())
    found = client.ask("GET", f"/{streams.searched}/_mapping") or {}
    for index, answer in sorted(found.items()):
        there = leaves(answer["mappings"])
        if wrong := sorted(name for name in wanted if there.get(name) != wanted[name]):
            text = f"{index} indexes {', '.join(wrong[:3])} in another way than the templates say"
            yield Fault("mapping", f"{text} ({len(wrong)} such fields); what it holds can't be found by them")


def _documents(client: ElasticClient, streams: Streams) -> Iterator[Fault]:
    order = [{LEDGER: {"unmapped_type": "keyword"}}, {LEAF: {"unmapped_type": "long"}}]
    for hit in client.hits(streams.searched, {"match_all": {}}, order):
        source = hit["_source"]
        ledger, leaf, record_id = source.pop(LEDGER, ""), source.pop(LEAF, None), source.get("event.id", "")
        words = source.pop(TEXT, [])
        named = (ledger, leaf, record_id or hit["_id"])
        if not ledger or leaf is None:
            yield Fault("stranger", "a document names no ledger and leaf", *named)
            continue
        if hit["_id"] != record_id:
            yield Fault("duplicated", "the same event.id stands at another leaf as well", *named)
        if not streams.fits(hit["_index"], source):
            text = f"the document lies in {hit['_index']}, which is not of its class and environment"
            yield Fault("column", text, *named)
        if words != supplement(source):
            yield Fault("words", "the record is found by other words than its data has", *named)
