"""Hourly statistics on Elasticsearch, in an index of their own that Kibana reads too."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import orjson

from slmtrail.core.events import timestamp_text
from slmtrail.core.rollup import Rollup
from slmtrail.indexer.store.elastic_client import ElasticClient
from slmtrail.indexer.store.elastic_erase import send

_KEYWORDS = ("model", "environment", "kind")
_NUMBERS = ("hour_ms", "count", "failures", "blocked", "input_tokens", "output_tokens", "findings")
_QUANTILES = {"p50_ms": 0.5, "p95_ms": 0.95, "p99_ms": 0.99}
_ORDER = [{"hour_ms": {"unmapped_type": "long"}}, *({name: {"unmapped_type": "keyword"}} for name in _KEYWORDS)]
BATCH = 500

MAPPINGS = {
    "dynamic": False,
    "properties": {
        "@timestamp": {"type": "date"},
        **{name: {"type": "keyword"} for name in _KEYWORDS},
        **{name: {"type": "long"} for name in _NUMBERS},
        **{name: {"type": "double"} for name in _QUANTILES},
        "latency": {"type": "object", "enabled": False},
    },
}


class Rollups:
    """The statistics of one trail."""

    def __init__(self, client: ElasticClient, dataset: str) -> None:
        self._client = client
        self._index = f"rollups-{dataset}"
        self._made = False

    def put(self, hour_ms: int, rollups: Sequence[Rollup]) -> None:
        """Takes the statistics of an hour, in the place of those it has."""
        self._make()
        documents = {_id(one): _document(one) for one in rollups}
        self._send([{"index": {"_id": name}} for name in documents], list(documents.values()))
        self._delete([name for name in self._ids({"term": {"hour_ms": hour_ms}}) if name not in documents])
        self._client.ask("POST", f"/{self._index}/_refresh")

    def get(self, since_ms: int, until_ms: int, kind: str, *, latency: bool) -> list[Rollup]:
        """The hourly statistics of a time, of one kind of records or of all, the oldest first."""
        hours = {"range": {"hour_ms": {"gte": since_ms, "lt": until_ms}}}
        asked = {"bool": {"filter": [hours, *([{"term": {"kind": kind}}] if kind else [])]}}
        return [_read(hit["_source"], latency=latency) for hit in self._client.hits(self._index, asked, _ORDER)]

    def forget(self, before_ms: int) -> None:
        """Lets go of the statistics of hours before then."""
        if ids := self._ids({"range": {"hour_ms": {"lt": before_ms}}}):
            self._delete(ids)
            self._client.ask("POST", f"/{self._index}/_refresh")

    def _make(self) -> None:
        if not self._made and self._client.ask("GET", f"/{self._index}/_mapping") is None:
            settings = {"auto_expand_replicas": "0-1", "codec": "best_compression"}
            self._client.ask("PUT", f"/{self._index}", {"mappings": MAPPINGS, "settings": {"index": settings}})
        self._made = True

    def _ids(self, query: dict[str, Any]) -> list[str]:
        return [hit["_id"] for hit in self._client.hits(self._index, query, _ORDER, source=False)]

    def _delete(self, ids: list[str]) -> None:
        self._send([{"delete": {"_id": name}} for name in ids], [])

    def _send(self, actions: list[dict[str, Any]], documents: list[bytes]) -> None:
        for start in range(0, len(actions), BATCH):
            lines = []
            for number, action in enumerate(actions[start : start + BATCH], start):
                ((what, place),) = action.items()
                lines.append(orjson.dumps({what: {"_index": self._index, **place}}))
                lines += documents[number : number + 1]
            send(self._client, lines)


def _id(one: Rollup) -> str:
    named = f"{one.hour_ms}\n{one.model}\n{one.environment}\n{one.kind}"
    return hashlib.sha256(named.encode()).hexdigest()[:32]


def _document(one: Rollup) -> bytes:
    quantiles = {name: one.quantile_ms(share) for name, share in _QUANTILES.items()}
    told = {"@timestamp": timestamp_text(one.hour_ms), **asdict(one), **quantiles}
    return orjson.dumps(told, option=orjson.OPT_NON_STR_KEYS)


def _read(source: dict[str, Any], *, latency: bool) -> Rollup:
    named = {name: source[name] for name in (*_KEYWORDS, *_NUMBERS)}
    buckets = source["latency"] if latency else {}
    return Rollup(**named, latency={int(bucket): count for bucket, count in buckets.items()})
