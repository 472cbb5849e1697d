"""Whether two groups of numbers differ by more than chance."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

SURE = 0.01
"""A difference that chance makes less often than so is marked. With many measures side by side, one in twenty would
mark one of them nearly always."""


def shares_differ(one: int, of_one: int, other: int, of_other: int) -> float:
    """The p-value of two shares being the same: chance alone makes them differ so, or more, this often."""
    if not of_one or not of_other:
        return 1.0
    both = (one + other) / (of_one + of_other)
    error = math.sqrt(both * (1 - both) * (1 / of_one + 1 / of_other))
    return _two_sided((one / of_one - other / of_other) / error) if error else 1.0


def values_differ(one: Sequence[float], other: Sequence[float]) -> float:
    """The p-value of neither group lying higher (Mann and Whitney's test, for groups of more than a few)."""
    first, second = len(one), len(other)
    if not first or not second:
        return 1.0
    mine, all_of_them = Counter(one), Counter(one) + Counter(other)
    rank_sum, ties, before = 0.0, 0, 0
    for value in sorted(all_of_them):
        same = all_of_them[value]
        rank_sum += mine[value] * (before + (same + 1) / 2)
        ties += same**3 - same
        before += same
    total = first + second
    spread = first * second / 12 * (total + 1 - ties / (total * (total - 1))) if total > 1 else 0.0
    above = rank_sum - first * (first + 1) / 2 - first * second / 2
    return _two_sided(above / math.sqrt(spread)) if spread > 0 else 1.0


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """The values at or below which half, 95 and 99 in 100 of them lie; empty where there are none."""
    if not values:
        return {}
    ordered = sorted(values)
    return {f"p{share}": ordered[max(0, math.ceil(len(ordered) * share / 100) - 1)] for share in (50, 95, 99)}


def _two_sided(z: float) -> float:
    return math.erfc(abs(z) / math.sqrt(2))
