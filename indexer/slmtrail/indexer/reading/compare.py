"""Two models, or two versions of one, side by side: what each did, what differs by more than chance, and what about
their configuration differed."""

from __future__ import annotations

import dataclasses
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from slmtrail.core import likeness
from slmtrail.core.ports import Query
from slmtrail.core.said import answer, blocked, prompt, refused
from slmtrail.indexer.reading import measure
from slmtrail.indexer.reading.walk import Search, quoted, walk

MAX_RECORDS = 100_000
"""Of each side; of more, the newest count."""

MAX_PROMPTS = 5000
"""Prompts of each side that are held against those of the other."""

MAX_VALUES = 8
CONFIG = (
    "slm.model.version slm.model.digest slm.model.quantization slm.model.adapter slm.model.tokenizer "
    "slm.prompt.template_digest gen_ai.prompt.name gen_ai.request.temperature gen_ai.request.top_p "
    "gen_ai.request.top_k gen_ai.request.max_tokens gen_ai.request.seed gen_ai.request.frequency_penalty "
    "gen_ai.request.presence_penalty gen_ai.provider.name service.version server.address"
).split()

_SPREADS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "latency_ms": lambda record: record.get("slm.latency_ms"),
    "first_token_ms": lambda record: record.get("slm.time_to_first_token_ms"),
    "input_tokens": lambda record: record.get("gen_ai.usage.input_tokens"),
    "output_tokens": lambda record: record.get("gen_ai.usage.output_tokens"),
    "answer_characters": lambda record: len(text) if (text := answer(record)) else None,
}
_SHARES: dict[str, Callable[[dict[str, Any]], bool]] = {
    "failed": lambda record: record["event.outcome"] == "failure" and not blocked(record),
    "blocked": blocked,
    "refused": refused,
    "with_findings": lambda record: bool(record.get("slm.findings.count")),
    "flagged": lambda record: bool(record.get("slm.flags")),
}


@dataclass(frozen=True, slots=True)
class Share:
    """How many of the records of each side are so."""

    name: str
    one: int
    other: int
    p: float
    """How often chance alone makes such a difference."""
    differs: bool
    """Whether that is so seldom that there is one."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How a number lies on each side, in percentiles."""

    name: str
    one: dict[str, float]
    other: dict[str, float]
    p: float
    """How often chance alone makes such a difference."""
    differs: bool
    """Whether that is so seldom that there is one."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Nearly the same prompt, and what either side answered."""

    one: str
    other: str
    prompt: str
    alike: float
    """How alike the answers are."""


@dataclass(frozen=True, slots=True)
class Side:
    """What was looked at of one model."""

    name: str
    records: int
    cut: bool
    """Whether there are more, older ones."""
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two sides, and all that was held against each other."""

    one: Side
    other: Side
    shares: list[Share]
    spreads: list[Spread]
    pairs: int
    """Prompts that nearly the same were put to both."""
    answers_alike: float | None
    """The median of how alike the answers to these are, between 0 and 1."""
    furthest: list[Pair]
    """Where the answers are least alike."""
    config: dict[str, tuple[dict[str, int], dict[str, int]]]
    """What differed in configuration: its values on either side, and in how many records each."""


@dataclass(slots=True)
class _Seen:
    name: str
    counts: Counter[str] = field(default_factory=Counter)
    kinds: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    values: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    config: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    asked: list[dict[str, Any]] = field(default_factory=list)
    records: int = 0
    first: str = ""
    last: str = ""

    def side(self, at_most: int) -> Side:
        return Side(self.name, self.records, self.records >= at_most, self.first, self.last)


def compare(search: Search, query: Query, one: str, other: str, at_most: int = MAX_RECORDS) -> Comparison:
    """The records, of those that fit `query`, of one model against those of another; `phi-3@1.2` names a version."""
    first, second = (_seen(search, query, name, at_most) for name in (one, other))
    named = [(name, first.counts[name], second.counts[name]) for name in _SHARES]
    for group in ("finding", "flag"):
        of_one, of_other = first.kinds[group], second.kinds[group]
        named += [(f"{group}:{value}", of_one[value], of_other[value]) for value in sorted({*of_one, *of_other})]
    shares = []
    for name, count, against in named:
        p = measure.shares_differ(count, first.records, against, second.records)
        shares.append(Share(name, count, against, p, p < measure.SURE))
    spreads = []
    for name in _SPREADS:
        mine, theirs = first.values[name], second.values[name]
        if mine or theirs:
            p = measure.values_differ(mine, theirs)
            ends = measure.percentiles(mine), measure.percentiles(theirs)
            spreads.append(Spread(name, *ends, p, p < measure.SURE))
    pairs = _pairs(first.asked, second.asked)
    return Comparison(
        first.side(at_most),
        second.side(at_most),
        shares,
        spreads,
        len(pairs),
        round(statistics.median(pair.alike for pair in pairs), 3) if pairs else None,
        sorted(pairs, key=lambda pair: pair.alike)[:5],
        _config(first, second),
    )


def naming(name: str) -> str:
    """The search for a model, or a version of one, as `phi-3@1.2` says it; a model's own name may hold an @."""
    model, at, version = name.rpartition("@")
    whole = f"model:{quoted(name)}"
    if not (model and at and version):
        return whole
    versions = f"(version:{quoted(version)} or slm.model.digest:{quoted(version)})"
    return f"({whole} or (model:{quoted(model)} {versions}))"


def _seen(search: Search, query: Query, name: str, at_most: int) -> _Seen:
    seen = _Seen(name)
    where = f"({query.where}) {naming(name)}" if query.where else naming(name)
    asked = dataclasses.replace(query, where=where, kind="inference")
    for sealed in walk(search, asked, at_most):
        record = sealed.record
        seen.records += 1
        seen.first, seen.last = record["@timestamp"], seen.last or record["@timestamp"]
        seen.counts.update(share for share, holds in _SHARES.items() if holds(record))
        seen.kinds["finding"].update(record.get("slm.findings.types", ()))
        seen.kinds["flag"].update(record.get("slm.flags", ()))
        for spread, value_of in _SPREADS.items():
            if (value := value_of(record)) is not None:
                seen.values[spread].append(value)
        for setting in CONFIG:
            if setting in record:
                seen.config[setting][str(record[setting])] += 1
        if len(seen.asked) < MAX_PROMPTS and prompt(record) and answer(record):
            seen.asked.append(record)
    for sealed in walk(search, dataclasses.replace(asked, kind="config"), MAX_PROMPTS):
        record = sealed.record
        if digest := record.get("slm.config.digest"):
            seen.config[f"config:{record['slm.config.name']}"][digest] += 1
    return seen


def _pairs(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> list[Pair]:
    """For each different prompt of one side the most alike of the other, where that is nearly the same."""
    by_value: dict[str, list[int]] = defaultdict(list)
    shingles = [likeness.shingles(prompt(record)) for record in other]
    for place, record in enumerate(other):
        for value in likeness.fingerprint(prompt(record)):
            by_value[value].append(place)
    pairs, seen = [], set()
    for record in one:
        text = prompt(record)
        if text in seen:
            continue
        seen.add(text)
        mine = likeness.shingles(text)
        near = {place for value in likeness.fingerprint(text) for place in by_value[value][:50]}
        best = max(near, key=lambda place: (likeness.alike(mine, shingles[place]), -place), default=None)
        if best is not None and likeness.alike(mine, shingles[best]) >= likeness.ALIKE:
            answers = (likeness.shingles(answer(record)), likeness.shingles(answer(other[best])))
            alike = round(likeness.alike(*answers), 3)
            pairs.append(Pair(record["event.id"], other[best]["event.id"], text, alike))
    return pairs


def _config(one: _Seen, other: _Seen) -> dict[str, tuple[dict[str, int], dict[str, int]]]:
    names = dict.fromkeys([*CONFIG, *sorted(one.config), *sorted(other.config)])
    return {
        name: (dict(one.config[name].most_common(MAX_VALUES)), dict(other.config[name].most_common(MAX_VALUES)))
        for name in names
        if one.config[name].keys() != other.config[name].keys()
    }
