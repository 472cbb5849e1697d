"""The store on Elasticsearch: a data stream for each environment, written in bulk, searched by the server.

A document is the record's own JSON with its ledger and leaf put in front, never encoded again, so that what
is stored proves. Elasticsearch keeps an `_id` apart within one backing index only; so whenever it is unclear
what arrived, the index is asked before anything is sent again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from slmtrail.core import certificate
from slmtrail.core.errors import QueryError, StoreError
from slmtrail.core.ports import Fault, Histogram, Page, Picked, Query, Refusal, Rows, Sealed
from slmtrail.core.rollup import HOUR_MS, Rollup, together
from slmtrail.indexer.store import elastic_setup as setup
from slmtrail.indexer.store.columns import COLLECTOR
from slmtrail.indexer.store.cursor import SORTED, Cursor
from slmtrail.indexer.store.elastic_audit import audit
from slmtrail.indexer.store.elastic_bulk import Bulk
from slmtrail.indexer.store.elastic_client import ElasticClient, NotAllowed
from slmtrail.indexer.store.elastic_erase import erase
from slmtrail.indexer.store.elastic_facets import candidates, exact_body, extent_body, facet_body, histogram_body
from slmtrail.indexer.store.elastic_names import Streams
from slmtrail.indexer.store.elastic_query import dsl, sort
from slmtrail.indexer.store.elastic_retain import expire, rotate
from slmtrail.indexer.store.elastic_rollup import Rollups
from slmtrail.indexer.store.facets import fields_of, step_ms
from slmtrail.indexer.store.mapping import LEAF, LEDGER, TEXT
from slmtrail.indexer.store.query import LIMIT_S, SLOW, Asked, asked
from slmtrail.indexer.store.scoping import shown

log = logging.getLogger(__name__)

_TIMEOUT = f"{LIMIT_S * 1000:.0f}ms"
_MAX_LEDGERS = 10_000
_MAX_LEAVES = 10_000
FULL_PAGE, BARE_PAGE = 1000, 10_000


class ElasticStore:
    """The Store port on an Elasticsearch cluster. Records of other trails in it go by another `dataset`."""

    def __init__(
        self,
        url: str,
        *,
        writable: bool = False,
        dataset: str = "slm",
        api_key: str | None = None,
        retention_api_key: str | None = None,
        ca_file: Path | None = None,
        patience_s: float = 10,
    ) -> None:
        self._client = ElasticClient(url, api_key=api_key, ca_file=ca_file)
        # Erases and lets expire, where `api_key` may only create and read.
        self._keeper = ElasticClient(url, api_key=retention_api_key or api_key, ca_file=ca_file)
        self._streams = Streams(dataset)
        self._bulk = Bulk(self._client, self._streams, patience_s) if writable else None
        self._rollups = Rollups(self._keeper, dataset)
        self._prepared = False

    def extract(self, sealed: Sealed) -> Any:
        """What `write` needs of a record beside its text."""
        return self._writing().extract(sealed)

    def write(self, records: Sequence[Sealed]) -> list[Refusal]:
        """Stores each record once; on disk when this returns. Waits out a busy or absent server for a while."""
        bulk = self._writing()
        if not self._prepared:
            self._prepare()
        return bulk.write(records)

    def holding(self, ledger: str, leaves: Sequence[int]) -> set[int]:
        """Which of these leaves are there, counting all that was written before this call."""
        self._refresh()
        found: set[int] = set()
        for start in range(0, len(leaves), _MAX_LEAVES):
            asked_for = list(leaves[start : start + _MAX_LEAVES])
            answer = self._search(
                {
                    "size": 0,
                    "query": {"bool": {"filter": [{"term": {LEDGER: ledger}}, {"terms": {LEAF: asked_for}}]}},
                    "aggs": {"leaves": {"terms": {"field": LEAF, "size": len(asked_for)}}},
                }
            )
            found.update(bucket["key"] for bucket in _buckets(answer, "leaves"))
        return found

    def tally(self, ledger: str, start: int, end: int) -> tuple[int, int]:
        """How many records there are of leaves start ≤ leaf < end, and the sum of their leaves."""
        self._refresh()
        leaves = [{"term": {LEDGER: ledger}}, {"range": {LEAF: {"gte": start, "lt": end}}}]
        totals = {"count": {"value_count": {"field": LEAF}}, "sum": {"sum": {"field": LEAF}}}
        answer = self._search({"size": 0, "query": {"bool": {"filter": leaves}}, "aggs": totals})
        found = answer.get("aggregations", {})
        return found.get("count", {}).get("value", 0), int(found.get("sum", {}).get("value", 0))

    def erase(self, ledger: str, rows: Rows) -> int:
        """Destroys content, persons and salts of these leaves, and the old versions of their documents."""
        self._writing()
        return erase(self._keeper, self._streams.searched, ledger, rows)

    def select(self, query: Query, fields: Sequence[str] = ()) -> Iterator[Picked]:
        """Of all records that fit, however many, these fields, in order of ledger and leaf."""
        self._refresh()
        page, source = (FULL_PAGE, list(fields)) if fields else (BARE_PAGE, False)
        for hit in self._client.hits(self._streams.searched, dsl(asked(query)), _by_leaf(), source, page):
            ledger, leaf = hit["sort"][:2]
            if isinstance(ledger, str) and isinstance(leaf, int):
                yield ledger, leaf, hit.get("_source", {})

    def expire(self, summarise: Mapping[str, Rows], remove: Mapping[str, Rows]) -> None:
        """Destroys the content of the first leaves, by ledger, and all of the second."""
        expire(self._keeper, self._streams, summarise, remove)

    def rotate(self, ages_ms: Mapping[str, int]) -> None:
        """Gives each data stream whose newest index is older than its class may be, or large, a new one."""
        rotate(self._keeper, self._streams, ages_ms)

    def roll_up(self, hour_ms: int, rollups: Sequence[Rollup]) -> None:
        """Takes the statistics of an hour, in the place of those it has."""
        self._rollups.put(hour_ms, rollups)

    def rollups(
        self, since_ms: int, until_ms: int, step_ms: int = HOUR_MS, kind: str = "", *, latency: bool = True
    ) -> list[Rollup]:
        """The statistics from `since_ms` on and before `until_ms`, the oldest first: of hours, or of whole days."""
        hours = self._rollups.get(since_ms, until_ms, kind, latency=latency)
        return hours if step_ms == HOUR_MS else together(hours, step_ms)

    def forget_rollups(self, before_ms: int) -> None:
        """Lets go of the statistics of hours before then."""
        self._rollups.forget(before_ms)

    def search(self, query: Query) -> Page:
        """The records that fit, in the order of its `sort`; those of the last second may not be among them yet."""
        question = asked(query)
        body: dict[str, Any] = {
            "size": question.limit + 1,
            "track_total_hits": question.count_to or False,
            "query": dsl(question),
            "timeout": _TIMEOUT,
            "sort": sort(question),
        }
        if question.after is not None:
            body["search_after"] = [part for part in question.after[1:] if part is not None]
        hits = self._search(body)["hits"]
        page = hits["hits"][: question.limit]
        cursor = _cursor(question, page[-1]["sort"]) if len(hits["hits"]) > question.limit else ""
        records = [shown(_sealed(hit["_source"]), question.scope) for hit in page]
        if not question.count_to:
            return Page(records, len(records), cursor, at_least=bool(cursor))
        return Page(records, hits["total"]["value"], cursor, hits["total"]["relation"] == "gte")

    def facet(self, query: Query, field: str, size: int) -> dict[str, int]:
        """The most frequent values of a field among the records that fit, and how many of them have each."""
        wanted, fields = dsl(asked(query)), fields_of(field, size)
        answer = self._counted(facet_body(wanted, fields))
        counts = [{one["key"]: one["doc_count"] for one in _buckets(answer, name)} for name in fields]
        found = counts[0]
        if len(fields) > 1:
            values = candidates(counts, size)
            exact = _buckets(self._counted(exact_body(wanted, fields, values)), "values") if values else []
            found = {value: one["doc_count"] for value, one in zip(values, exact, strict=True)}
        most = sorted(found, key=lambda value: (-found[value], value))[:size]
        return {str(value): found[value] for value in most}

    def values(self, query: Query, field: str, size: int) -> list[str]:
        """Values of a field that records which fit have, up to so many."""
        return [*self.facet(query, field, size)]

    def histogram(self, query: Query, bars: int) -> Histogram:
        """The records that fit, over time, in at most so many steps."""
        wanted = dsl(asked(query))
        ends = self._counted(extent_body(wanted)).get("aggregations", {})
        first, last = (int(ends.get(end, {}).get("value") or 0) for end in ("first", "last"))
        step = step_ms(first, last, bars)
        answer = self._counted(histogram_body(wanted, step))
        return Histogram(step, {bucket["key"]: bucket["doc_count"] for bucket in _buckets(answer, "bars")})

    def _counted(self, body: dict[str, Any]) -> Any:
        return self._search({**body, "timeout": _TIMEOUT})

    def get(self, record_id: str) -> Sealed | None:
        """One record by its event.id; of one that stands twice, the first by ledger and leaf."""
        answer = self._search({"size": 1, "query": {"term": {"event.id": record_id}}, "sort": _by_leaf()})
        hits = answer["hits"]["hits"]
        return _sealed(hits[0]["_source"]) if hits else None

    def scan(self, ledger: str, start: int, end: int) -> Iterator[Sealed]:
        """All records of leaves start ≤ leaf < end in order of leaf; what stands twice comes twice."""
        self._refresh()
        place = [{"term": {LEDGER: ledger}}, {"range": {LEAF: {"gte": start, "lt": end}}}]
        for hit in self._client.hits(self._streams.searched, {"bool": {"filter": place}}, _by_leaf()):
            yield _sealed(hit["_source"])

    def certificates(self, ledger: str) -> Iterator[Sealed]:
        """The records of a ledger that say they hold a certificate, in order of leaf."""
        self._refresh()
        which = [{"term": {LEDGER: ledger}}, {"term": {COLLECTOR: certificate.COLLECTOR}}]
        for hit in self._client.hits(self._streams.searched, {"bool": {"filter": which}}, _by_leaf()):
            if certificate.FIELD in hit["_source"]:
                yield _sealed(hit["_source"])

    def ledgers(self) -> dict[str, int]:
        """The ledgers that records name, and how many records each has."""
        self._refresh()
        answer = self._search({"size": 0, "aggs": {"ledgers": {"terms": {"field": LEDGER, "size": _MAX_LEDGERS}}}})
        return {bucket["key"]: bucket["doc_count"] for bucket in _buckets(answer, "ledgers")}

    def extent(self, query: Query) -> dict[str, range]:
        """For each ledger with records that fit, the leaves from the first to the last of them."""
        self._refresh()
        ends = {"first": {"min": {"field": LEAF}}, "last": {"max": {"field": LEAF}}}
        times = {"gte": query.since_ms, "lt": query.until_ms, "format": "epoch_millis"}
        filters: list[dict[str, Any]] = [{"range": {"@timestamp": times}}]
        filters += [{"term": {COLLECTOR: query.collector}}] if query.collector else []
        answer = self._search(
            {
                "size": 0,
                "query": {"bool": {"filter": filters}},
                "aggs": {"ledgers": {"terms": {"field": LEDGER, "size": _MAX_LEDGERS}, "aggs": ends}},
            }
        )
        return {
            bucket["key"]: range(int(bucket["first"]["value"]), int(bucket["last"]["value"]) + 1)
            for bucket in _buckets(answer, "ledgers")
        }

    def faults(self) -> list[Fault]:
        """Where mappings differ from the templates, or documents stand twice, in the wrong place or by a wrong id."""
        self._refresh()
        return audit(self._client, self._streams)

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()
        self._keeper.close()

    def _prepare(self) -> None:
        """Makes the cluster ready where it is not, and learns which data streams are there."""
        try:
            setup.apply(self._client, setup.plan(self._client, self._streams))
        except NotAllowed as error:
            log.warning("whether templates fit records is not known, see slmtrail setup elasticsearch: %s", error)
        resolved = self._client.ask("GET", f"/_resolve/index/{self._streams.pattern}") or {"data_streams": []}
        self._streams.known.update(stream["name"] for stream in resolved["data_streams"])
        self._prepared = True

    def _writing(self) -> Bulk:
        if self._bulk is None:
            raise StoreError(
                f"Elasticsearch at {self._client.place}: is open for reading only; open it with writable=True"
            )
        return self._bulk

    def _refresh(self) -> None:
        self._client.refresh(self._streams.searched)

    def _search(self, body: dict[str, Any]) -> Any:
        answer = self._client.ask("POST", f"/{self._streams.searched}/_search", body)
        if answer["timed_out"] and "timeout" in body:
            raise QueryError(SLOW)
        if answer["_shards"]["failed"] or answer["timed_out"]:
            raise StoreError(
                f"Elasticsearch at {self._client.place}: some shards did not answer; ask again when its health is green"
            )
        return answer


def _cursor(question: Asked, place: list[Any]) -> str:
    key = place if question.sort.lstrip("-") in SORTED else [None, *place]
    return Cursor(question.sort, *key).text()


def _sealed(source: dict[str, Any]) -> Sealed:
    ledger, leaf = source.pop(LEDGER, ""), source.pop(LEAF, -1)
    source.pop(TEXT, None)
    return Sealed(ledger, leaf, source.get("event.id", ""), source, orjson.dumps(source, option=orjson.OPT_SORT_KEYS))


def _by_leaf() -> list[Any]:
    types = {LEDGER: "keyword", LEAF: "long", "event.id": "keyword"}
    return [{name: {"order": "asc", "unmapped_type": kind}} for name, kind in types.items()]


def _buckets(answer: Any, name: str) -> Any:
    return answer.get("aggregations", {}).get(name, {}).get("buckets", [])
