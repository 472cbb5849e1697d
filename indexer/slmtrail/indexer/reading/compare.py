"""Two models, or two versions of one, side by side: what each did, what differs by more than chance, and what about
their configuration differed."""

from __future__ import annotations

import contextlib
import dataclasses
import statistics
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from slmtrail.core import likeness
from slmtrail.core.ports import Query
from slmtrail.core.said import answer, blocked, prompt, refused
from slmtrail.indexer.reading import measure
from slmtrail.indexer.reading.walk import UNREADABLE, Search, narrowed, quoted, walk

MAX_RECORDS = 100_000
"""Of each side; of more, the newest count."""

MAX_PROMPTS = 5000
"""Prompts of each side that are held against those of the other."""

MAX_CHANGES = 1000
"""Records of changes on each side: of more, the newest."""

MAX_NEAR = 50
"""Prompts of the other side that one is held against, for each hash of its fingerprint."""

MAX_VALUES = 8
CONFIG = (
    "slm.model.version slm.model.digest slm.model.quantization slm.model.adapter slm.model.tokenizer "
    "slm.prompt.template_digest gen_ai.prompt.name gen_ai.request.temperature gen_ai.request.top_p "
    "gen_ai.request.top_k gen_ai.request.max_tokens gen_ai.request.seed gen_ai.request.frequency_penalty "
    "gen_ai.request.presence_penalty gen_ai.provider.name service.version server.address"
).split()

_SPREADS = {
    "latency_ms": "slm.latency_ms",
    "first_token_ms": "slm.time_to_first_token_ms",
    "input_tokens": "gen_ai.usage.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
}
_ANSWER = "answer_characters"
_SHARES = ("failed", "blocked", "refused", "with_findings", "flagged")


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


class _Asked(NamedTuple):
    id: str
    prompt: str
    answer: str


@dataclass(slots=True)
class _Seen:
    name: str
    counts: Counter[str] = field(default_factory=Counter)
    kinds: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    values: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    config: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    asked: list[_Asked] = field(default_factory=list)
    records: int = 0
    first: str = ""
    last: str = ""

    def take(self, record: dict[str, Any]) -> None:
        """Counts a record, the newest first."""
        said, stopped, failed = answer(record), blocked(record), record["event.outcome"] == "failure"
        self.records += 1
        self.first, self.last = str(record["@timestamp"]), self.last or str(record["@timestamp"])
        self.counts["failed"] += failed and not stopped
        self.counts["blocked"] += stopped
        self.counts["refused"] += refused(record, said)
        self.counts["with_findings"] += bool(record.get("slm.findings.count"))
        self.counts["flagged"] += bool(record.get("slm.flags"))
        for group, name in (("finding", "slm.findings.types"), ("flag", "slm.flags")):
            for value in record.get(name, ()):
                self.kinds[group][str(value)] += 1
        for spread, name in _SPREADS.items():
            if isinstance(record.get(name), int | float):
                self.values[spread].append(record[name])
        if said:
            self.values[_ANSWER].append(len(said))
            if len(self.asked) < MAX_PROMPTS and (text := prompt(record)):
                self.asked.append(_Asked(record["event.id"], text, said))
        for setting in CONFIG:
            if setting in record:
                self.config[setting][str(record[setting])] += 1

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
    for name in (*_SPREADS, _ANSWER):
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
    asked = dataclasses.replace(narrowed(query, naming(name)), kind="inference")
    for sealed in walk(search, asked, at_most):
        with contextlib.suppress(*UNREADABLE):
            seen.take(sealed.record)
    for sealed in walk(search, dataclasses.replace(asked, kind="config"), MAX_CHANGES):
        record = sealed.record
        if digest := record.get("slm.config.digest"):
            seen.config[f"config:{record['slm.config.name']}"][digest] += 1
    return seen


def _pairs(one: list[_Asked], other: list[_Asked]) -> list[Pair]:
    """For each different prompt of one side the most alike of the other, where that is nearly the same."""
    theirs = [(asked, likeness.shingles(asked.prompt)) for asked in _different(other)]
    by_value: dict[int, list[int]] = defaultdict(list)
    for place, (_, shingles) in enumerate(theirs):
        for value in likeness.smallest(shingles):
            by_value[value].append(place)
    pairs = []
    for asked in _different(one):
        mine = likeness.shingles(asked.prompt)
        near = {place for value in likeness.smallest(mine) for place in by_value.get(value, ())[:MAX_NEAR]}
        alike, place = max(((likeness.alike(mine, theirs[place][1]), -place) for place in near), default=(0.0, 0))
        if alike >= likeness.ALIKE:
            best = theirs[-place][0]
            answers = likeness.alike(likeness.shingles(asked.answer), likeness.shingles(best.answer))
            pairs.append(Pair(asked.id, best.id, asked.prompt, round(answers, 3)))
    return pairs


def _different(asked: list[_Asked]) -> list[_Asked]:
    """Of those that ask the very same the first, which is the newest."""
    return list({one.prompt: one for one in reversed(asked)}.values())[::-1]


def _config(one: _Seen, other: _Seen) -> dict[str, tuple[dict[str, int], dict[str, int]]]:
    names = dict.fromkeys([*CONFIG, *sorted(one.config), *sorted(other.config)])
    return {
        name: (dict(one.config[name].most_common(MAX_VALUES)), dict(other.config[name].most_common(MAX_VALUES)))
        for name in names
        if one.config[name].keys() != other.config[name].keys()
    }
