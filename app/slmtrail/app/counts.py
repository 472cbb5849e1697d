"""Records counted: how many fit, by the values of fields, and over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from slmtrail.app.terminal import Console, inline
from slmtrail.core.events import timestamp_text
from slmtrail.core.ports import Histogram

BARS, VALUES = 30, 10
_WIDTH = 40


def facets_told(found: dict[str, dict[str, int]]) -> dict[str, list[dict[str, Any]]]:
    """Counts by value, the most frequent first, as JSON has them."""
    return {
        field: [{"value": value, "count": count} for value, count in counts.items()] for field, counts in found.items()
    }


def histogram_told(found: Histogram) -> dict[str, Any]:
    """Counts over time, as JSON has them."""
    bars = [{"start_ms": start, "count": count} for start, count in found.counts.items()]
    return {"step_ms": found.step_ms, "bars": bars}


def show(out: Console, total: int | None, facets: dict[str, dict[str, int]], histogram: Histogram | None) -> None:
    """Prints what there is of them."""
    if total is not None:
        out.print(total)
    for field, counts in facets.items():
        out.print(f"[bold]{inline(field)}[/]")
        _bars(out, [(value, count) for value, count in counts.items()])
    if histogram is not None:
        _bars(out, [(timestamp_text(start), count) for start, count in histogram.counts.items()])


def _bars(out: Console, rows: Sequence[tuple[str, int]]) -> None:
    most, wide = max((count for _, count in rows), default=1), max((len(name) for name, _ in rows), default=0)
    for name, count in rows:
        bar = "█" * max(1, round(_WIDTH * count / most))
        out.print(f"  {inline(name):{min(wide, 60)}}  {count:>9}  [cyan]{bar}[/]", soft_wrap=True)
