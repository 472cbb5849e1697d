"""The secret rules behind the gate of the engine."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property

from slmtrail.core.secrets.catalogue import RULES
from slmtrail.core.secrets.matcher import Secret, SecretMatcher
from slmtrail.core.secrets.rules.rule import Rule
from slmtrail.stream.redact import expression
from slmtrail.stream.redact.expression import Expression
from slmtrail.stream.redact.patterns import PatternTable
from slmtrail.stream.redact.seen import Seen


class SecretPlan:
    """Runs a secret rule on the texts in which the gate saw what it needs."""

    def __init__(self, table: PatternTable, types: frozenset[str] | None) -> None:
        self._table = table
        self._always: list[SecretMatcher] = []
        self._by_number: dict[int, SecretMatcher] = {}
        beyond_ascii: list[Rule] = []
        for rule in RULES:
            if types is not None and rule.type not in types:
                continue
            if not any(anchor.isascii() for anchor in rule.anchors):
                beyond_ascii.append(rule)
                continue
            known = _known(rule)
            if known:
                self._by_number[table.add_gate(known, once=True)] = SecretMatcher([rule])
            else:
                self._always.append(SecretMatcher([rule]))
        # The gate, to which all letters beyond ASCII are one, would see them everywhere.
        self._beyond_ascii = SecretMatcher(beyond_ascii)

    def find(self, seen: Seen) -> list[Secret]:
        """The secrets in a text."""
        found = [secret for matcher in self._always for secret in matcher.find(seen.text)]
        if not seen.text.isascii():
            found += self._beyond_ascii.find(seen.text)
        for number in sorted((self._by_number.keys() & seen.hits.keys()) | self._ungated):
            found += self._by_number[number].find(seen.text)
        return found

    @cached_property
    def _ungated(self) -> frozenset[int]:
        """The rules that no gate covers, once it is made: they run on every text."""
        return frozenset(self._by_number.keys() - self._table.gate.gated)


def _known(rule: Rule) -> Expression | None:
    for pattern in filter(None, (rule.gate, rule.pattern)):
        with suppress(expression.Unreadable):
            return expression.read(pattern, 0)
    return None
