"""Redacts an event: a pure function of the event, the options and the pseudonym key. It never raises."""

from __future__ import annotations

import contextlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate
from typing import Any, Protocol

from slmtrail.core import canonical
from slmtrail.core.fields import FIELDS
from slmtrail.stream.redact import pairs
from slmtrail.stream.redact.escapes import Unescaped, has_escapes
from slmtrail.stream.redact.finding import Finding
from slmtrail.stream.redact.operators import LABELS, STRICTNESS, WITHHELD, KeyedHash, mask
from slmtrail.stream.redact.options import Action, RedactOptions
from slmtrail.stream.redact.walk import Leaf, hashed, walk, withheld

_MIN_REPEAT_CHARS = 5
_MAX_ESCAPES = 4
_MAX_REPEAT_WORK_CHARS = 400_000_000
_SHORT_CHARS = 64
_SHORT_TEXTS = 4096
_WITH_TEXTS = (str, list, dict)
_UNKNOWN = ("json", "replace")


class Analyzer(Protocol):
    """Finds personal data and secrets in one text. It may raise."""

    secret_types: frozenset[str]

    @property
    def finds_names(self) -> bool:
        """Whether names and places are found."""
        ...

    def prepare(self, texts: list[str]) -> None:
        """Tells which texts are about to be looked at."""
        ...

    def find(self, text: str) -> list[Finding]:
        """The findings in `text`, in no particular order."""
        ...


@dataclass(slots=True)
class _Plan:
    """What is known of one leaf after the first pass."""

    leaf: Leaf
    findings: list[Finding]
    error: str = ""
    continued: int = 0
    """Where a finding ends that began in the leaf before."""
    split: dict[Finding, str] = field(default_factory=dict)
    """The whole value of a finding that goes on in the next leaf."""

    @property
    def clean(self) -> bool:
        """Whether its text stays as it is."""
        return not (self.findings or self.continued or self.error)


class Redactor:
    """Takes personal data and secrets out of events. Slow to make (seconds); one a process."""

    def __init__(
        self,
        options: RedactOptions,
        pseudonym_key: bytes,
        key_epoch: int = 1,
        analyzer: Analyzer | None = None,
    ) -> None:
        self.analyzer: Analyzer = analyzer or _engine(options)
        self._options = options
        self._hash = KeyedHash(pseudonym_key, key_epoch)
        self._find_short = lru_cache(_SHORT_TEXTS)(lambda text: self.analyzer.find(text))
        self._treatments = {name: (row.type, options.fields.get(name, row.treatment)) for name, row in FIELDS.items()}

    @property
    def finds_names(self) -> bool:
        """Whether names and places are found: only where a model is set."""
        return self.analyzer.finds_names

    def find(self, text: str) -> list[Finding]:
        """The findings in a text. Short ones, like the names of users and models, come again and again."""
        return self._find_short(text) if len(text) <= _SHORT_CHARS else self.analyzer.find(text)

    def redact(
        self,
        event: dict[str, Any],
        withhold: Mapping[int, str] | None = None,
        on_text: Callable[[int], None] = lambda _: None,
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The redacted event, and what was found: `{path, type, start, end, score, rule, version, operator}`.

        start, end: characters of the text at `path` as it was. withhold: numbers of texts that are not looked
        at but replaced whole, and why; on_text: told the number of each text before it is looked at.
        """
        return _Record(self, withhold or {}, on_text).redact(event)

    def redact_text(
        self, text: str, withhold: Mapping[int, str] | None = None, on_text: Callable[[int], None] = lambda _: None
    ) -> tuple[str, list[Finding]]:
        """A text by itself, as it is: JSON in it is text. It never raises either."""
        return _Record(self, withhold or {}, on_text).redact_text(text)


def _engine(options: RedactOptions) -> Analyzer:
    # Presidio is imported here and not above: it takes a second and 100 MB.
    from slmtrail.stream.redact.engine import Engine

    return Engine(options)


class _Record:
    """The state of one call: numbers given, findings made."""

    def __init__(self, redactor: Redactor, withhold: Mapping[int, str], on_text: Callable[[int], None]) -> None:
        self._analyzer = redactor.analyzer
        self._find = redactor.find
        self._options = redactor._options
        self._hash = redactor._hash
        self._treatments = redactor._treatments
        self._withhold = withhold
        self._on_text = on_text
        self._texts = 0
        self._plans: list[_Plan] = []
        self._numbers: dict[tuple[str, str], int] = {}
        self._counts: dict[str, int] = {}
        self._found: list[dict[str, Any]] = []

    def redact(self, event: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        plans: dict[str, list[_Plan]] = {}
        broken: dict[str, str] = {}
        if self._analyzer.finds_names and not self._withhold:  # what was fatal once is not tried in one piece again
            self._prepare(event)
        treatments = [(name, *self._treatments.get(name, _UNKNOWN)) for name in sorted(event)]
        for name, type_, treatment in treatments:
            value = event[name]
            if treatment not in ("replace", "pseudonym") or not isinstance(value, _WITH_TEXTS):
                continue
            self._plans = plans[name] = []
            try:
                walk(name, type_, treatment, value, self._collect)
                if len(self._plans) > 1:
                    self._join_runs(self._plans)
            except Exception as error:
                broken[name] = type(error).__name__
        self._add_repeats([plan for field_plans in plans.values() for plan in field_plans])
        redacted: dict[str, Any] = {}
        for name, type_, treatment in treatments:
            if treatment == "drop":
                continue
            value = event[name]
            if treatment == "hash" and isinstance(value, _WITH_TEXTS):
                redacted[name] = hashed(type_, value, self._hash)
            elif name in broken:
                redacted.update(self._withheld_field(name, type_, broken[name]))
            elif name in plans and any(not plan.clean for plan in plans[name]):
                remaining = iter(plans[name])

                def visit(leaf: Leaf, remaining: Iterator[_Plan] = remaining) -> str:
                    return self._apply(leaf, next(remaining))

                try:
                    redacted[name] = walk(name, type_, treatment, value, visit)
                except Exception as error:
                    redacted.update(self._withheld_field(name, type_, type(error).__name__))
            else:
                redacted[name] = value
        return redacted, self._found

    def redact_text(self, text: str) -> tuple[str, list[Finding]]:
        leaf = Leaf("", text)
        findings, error = self._look(text)
        redacted = self._apply(leaf, _Plan(leaf, findings, error))
        return redacted, [Finding("WITHHELD", 0, len(text), 1.0, error)] if error else findings

    # The first pass: look at every text.

    def _prepare(self, event: dict[str, Any]) -> None:
        texts: list[str] = []

        def visit(leaf: Leaf) -> str:
            if not leaf.blob:
                texts.append(_with_key(leaf.text, leaf.key))
            return leaf.text

        # What goes wrong here goes wrong again where the text is looked at, and is dealt with there.
        with contextlib.suppress(Exception):
            for name in sorted(event):
                type_, treatment = self._treatments.get(name, _UNKNOWN)
                if treatment in ("replace", "pseudonym") and isinstance(event[name], _WITH_TEXTS):
                    walk(name, type_, treatment, event[name], visit)
            self._analyzer.prepare(texts)

    def _collect(self, leaf: Leaf) -> str:
        if leaf.blob:
            self._plans.append(_Plan(leaf, [], "blob"))
            return leaf.text
        text = _with_key(leaf.text, leaf.key)
        findings, error = self._look(text, with_escapes=True)
        findings = _without_key(findings, leaf.key)
        self._plans.append(_Plan(leaf, findings, error))
        return leaf.text

    def _look(self, text: str, *, with_escapes: bool = False) -> tuple[list[Finding], str]:
        number = self._texts
        self._texts += 1
        withheld_for = self._withhold.get(number)
        if withheld_for:
            return [], withheld_for
        if not text:
            return [], ""
        self._on_text(number)
        try:
            return self._counted(self._found_in(text, _MAX_ESCAPES if with_escapes else 0)), ""
        except Exception as error:
            return [], f"error:{type(error).__name__}"

    def _found_in(self, text: str, escapes: int) -> list[Finding]:
        """The findings in a text, and in what it says, if it has escapes in escapes, so many times over."""
        findings = self._find(text)
        findings += self._named(text, {(found.start, found.end) for found in findings})
        if not escapes or not has_escapes(text):
            return findings
        unescaped = Unescaped(text)
        if not unescaped.text:
            return findings
        said = [unescaped.in_escaped(found) for found in self._found_in(unescaped.text, escapes - 1)]
        return list(dict.fromkeys([*map(unescaped.without_halves, findings), *said]))

    def _named(self, text: str, known: set[tuple[int, int]]) -> list[Finding]:
        """What else is found in a text because of the names that stand beside values, where JSON is a part of it."""
        named: dict[Finding, None] = {}
        for name, value in pairs.in_text(text):
            for found in _without_key(self._find(_with_key(value, name)), name):
                said = value[found.start : found.end]
                for start in _places(text, said):
                    if (start, start + len(said)) not in known:
                        named[found._replace(start=start, end=start + len(said))] = None
        return list(named)

    def _counted(self, findings: list[Finding]) -> list[Finding]:
        return [found for found in findings if found.score >= self._options.threshold_of(found.type)]

    def _join_runs(self, plans: list[_Plan]) -> None:
        """Finds what is split over neighbouring chunks, and gives each chunk its part of it."""
        for run in _runs(plans):
            joined = "".join(plan.leaf.text for plan in run)
            findings, error = self._look(joined, with_escapes=True)
            starts = list(accumulate((len(plan.leaf.text) for plan in run), initial=0))
            known = [set(plan.findings) for plan in run]
            for plan in run:
                plan.error = plan.error or error
            for found in findings:
                for place in range(bisect_right(starts, found.start) - 1, bisect_left(starts, found.end)):
                    plan, begin, end = run[place], starts[place], starts[place + 1]
                    if found.start < begin:
                        if self._operator(found.type) != "keep":
                            plan.continued = max(plan.continued, min(found.end, end) - begin)
                        continue
                    part = found._replace(start=found.start - begin, end=min(found.end, end) - begin)
                    if found.end > end:
                        plan.split[part] = joined[found.start : found.end]
                    # Even of a finding within one chunk, what makes it one may stand in another.
                    if part not in known[place]:
                        known[place].add(part)
                        plan.findings.append(part)

    def _add_repeats(self, plans: list[_Plan]) -> None:
        """A value found once is taken out wherever else it stands in the record, whatever stands beside it."""
        values: dict[str, Finding] = {}
        for plan in plans:
            for found in plan.findings:
                value = plan.split.get(found) or plan.leaf.text[found.start : found.end]
                if len(value) >= _MIN_REPEAT_CHARS and self._operator(found.type) != "keep":
                    values.setdefault(value, found)
        if not values:
            return
        joined = "\0".join(plan.leaf.text for plan in plans)
        if len(values) * len(joined) > _MAX_REPEAT_WORK_CHARS:
            return
        begins = list(accumulate((len(plan.leaf.text) + 1 for plan in plans), initial=0))
        known = [{(found.start, found.end) for found in plan.findings} for plan in plans]
        for value, found in values.items():
            for start in _places(joined, value):
                place = bisect_right(begins, start) - 1
                span = (start - begins[place], start - begins[place] + len(value))
                if span not in known[place] and span[1] <= len(plans[place].leaf.text):
                    known[place].add(span)
                    repeat = found._replace(start=span[0], end=span[1], rule=f"repeat/{found.rule}")
                    plans[place].findings.append(repeat)

    # The second pass: put something in its place.

    def _apply(self, leaf: Leaf, plan: _Plan) -> str:
        text = leaf.text
        if plan.clean:
            return text
        if plan.error:
            self._note(leaf, Finding("WITHHELD", 0, len(text), 1.0, plan.error), "drop")
            return WITHHELD
        operators = {found: self._operator(found.type) for found in plan.findings}
        removed = sorted((f for f in plan.findings if operators[f] != "keep"), key=lambda f: (f.start, -f.end))
        if leaf.treatment == "pseudonym" and removed:
            for found in sorted(plan.findings, key=_order):
                self._note(leaf, found, "hash")
            return self._hash.text(text)
        for found in sorted(plan.findings, key=_order):
            self._note(leaf, found, operators[found])
        pieces: list[str] = []
        done = plan.continued
        for group in _groups(removed):
            start, end = group[0].start, max(found.end for found in group)
            if end <= done:
                continue
            value = next((plan.split[found] for found in group if found in plan.split), text[start:end])
            pieces += text[done:start], self._in_place_of(value, group, operators)
            done = end
        return "".join(pieces) + text[done:] if pieces or done else text

    def _in_place_of(self, value: str, group: list[Finding], operators: dict[Finding, Action]) -> str:
        lead = max(group, key=lambda found: (found.score, found.end - found.start, found.type))
        operator = min((operators[found] for found in group), key=STRICTNESS.__getitem__)
        label = LABELS.get(lead.type, lead.type)
        if operator == "replace":
            return f"<{label}_{self._number(label, value)}>"
        if operator == "hash":
            return f"<{label}:{self._hash.text(value)}>"
        return mask(value) if operator == "mask" else ""

    def _number(self, label: str, value: str) -> int:
        if (label, value) not in self._numbers:
            self._counts[label] = self._numbers[label, value] = self._counts.get(label, 0) + 1
        return self._numbers[label, value]

    def _operator(self, type_: str) -> Action:
        operators = self._options.operators
        if type_ not in operators and type_ in self._analyzer.secret_types:
            type_ = "SECRET"
        return operators.get(type_, self._options.operator)

    def _note(self, leaf: Leaf, found: Finding, operator: Action) -> None:
        self._found.append(
            {
                "path": leaf.path,
                "type": found.type,
                "start": found.start,
                "end": found.end,
                "score": canonical.decimal(found.score, "score"),
                "rule": found.rule,
                "version": found.version,
                "operator": operator,
            }
        )

    def _withheld_field(self, name: str, type_: str, error: str) -> dict[str, Any]:
        self._note(Leaf(name, ""), Finding("WITHHELD", 0, 0, 1.0, f"error:{error}"), "drop")
        return withheld(name, type_)


def _with_key(text: str, key: str) -> str:
    """The text behind the key it stands under, which is context; on a line of its own."""
    return f"{key}:\n{text}" if key else text


def _without_key(findings: list[Finding], key: str) -> list[Finding]:
    """What was found in a text behind its key, as findings in the text."""
    if not key:
        return findings
    shift = len(_with_key("", key))
    return [
        found._replace(start=max(found.start - shift, 0), end=found.end - shift)
        for found in findings
        if found.end > shift
    ]


def _runs(plans: list[_Plan]) -> Iterator[list[_Plan]]:
    run: list[_Plan] = []
    for plan in plans:
        if not run or plan.leaf.run != run[0].leaf.run or not plan.leaf.run:
            if len(run) > 1:
                yield run
            run = []
        if plan.leaf.run:
            run.append(plan)
    if len(run) > 1:
        yield run


def _places(text: str, value: str) -> Iterator[int]:
    start = text.find(value)
    while start >= 0:
        end = start + len(value)
        joined_left = start > 0 and text[start - 1].isalnum() and value[0].isalnum()
        joined_right = end < len(text) and text[end].isalnum() and value[-1].isalnum()
        if not joined_left and not joined_right:
            yield start
        start = text.find(value, end)


def _groups(findings: list[Finding]) -> Iterator[list[Finding]]:
    """Findings that overlap, together; `findings` are sorted by their start."""
    group: list[Finding] = []
    end = -1
    for found in findings:
        if group and found.start >= end:
            yield group
            group = []
        end = max(end, found.end) if group else found.end
        group.append(found)
    if group:
        yield group


def _order(found: Finding) -> tuple[int, int, str, str]:
    return (found.start, found.end, found.type, found.rule)
