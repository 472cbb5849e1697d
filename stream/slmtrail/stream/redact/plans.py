"""How each recogniser of the registry runs: by its gated patterns where it is made of patterns, as it is else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from presidio_analyzer import PatternRecognizer
from presidio_analyzer.predefined_recognizers import IbanRecognizer, PhoneRecognizer

from slmtrail.stream.redact import phone_plans, phones
from slmtrail.stream.redact.checks import check
from slmtrail.stream.redact.patterns import PatternTable
from slmtrail.stream.redact.phone_gate import three_digits
from slmtrail.stream.redact.results import Result, without_duplicates
from slmtrail.stream.redact.seen import Seen

Artifacts = Callable[[Seen], Any]

ALWAYS = -1
"""The number of what no gate covers."""

BOOST = 0.35
BOOSTED_AT_LEAST = 0.4
"""What a context word adds to a score, and the least that it makes of it."""


def boosted(score: float) -> float:
    """A score with a context word beside it."""
    return min(max(score + BOOST, BOOSTED_AT_LEAST), 1.0)


class Plan(Protocol):
    """One recogniser, as it runs here."""

    recognizer: Any
    numbers: list[int]
    """The gate's numbers of which one is in every text that it finds something in."""

    def results(self, seen: Seen) -> list[Result]:
        """What the recogniser's `analyze` gives, but for results that can't reach the threshold."""
        ...


def plan(
    recognizer: Any,
    table: PatternTable,
    threshold: float,
    said_words: Sequence[str],
    artifacts: Artifacts,
) -> Plan:
    """The fastest plan that gives what the recogniser gives. said_words: context words of every text."""
    kind = type(recognizer)
    if kind.analyze is PatternRecognizer.analyze:
        return PatternPlan(recognizer, table, threshold, said_words)
    if kind is IbanRecognizer and len(recognizer.patterns) == 1:
        return IbanPlan(recognizer, table)
    if kind is PhoneRecognizer and recognizer.leniency == phone_plans.VALID:
        return PhonePlan(recognizer, table)
    return AsItIs(recognizer, artifacts)


class PatternPlan:
    """A recogniser that is patterns and checks of what they match."""

    def __init__(self, recognizer: Any, table: PatternTable, threshold: float, said_words: Sequence[str]) -> None:
        self.recognizer = recognizer
        self._table = table
        self._type = recognizer.supported_entities[0]
        self._validate = check(recognizer, "validate_result")
        self._invalidate = check(recognizer, "invalidate_result")
        self._context = table.context(recognizer.context or ())
        always = any(word in said.lower() for said in said_words for word in self._context.words)
        self._entries: list[tuple[int, int, str, float, bool]] = []
        for pattern in recognizer.patterns:
            weak = self._validate is None and pattern.score < threshold
            if weak and (not self._context.words or boosted(pattern.score) < threshold):
                continue
            name = f"{recognizer.name}/{pattern.name}"
            number = table.add(pattern.regex, int(recognizer.global_regex_flags), name)
            self._entries.append((table.gate_number(number), number, name, pattern.score, weak and not always))
        self.numbers = [entry[0] for entry in self._entries]

    def results(self, seen: Seen) -> list[Result]:
        """The matches that pass the checks."""
        found: list[Result] = []
        alone = True
        hits, gated = seen.hits, self._table.gate.gated
        is_checked = self._validate is not None or self._invalidate is not None
        for gate, number, name, base, needs_context in self._entries:
            if gate not in hits and gate in gated:
                continue
            if needs_context and not seen.present(self._context):
                continue
            alone = not found
            for start, end in self._table.spans(seen, number):
                score = self._checked(seen.text[start:end], base) if is_checked else base
                if score > 0:
                    found.append(Result(self._type, start, end, score, name))
        # The matches of one pattern don't overlap.
        return found if alone else without_duplicates(found)

    def _checked(self, value: str, score: float) -> float:
        if self._validate:
            valid = self._validate(value)
            if valid is not None:
                score = 1.0 if valid else 0.0
        return 0.0 if self._invalidate and self._invalidate(value) else score


class IbanPlan:
    """The IBAN recogniser, which tries shorter ends of a match: the longest one whose check digits are right counts."""

    def __init__(self, recognizer: Any, table: PatternTable) -> None:
        self.recognizer = recognizer
        self._table = table
        pattern = recognizer.patterns[0]
        self._name = f"{recognizer.name}/{pattern.name}"
        self._score = pattern.score
        self._validate = check(recognizer, "validate_result")
        self._number = table.add(pattern.regex, int(recognizer.global_regex_flags), self._name)
        self.numbers = [self._number]

    def results(self, seen: Seen) -> list[Result]:
        """One for each match that has a right end."""
        found: list[Result] = []
        for match in self._table.matches(seen, self._number):
            start = match.start()
            for group in range(len(match.groups()), 0, -1):
                end = match.end(group) if match.end(group) > 0 else match.end()
                value = seen.text[start:end]
                valid = self._validate(value) if value and self._validate else False
                score = self._score if valid is None else float(bool(valid))
                if score > 0:
                    found.append(Result(self.recognizer.supported_entities[0], start, end, score, self._name))
                    break
        return found


class PhonePlan:
    """The phone recogniser: one walk over the text for all of its regions."""

    def __init__(self, recognizer: Any, table: PatternTable) -> None:
        self.recognizer = recognizer
        self._regions = tuple(recognizer.supported_regions)
        self._finder = phones.PhoneFinder(self._regions)
        self._name = f"{recognizer.name}/phonenumbers"
        self.numbers = [table.add_gate(three_digits(), once=True)]

    def results(self, seen: Seen) -> list[Result]:
        """The numbers of all regions."""
        key = ("phones", self._regions)
        spans = seen.memo.get(key)
        if spans is None:
            spans = seen.memo[key] = sorted(self._finder.spans(seen.text))
        type_, score = self.recognizer.supported_entities[0], self.recognizer.SCORE
        return without_duplicates([Result(type_, start, end, score, self._name) for start, end in spans])


class AsItIs:
    """A recogniser that is more than patterns: it runs on every text."""

    def __init__(self, recognizer: Any, artifacts: Artifacts) -> None:
        self.recognizer = recognizer
        self.numbers = [ALWAYS]
        self._artifacts = artifacts

    def results(self, seen: Seen) -> list[Result]:
        """What `analyze` gives."""
        recognizer = self.recognizer
        if not recognizer.is_loaded:
            recognizer.load()
            recognizer.is_loaded = True
        found = recognizer.analyze(
            text=seen.text, entities=recognizer.supported_entities, nlp_artifacts=self._artifacts(seen)
        )
        return [
            Result(r.entity_type, r.start, r.end, r.score, f"{recognizer.name}/{_pattern_of(r)}") for r in found or ()
        ]


def _pattern_of(result: Any) -> str:
    explanation = result.analysis_explanation
    return (explanation and explanation.pattern_name) or "code"
