"""A search's tree in Elasticsearch's query language."""

from __future__ import annotations

from typing import Any

from slmtrail.core.fields import FIELDS
from slmtrail.indexer.store.columns import TIME
from slmtrail.indexer.store.cursor import NONE, SORTED
from slmtrail.indexer.store.language.names import named
from slmtrail.indexer.store.language.tree import And, Equals, Exists, Like, Node, Not, Or, Range, Text
from slmtrail.indexer.store.mapping import LEAF, LEDGER, TEXT
from slmtrail.indexer.store.query import FIRST_MS, LAST_MS, Asked


def dsl(question: Asked) -> dict[str, Any]:
    """The query of a search."""
    times = {"gte": question.since_ms, "lt": question.until_ms, "format": "epoch_millis"}
    return {"bool": {"filter": [{"range": {TIME: times}}, *map(_node, question.tree.parts)]}}


def sort(question: Asked) -> list[dict[str, Any]]:
    """The order of its results."""
    name, downwards = question.sort.lstrip("-"), question.sort.startswith("-")
    order = "desc" if downwards else "asc"
    types = {TIME: "date", LEDGER: "keyword", LEAF: "long", "event.id": "keyword"}
    fields: list[dict[str, Any]] = [{field: {"order": order, "unmapped_type": kind}} for field, kind in types.items()]
    if name in SORTED:
        (field,) = named(name)
        missing = -NONE if downwards else NONE
        return [{field: {"order": order, "unmapped_type": "long", "missing": missing}}, *fields]
    return fields


def _node(node: Node) -> dict[str, Any]:
    match node:
        case And():
            return {"bool": {"filter": [_node(part) for part in node.parts]}}
        case Or():
            return _any([_node(part) for part in node.parts])
        case Not():
            return {"bool": {"must_not": [_node(node.part)]}}
        case Text():
            return _text(node)
        case Equals():
            return _any([{"terms": {name: list(node.values)}} for name in node.names])
        case Like():
            return _any([{"wildcard": {name: {"value": node.pattern}}} for name in node.names])
        case Exists():
            return _any([{"exists": {"field": name}} for name in node.names])
        case Range():
            return _any([{"range": {name: _bounds(node, name)}} for name in node.names])


def _any(queries: list[dict[str, Any]]) -> dict[str, Any]:
    return queries[0] if len(queries) == 1 else {"bool": {"should": queries, "minimum_should_match": 1}}


def _text(node: Text) -> dict[str, Any]:
    if node.prefix:
        return {"prefix": {TEXT: {"value": node.words[0]}}}
    if len(node.words) == 1:
        return {"match": {TEXT: {"query": node.words[0], "operator": "and"}}}
    return {"match_phrase": {TEXT: {"query": " ".join(node.words)}}}


def _bounds(node: Range, name: str) -> dict[str, Any]:
    is_date = FIELDS[name].type == "date"
    bounds: dict[str, Any] = {"format": "epoch_millis"} if is_date else {}
    for key, bound in (("gt" if node.low_open else "gte", node.low), ("lt" if node.high_open else "lte", node.high)):
        if bound is not None:
            bounds[key] = min(max(int(bound), FIRST_MS), LAST_MS) if is_date else bound
    return bounds
