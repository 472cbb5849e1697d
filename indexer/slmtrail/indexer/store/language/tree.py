"""A search as a tree. All of it is checked: what stands here, every store can answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

Value = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Text:
    """Words that stand in a row in one of a record's texts. With `prefix` it is one word's beginning."""

    words: tuple[str, ...]
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Equals:
    """One of the fields has one of the values; a network holds each of its addresses."""

    names: tuple[str, ...]
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Like:
    """A field fits a pattern: `*` is any characters, `?` is one, and a backslash makes the next one plain."""

    names: tuple[str, ...]
    pattern: str


@dataclass(frozen=True, slots=True)
class Range:
    """A number, or a time in milliseconds since 1970, lies between `low` and `high`, or on a bound that is not open."""

    names: tuple[str, ...]
    low: int | float | None = None
    high: int | float | None = None
    low_open: bool = False
    high_open: bool = False


@dataclass(frozen=True, slots=True)
class Exists:
    """One of the fields is there."""

    names: tuple[str, ...]


Test = Equals | Like | Range | Exists


@dataclass(frozen=True, slots=True)
class And:
    """All of these; of none, every record."""

    parts: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of these."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """All other records."""

    part: Node


Node = Text | Equals | Like | Range | Exists | And | Or | Not


def both(*nodes: Node) -> And:
    """All of `nodes`, flat and each once."""
    return And(tuple(dict.fromkeys(part for node in nodes for part in _conjuncts(node))))


def either(*nodes: Node) -> Node:
    """At least one of `nodes`, each once; what one field may be is asked at once."""
    found: dict[tuple[str, ...] | Node, Node] = {}
    for node in nodes:
        key = node.names if isinstance(node, Equals) else node
        before = found.get(key)
        if isinstance(node, Equals) and isinstance(before, Equals):
            node = Equals(node.names, tuple(dict.fromkeys((*before.values, *node.values))))
        found[key] = node
    parts = tuple(found.values())
    return parts[0] if len(parts) == 1 else Or(parts)


def tests(node: Node) -> Iterator[Text | Test]:
    """All that is tested anywhere in the tree."""
    match node:
        case And() | Or():
            for part in node.parts:
                yield from tests(part)
        case Not():
            yield from tests(node.part)
        case _:
            yield node


def _conjuncts(node: Node) -> Iterator[Node]:
    if isinstance(node, And):
        for part in node.parts:
            yield from _conjuncts(part)
    else:
        yield node
