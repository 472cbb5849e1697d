"""What charts are drawn of: numbers here, lines in the templates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from slmtrail.app.web.render import link, moment
from slmtrail.core.ports import Histogram

BARS = 72
"""Of a histogram at most; less where a step of time says more."""

HEIGHT = 100


@dataclass(frozen=True, slots=True)
class Bar:
    """A step of time: its place among the others, how high it is, and how much of it went wrong."""

    place: int
    height: float
    wrong: float
    count: int
    wrong_count: int
    since: str
    until: str
    link: str


@dataclass(frozen=True, slots=True)
class Bars:
    """A histogram over time, from the first step with anything in it to the last."""

    bars: list[Bar]
    steps: int
    most: int
    since: str
    until: str


@dataclass(frozen=True, slots=True)
class Row:
    """A value and how frequent it is; `share` is of the most frequent."""

    name: str
    count: int
    share: float
    link: str


def bars(whole: Histogram, wrong: Histogram, path: str, filters: Mapping[str, str]) -> Bars | None:
    """Bars that each lead to its time; None where nothing fits. Both histograms may differ in their steps."""
    if not whole.counts:
        return None
    first, last, most = min(whole.counts), max(whole.counts), max(whole.counts.values())
    beside = dict.fromkeys(whole.counts, 0)
    for start, count in wrong.counts.items():
        step = start // whole.step_ms * whole.step_ms
        if step in beside:
            beside[step] += count
    drawn = []
    for start, count in sorted(whole.counts.items()):
        since, until = moment(start), moment(start + whole.step_ms)
        drawn.append(
            Bar(
                (start - first) // whole.step_ms,
                max(count / most * HEIGHT, 2),
                min(beside[start], count) / most * HEIGHT,
                count,
                min(beside[start], count),
                since,
                until,
                link(path, {**filters, "since": since, "until": until}),
            )
        )
    return Bars(drawn, (last - first) // whole.step_ms + 1, most, moment(first), moment(last + whole.step_ms))


def rows(counts: Mapping[str, int], path: str, filters: Mapping[str, str], name: str) -> list[Row]:
    """Values, the most frequent first; each leads to what has it."""
    most = max(counts.values(), default=1)
    return [
        Row(value, count, count / most, link(path, {**filters, name: value}))
        for value, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    ]
