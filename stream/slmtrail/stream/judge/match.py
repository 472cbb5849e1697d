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

MAX_CHARS = 64 * 1024
"""How much of a value is looked at."""


def condition(selections: Selection | Sequence[Selection] | None) -> Condition:
    """Whether one of `selections` holds of a record. Raises ValueError naming what is wrong with one."""
    listed = [selections] if isinstance(selections, dict) else list(selections or [])
    compiled_ones = [[_test(key, value) for key, value in selection.items()] for selection in listed]
    return lambda record, p: any(all(test(record, p) for test in tests) for tests in compiled_ones)


def _test(key: str, wanted: Any) -> Condition:
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
            _pattern(value)
    if modifier == "cidr":
        for value in values:
            _network(str(value))
    test = _TESTS[modifier]

    def holds(record: Record, p: Parameters) -> bool:
        if name not in record:
            return False
        texts = _values(record[name])
        for value in values:
            given = p[value[1:]] if isinstance(value, str) and value.startswith("$") else value
            for one in given if isinstance(given, list | tuple) else (given,):
                if any(test(text, one) for text in texts):
                    return True
        return False

    return holds


def _values(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value if all(isinstance(item, str) for item in value) else [orjson.dumps(value).decode()[:MAX_CHARS]]
    if isinstance(value, dict):
        return list(value.values())
    return [value[:MAX_CHARS] if isinstance(value, str) else value]


def _equal(value: Any, wanted: Any) -> bool:
    if isinstance(value, str) and isinstance(wanted, str):
        return matches((wanted.casefold(),), value.casefold())
    return bool(value == wanted)


def _number(test: Callable[[float, float], bool]) -> Callable[[Any, Any], bool]:
    return lambda value, wanted: (
        isinstance(value, int | float) and isinstance(wanted, int | float) and test(value, wanted)
    )


def _text(test: Callable[[str, str], bool]) -> Callable[[Any, Any], bool]:
    return lambda value, wanted: test(str(value).casefold(), str(wanted).casefold())


def _within(value: Any, wanted: Any) -> bool:
    try:
        return ipaddress.ip_address(str(value)) in _network(str(wanted))
    except ValueError:
        return False


@cache
def _network(text: str) -> Any:
    return ipaddress.ip_network(text, strict=False)


@cache
def _pattern(text: str) -> Any:
    return compiled(text)


_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "": _equal,
    "contains": _text(lambda value, wanted: wanted in value),
    "startswith": _text(str.startswith),
    "endswith": _text(str.endswith),
    "re": lambda value, wanted: _pattern(wanted).search(str(value)) is not None,
    "gt": _number(lambda value, wanted: value > wanted),
    "gte": _number(lambda value, wanted: value >= wanted),
    "lt": _number(lambda value, wanted: value < wanted),
    "lte": _number(lambda value, wanted: value <= wanted),
    "cidr": _within,
}
