"""Finds secrets in a text by the rules: one pass tells which rules can match, and only those run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import re2

from slmtrail.core.secrets.catalogue import RULES
from slmtrail.core.secrets.checks import CHECKS
from slmtrail.core.secrets.rules.rule import Rule


@dataclass(frozen=True, slots=True)
class Secret:
    """Where in a text a secret stands, the rule that says so, and how sure it is."""

    rule: Rule
    start: int
    end: int
    score: float


class SecretMatcher:
    """Finds the secrets of some rules in a text."""

    def __init__(self, rules: Iterable[Rule] = RULES) -> None:
        self._rules = [(rule, re.compile(rule.pattern)) for rule in rules]
        self._anchors = re2.Set.SearchSet()
        for rule, _ in self._rules:
            self._anchors.Add(rule.gate or "(?i)" + "|".join(map(re2.escape, rule.anchors)))
        self._anchors.Compile()

    def find(self, text: str) -> list[Secret]:
        """The secrets in `text`, in the order of the rules."""
        running = sorted(self._anchors.Match(text.encode(errors="replace")) or ())
        return [secret for number in running for secret in _matches(self._rules[number], text)]


def _matches(ruled: tuple[Rule, re.Pattern[str]], text: str) -> Iterator[Secret]:
    rule, pattern = ruled
    group = "secret" if "secret" in pattern.groupindex else 0
    for match in pattern.finditer(text):
        start, end = match.span(group)
        score = rule.score
        if rule.check and not CHECKS[rule.check](text[start:end]):
            score = rule.unchecked_score
        if score > 0:
            yield Secret(rule, start, end, score)
