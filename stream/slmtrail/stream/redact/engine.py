"""The analyser: what Presidio's `AnalyzerEngine` finds with the same registry, and secrets, in one pass.

A gate says which patterns can match and where; the recognisers' own patterns, checks and context words then
run there alone. A recogniser that is more than patterns runs on every text, as it is.
"""

from __future__ import annotations

import importlib.metadata
import time
from typing import Any, NamedTuple

from presidio_analyzer import EntityRecognizer, RecognizerRegistry
from presidio_analyzer.nlp_engine import NlpEngine

from slmtrail.core.errors import SettingsError
from slmtrail.core.secrets.catalogue import RULES, VERSION
from slmtrail.stream.redact.allow import AllowList
from slmtrail.stream.redact.context import Words
from slmtrail.stream.redact.finding import Finding
from slmtrail.stream.redact.options import RedactOptions
from slmtrail.stream.redact.patterns import PatternTable
from slmtrail.stream.redact.plans import AsItIs, Plan, boosted, plan
from slmtrail.stream.redact.presidio import TokenNlpEngine, build_registry, split_types
from slmtrail.stream.redact.results import Result, without_duplicates
from slmtrail.stream.redact.secret_plan import SecretPlan
from slmtrail.stream.redact.seen import Context, Seen
from slmtrail.stream.redact.text import without_surrogates


class Engine:
    """Finds personal data and secrets in texts. Slow to make (seconds); not for two threads at once."""

    def __init__(self, options: RedactOptions, gate: str | None = None) -> None:
        self._version = f"presidio-{importlib.metadata.version('presidio-analyzer')}"
        self._table = PatternTable(options.deadline_ms / 1000, gate)
        registry = build_registry(options)
        self._names = _names(options)
        if self._names:
            for language in options.languages:
                for recognizer in self._names.recognizers(language):
                    registry.add_recognizer(recognizer)
        types, secret_types = split_types(options, registry)
        self._languages = [
            _Language(language, registry, types, options, self._table, self._names)
            for language in options.languages
            if types is None or types
        ]
        self._secrets = SecretPlan(self._table, secret_types) if options.secrets else None
        self.secret_types = frozenset(rule.type for rule in RULES)
        self._allow = AllowList(options)
        self._table.close()
        for made in self._languages:
            made.close(self._table.gate.gated)

    @property
    def finds_names(self) -> bool:
        """Whether names and places are found: only with a model."""
        return self._names is not None

    def prepare(self, texts: list[str]) -> None:
        """Tells which texts are about to be looked at, so that a model can take them together."""
        if self._names:
            self._names.forget()
            for language in self._languages:
                self._names.prepare([without_surrogates(text) for text in texts], language.code)

    @property
    def gate_name(self) -> str:
        """Which engine gates: hyperscan, re2 or none."""
        return self._table.gate.name

    @property
    def ungated(self) -> list[str]:
        """Patterns and recognisers that run on every text."""
        whole = [name for language in self._languages for name in language.ungated]
        return sorted({*self._table.ungated, *whole})

    def costs(self, text: str) -> list[tuple[str, float]]:
        """What looking at a text costs, part by part, in microseconds; most first."""
        text = without_surrogates(text)
        start = time.perf_counter()
        seen = self._table.look(text)
        spent = [(f"gate ({self.gate_name})", time.perf_counter() - start)]
        for language in self._languages:
            spent += language.costs(seen)
        if self._secrets:
            start = time.perf_counter()
            self._secrets.find(seen)
            spent.append(("secret rules", time.perf_counter() - start))
        return sorted(((name, seconds * 1e6) for name, seconds in spent), key=lambda item: -item[1])

    def find(self, text: str) -> list[Finding]:
        """The findings in a text, all languages together."""
        text = without_surrogates(text)
        seen = self._table.look(text)
        found: dict[tuple[str, int, int], Finding] = {}
        for language in self._languages:
            for r in language.find(seen):
                known = found.get((r.type, r.start, r.end))
                if known is None or known.score < r.score:
                    found[r.type, r.start, r.end] = Finding(
                        r.type, r.start, r.end, r.score, r.rule, self._version, r.context
                    )
        findings = list(found.values())
        if self._secrets:
            findings += [
                Finding(s.rule.type, s.start, s.end, s.score, s.rule.name, VERSION) for s in self._secrets.find(seen)
            ]
        return self._allow.without_allowed(text, findings)


class _Planned(NamedTuple):
    """A recogniser as it runs, its context words, the one of them that settings say, and thresholds by type."""

    plan: Plan
    context: Context
    said: str
    thresholds: dict[str, float]


class _Language:
    """The recognisers of one language, and the words around what they find."""

    def __init__(
        self,
        language: str,
        registry: RecognizerRegistry,
        types: list[str] | None,
        options: RedactOptions,
        table: PatternTable,
        names: Any,
    ) -> None:
        self.code = language
        self._names = names
        self._options = options
        self._nlp: NlpEngine | None = None
        recognizers: list[Any] = registry.get_recognizers(language, entities=types, all_fields=types is None)
        recognizers.sort(key=list(registry.recognizers).index)
        self._plans: list[_Planned] = []
        for recognizer in recognizers:
            if type(recognizer).enhance_using_context is not EntityRecognizer.enhance_using_context:
                raise SettingsError(
                    f"redact: recogniser {recognizer.name} weighs context words by itself, which is not supported; "
                    "take it out of the registry"
                )
            thresholds = {type_: _threshold(recognizer, type_, options) for type_ in recognizer.supported_entities}
            least = min(thresholds.values(), default=0.0)
            made = plan(recognizer, table, least, options.context, self._artifacts)
            context = table.context(recognizer.context or ())
            said = next((word for word in context.words if any(word in other.lower() for other in options.context)), "")
            self._plans.append(_Planned(made, context, said, thresholds))
        self._words = Words(language)

    @property
    def ungated(self) -> list[str]:
        """Recognisers that run on every text."""
        return [made.plan.recognizer.name for made in self._plans if isinstance(made.plan, AsItIs)]

    def close(self, gated: frozenset[int]) -> None:
        """Notes which recognisers run where the gate saw what."""
        self._always: list[int] = []
        self._by_number: dict[int, list[int]] = {}
        for place, made in enumerate(self._plans):
            if all(number in gated for number in made.plan.numbers):
                for number in made.plan.numbers:
                    self._by_number.setdefault(number, []).append(place)
            else:
                self._always.append(place)

    def find(self, seen: Seen) -> list[Result]:
        """What `AnalyzerEngine.analyze` gives for this language."""
        kept: list[Result] = []
        running = set(self._always)
        for number in self._by_number.keys() & seen.hits.keys():
            running.update(self._by_number[number])
        for place in sorted(running):
            made = self._plans[place]
            for result in made.plan.results(seen):
                if result.score < 1.0 and made.context.words:
                    self._weigh(seen, result, made)
                if result.score >= made.thresholds.get(result.type, self._options.threshold):
                    kept.append(result)
        return without_duplicates(kept)

    def costs(self, seen: Seen) -> list[tuple[str, float]]:
        """Seconds each recogniser takes, its context words with it."""
        spent = []
        for made in self._plans:
            start = time.perf_counter()
            for result in made.plan.results(seen):
                if result.score < 1.0 and made.context.words:
                    self._weigh(seen, result, made)
            spent.append((f"{made.plan.recognizer.name} ({self.code})", time.perf_counter() - start))
        return spent

    def _weigh(self, seen: Seen, result: Result, made: _Planned) -> None:
        """Raises the score if a context word stands nearby, or is said to."""
        word = made.said
        if not word:
            if self._names and self._names.gives_words:
                near = self._names.around(seen.text, result.start, result.end, self.code)
                word = next((word for word in made.context.words if any(word in other for other in near)), "")
            else:
                word = seen.one_around(self._words, result.start, made.context)
        if word:
            result.score = boosted(result.score)
            result.context = word

    def _artifacts(self, seen: Seen) -> Any:
        artifacts = seen.artifacts.get(self.code)
        if artifacts is None and self._names and self._names.gives_words:
            artifacts = self._names.artifacts(seen.text, self.code)
        if artifacts is None:
            if self._nlp is None:
                self._nlp = TokenNlpEngine([self.code])
            artifacts = seen.artifacts[self.code] = self._nlp.process_text(seen.text, self.code)
        return artifacts


def _names(options: RedactOptions) -> Any:
    if options.ner is None:
        return None
    from slmtrail.stream.redact.ner import Names

    return Names(options)


def _threshold(recognizer: Any, type_: str, options: RedactOptions) -> float:
    own: dict[str, float] = recognizer.score_thresholds
    usual = own.get(type_, own.get("default", options.threshold))
    return max(usual, options.thresholds.get(type_, 0.0))
