"""Results before they are findings: Presidio's rules for duplicates, over plain tuples of ours."""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter


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
    unique: dict[tuple[str, int, int], Result] = {}
    for result in results:
        key = (result.type, result.start, -result.end)
        known = unique.get(key)
        if known is None or known.score < result.score:
            unique[key] = result
    kept: list[Result] = []
    active: list[Result] = []
    reach = -1
    for _, result in sorted(unique.items(), key=itemgetter(0)):
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
