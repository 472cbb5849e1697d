"""Results before they are findings: Presidio's rules for duplicates, over plain tuples of ours."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Result:
    """What one recogniser says of one span. context: the word that raised the score."""

    type: str
    start: int
    end: int
    score: float
    rule: str
    context: str = ""


def without_duplicates(results: list[Result]) -> list[Result]:
    """Without those that a result of the same type and no lower score contains (or equals)."""
    if len(results) < 2:
        return results
    unique = {(r.type, r.start, r.end, r.score): r for r in reversed(results)}
    kept: list[Result] = []
    active: list[Result] = []
    reach = -1
    for result in sorted(unique.values(), key=_order):
        if result.start > reach or active[-1].type != result.type:
            active = [result]
            reach = result.end
            kept.append(result)
            continue
        active = [other for other in active if other.end >= result.start]
        for other in active:
            if result.end <= other.end and result.score <= other.score:
                break
        else:
            kept.append(result)
            active.append(result)
            reach = max(reach, result.end)
    return kept


def _order(result: Result) -> tuple[str, int, int, float]:
    return result.type, result.start, result.start - result.end, -result.score
