"""Whether one record is among those that a question finds: for records on their way, before any store is asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from slmtrail.indexer.store.columns import TIME
from slmtrail.indexer.store.language.fits import fitting
from slmtrail.indexer.store.language.tree import And, Node, Not, Or, Range, Text
from slmtrail.indexer.store.query import Asked
from slmtrail.indexer.store.text import BOUNDARY, searched

Fits = Callable[[dict[str, Any]], bool]


def matching(question: Asked) -> Fits:
    """The question as a function of a record."""
    times = Range((TIME,), question.since_ms, question.until_ms, high_open=True)
    return holding(And((times, *question.tree.parts)))


def holding(node: Node) -> Fits:
    """A condition as a function of a record."""
    match node:
        case And():
            parts = [holding(part) for part in node.parts]
            return lambda record: all(part(record) for part in parts)
        case Or():
            parts = [holding(part) for part in node.parts]
            return lambda record: any(part(record) for part in parts)
        case Not():
            inner = holding(node.part)
            return lambda record: not inner(record)
        case Text():
            return lambda record: any(_stands(node, text.split()) for text in searched(record).split(BOUNDARY))
    return fitting(node)


def _stands(node: Text, text: list[str]) -> bool:
    if node.prefix:
        return any(word.startswith(node.words[0]) for word in text)
    return any(tuple(text[at : at + len(node.words)]) == node.words for at in range(len(text)))
