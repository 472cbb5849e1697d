"""Precision, recall and F2 of findings on labelled text."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from slmtrail.stream.redact.finding import Finding

Label = tuple[str, int, int]
Labelled = tuple[str, list[Label]]

_MAX_MISSES = 12
_CHARS_AROUND = 24


@dataclass(slots=True)
class Score:
    """Counts of one type. hit: labels that a finding of their type overlaps; right: such findings."""

    labels: int = 0
    found: int = 0
    hit: int = 0
    right: int = 0

    @property
    def precision(self) -> float | None:
        """The share of findings that are right; None where there are none."""
        return round(self.right / self.found, 4) if self.found else None

    @property
    def recall(self) -> float | None:
        """The share of labels that were found; None where there are none."""
        return round(self.hit / self.labels, 4) if self.labels else None

    @property
    def f2(self) -> float | None:
        """Their mean that counts recall twice: what is not found leaks."""
        if not self.labels:
            return None
        precision, recall = self.precision or 0.0, self.recall or 0.0
        return round(5 * precision * recall / (4 * precision + recall), 4) if precision + recall else 0.0


@dataclass(frozen=True, slots=True)
class Miss:
    """A label that nothing overlaps. times: how many labels of its type were missed."""

    type: str
    line: int
    text: str
    times: int


def scored(labelled: list[Labelled], found: list[list[Finding]]) -> tuple[dict[str, Score], list[Miss]]:
    """The score of each type, and an example or two of the types most often missed."""
    scores: dict[str, Score] = {}
    missed: list[tuple[str, int, str]] = []
    for line, ((text, labels), findings) in enumerate(zip(labelled, found, strict=True), 1):
        spans = [(finding.type, finding.start, finding.end) for finding in findings]
        for label in labels:
            score = scores.setdefault(label[0], Score())
            score.labels += 1
            if any(_overlap(label, span) for span in spans):
                score.hit += 1
            else:
                around = text[max(label[1] - _CHARS_AROUND, 0) : label[2] + _CHARS_AROUND]
                missed.append((label[0], line, around.replace("\n", " ")))
        for span in spans:
            score = scores.setdefault(span[0], Score())
            score.found += 1
            score.right += any(_overlap(label, span) for label in labels)
    times = Counter(type_ for type_, _, _ in missed)
    worst = sorted(missed, key=lambda miss: (-times[miss[0]], miss[1]))
    shown: Counter[str] = Counter()
    misses: list[Miss] = []
    for type_, line, around in worst:
        shown[type_] += 1
        if shown[type_] <= 3 and len(misses) < _MAX_MISSES:
            misses.append(Miss(type_, line, around, times[type_]))
    return dict(sorted(scores.items())), misses


def _overlap(one: Label, other: Label) -> bool:
    return one[0] == other[0] and one[1] < other[2] and other[1] < one[2]
