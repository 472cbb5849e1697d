"""Finds secrets in a text by the rules: one pass tells which rules can match, and only those run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import re2

from slmtrail.core.secrets.catalogue import RULES
from slmtrail.core.secrets.checks import CHECKS, is_word
from slmtrail.core.secrets.containers import values_within
from slmtrail.core.secrets.rules.rule import Rule
from slmtrail.core.secrets.tables import values_below

Finder = Callable[[str], Iterable[re.Match[str]]]


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
        self._rules = [(rule, _finder(rule)) for rule in rules]
        self._anchors = re2.Set.SearchSet()
        for rule, _ in self._rules:
            self._anchors.Add(rule.gate or _any_of(rule.anchors))
        self._anchors.Compile()

    def find(self, text: str) -> list[Secret]:
        """The secrets in `text`, in the order of the rules."""
        known = text.encode(errors="replace")
        running = sorted(self._anchors.Match(known) or ())
        if not text.isascii():
            text = known.decode()  # without lone surrogates, as RE2 needs it
        return [secret for number in running for secret in _matches(self._rules[number], text)]


def _any_of(anchors: Iterable[str]) -> str:
    return f"(?i)(?:{'|'.join(map(re2.escape, anchors))})"


def _finder(rule: Rule) -> Finder:
    pattern = re.compile(rule.pattern)
    if not rule.at_anchor:
        return pattern.finditer
    anchor = re2.compile(_any_of(rule.anchors))

    def find(text: str) -> Iterator[re.Match[str]]:
        done = 0
        for hit in anchor.finditer(text):
            match = pattern.match(text, hit.start()) if hit.start() >= done else None
            if match:
                done = match.end()
                yield match

    return find


def _matches(ruled: tuple[Rule, Finder], text: str) -> Iterator[Secret]:
    rule, find = ruled
    if rule.is_container:
        yield from _within(rule, find, text)
        return
    for match in find(text):
        span = match.span("secret" if "secret" in match.re.groupindex else 0)
        for start, end in values_below(text, *span) if rule.is_column else (span,):
            score = rule.score
            if rule.check and not CHECKS[rule.check](text[start:end]):
                score = rule.unchecked_score
            if score > 0:
                yield Secret(rule, start, end, score)


def _within(rule: Rule, find: Finder, text: str) -> Iterator[Secret]:
    """The secrets among the values of containers. Beside two that are, plain words are, too, if those are fewer."""
    done = 0
    for match in find(text):
        if match.start() < done:
            continue
        spans, done = values_within(text, *match.span())
        secrets = {span for span in spans if CHECKS[rule.check](text[slice(*span)])}
        if len(secrets) >= max(2, len(spans) / 2):
            secrets |= {span for span in spans if is_word(text[slice(*span)])}
        for start, end in sorted(secrets):
            yield Secret(rule, start, end, rule.score)
