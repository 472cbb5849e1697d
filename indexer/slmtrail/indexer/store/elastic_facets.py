"""Counting in Elasticsearch: by the values of a field, and over time."""

from __future__ import annotations

from typing import Any

from slmtrail.indexer.store.columns import TIME

_CANDIDATES = 2000
_ENDS = {"first": "min", "last": "max"}


def facet_body(query: dict[str, Any], fields: tuple[str, ...]) -> dict[str, Any]:
    """The request for the frequent values of each of the fields; its answer's aggregations go by their names."""
    order = [{"_count": "desc"}, {"_key": "asc"}]
    # Each shard gives many more than are wanted, so that one that is rare in some is not missed.
    terms = {"size": _CANDIDATES, "shard_size": 5 * _CANDIDATES, "order": order}
    return {"size": 0, "query": query, "aggs": {name: {"terms": {**terms, "field": name}} for name in fields}}


def candidates(counts: list[dict[Any, int]], size: int) -> list[Any]:
    """The values that may be among the most frequent, by their counts in each field.

    A record with a value in two of the fields is in two counts: the sum says at most, the largest at least how many.
    """
    values = {value for found in counts for value in found}
    each = {value: [found.get(value, 0) for found in counts] for value in values}
    least = sorted((max(found) for found in each.values()), reverse=True)[:size]
    return sorted(value for value, found in each.items() if sum(found) >= least[-1])


def exact_body(query: dict[str, Any], fields: tuple[str, ...], values: list[Any]) -> dict[str, Any]:
    """The request for how many records have each value in any of the fields; the answer's are in the same order."""
    filters = [{"bool": {"should": [{"term": {name: value}} for name in fields]}} for value in values]
    return {"size": 0, "query": query, "aggs": {"values": {"filters": {"filters": filters}}}}


def extent_body(query: dict[str, Any]) -> dict[str, Any]:
    """The request for the first and last time; its answer's aggregations are `first` and `last`."""
    return {"size": 0, "query": query, "aggs": {end: {of: {"field": TIME}} for end, of in _ENDS.items()}}


def histogram_body(query: dict[str, Any], step_ms: int) -> dict[str, Any]:
    """The request for the number of records in each step; its answer's aggregation is `bars`."""
    bars = {"field": TIME, "fixed_interval": f"{step_ms}ms", "min_doc_count": 1}
    return {"size": 0, "query": query, "aggs": {"bars": {"date_histogram": bars}}}
