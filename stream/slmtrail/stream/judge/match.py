"""Conditions on fields in the manner of Sigma: `{field|modifier: value}`; all keys must hold, any value of a list.

Modifiers: none (equal; `*` and `?` as in file names), `contains`, `startswith`, `endswith`, `re` (RE2), `gt`, `gte`,
`lt`, `lte`, `exists`, `cidr`. `$name` stands for a parameter of the rule.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import orjson

from slmtrail.core.fields import FIELDS
from slmtrail.core.guards import MAX_PATTERN_CHARS, compiled
from slmtrail.core.roles import matches

Record = Mapping[str, Any]
Parameters = Mapping[str, Any]
Condition = Callable[[Record, Parameters], bool]
Selection = dict[str, Any]
Test = Callable[[Any], bool]

MAX_CHARS = 64 * 1024
"""How much of a value is looked at."""


def condition(selections: Selection | Sequence[Selection] | None) -> Condition:
    """Whether one of `selections` holds of a record. Raises ValueError naming what is wrong with one."""
    tests = [[_condition(key, value) for key, value in selection.items()] for selection in _listed(selections)]
    return lambda record, p: any(all(test(record, p) for test in selection) for selection in tests)


def needed(selections: Selection | Sequence[Selection] | None) -> list[frozenset[str]]:
    """The fields that a record has at least, if one of `selections` is to hold: those of each."""
    return [
        frozenset(key.partition("|")[0] for key, wanted in selection.items() if wanted or not key.endswith("|exists"))
        for selection in _listed(selections)
    ]


def _listed(selections: Selection | Sequence[Selection] | None) -> list[Selection]:
    return [selections] if isinstance(selections, dict) else list(selections or [])


def _condition(key: str, wanted: Any) -> Condition:
    name, _, modifier = key.partition("|")
    if name not in FIELDS:
        raise ValueError(f"match: {name}: no such field")
    if modifier == "exists":
        return lambda record, _: (name in record) is bool(wanted)
    if modifier not in _TESTS:
        known = ", ".join(sorted(filter(None, _TESTS)))
        raise ValueError(f"match: {key}: no such modifier; those are exists, {known}")
    values = wanted if isinstance(wanted, list) else [wanted]
    if modifier == "re":
        for value in values:
            if not isinstance(value, str) or len(value) > MAX_PATTERN_CHARS:
                raise ValueError(f"match: {key}: should be a pattern of at most {MAX_PATTERN_CHARS} characters")
    test = _TESTS[modifier]
    parameters = [value[1:] for value in values if isinstance(value, str) and value.startswith("$")]
    fixed = [test(value) for value in values if not (isinstance(value, str) and value.startswith("$"))]

    def holds(record: Record, p: Parameters) -> bool:
        if name not in record:
            return False
        texts = _values(record[name])
        if any(one(text) for one in fixed for text in texts):
            return True
        for parameter in parameters:
            given = p[parameter]
            for value in given if isinstance(given, list | tuple) else (given,):
                one = test(value)
                if any(one(text) for text in texts):
                    return True
        return False

    return holds


def _values(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value if all(isinstance(item, str) for item in value) else [orjson.dumps(value).decode()[:MAX_CHARS]]
    if isinstance(value, dict):
        return list(value.values())
    return [value[:MAX_CHARS] if isinstance(value, str) else value]


def _equal(wanted: Any) -> Test:
    if not isinstance(wanted, str):
        return lambda value: bool(value == wanted)
    globs = (wanted.casefold(),)
    return lambda value: isinstance(value, str) and matches(globs, value.casefold())


def _number(test: Callable[[float, float], bool]) -> Callable[[Any], Test]:
    return lambda wanted: (
        lambda value: isinstance(value, int | float) and isinstance(wanted, int | float) and test(value, wanted)
    )


def _text(test: Callable[[str, str], bool]) -> Callable[[Any], Test]:
    def made(wanted: Any) -> Test:
        folded = str(wanted).casefold()
        return lambda value: test(str(value).casefold(), folded)

    return made


def _matching(wanted: Any) -> Test:
    pattern = _pattern(str(wanted))
    return lambda value: pattern.search(str(value)) is not None


def _within(wanted: Any) -> Test:
    network = _network(str(wanted))

    def within(value: Any) -> bool:
        try:
            return ipaddress.ip_address(str(value)) in network
        except ValueError:
            return False

    return within


@cache
def _network(text: str) -> Any:
    return ipaddress.ip_network(text, strict=False)


@cache
def _pattern(text: str) -> Any:
    return compiled(text)


_TESTS: dict[str, Callable[[Any], Test]] = {
    "": _equal,
    "contains": _text(lambda value, wanted: wanted in value),
    "startswith": _text(str.startswith),
    "endswith": _text(str.endswith),
    "re": _matching,
    "gt": _number(lambda value, wanted: value > wanted),
    "gte": _number(lambda value, wanted: value >= wanted),
    "lt": _number(lambda value, wanted: value < wanted),
    "lte": _number(lambda value, wanted: value <= wanted),
    "cidr": _within,
}
"""By modifier: what makes the test of a value against what is wanted."""
