"""Curves as SVG, by hand: small, readable on light and dark ground, and with nothing to install."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

WIDTH, HEIGHT = 460, 250
LEFT, RIGHT, TOP, BOTTOM = 46, 452, 34, 206
COLOURS = ("#2f7fd6", "#d9822b", "#3f9b5f", "#8e5bbd", "#c0485a")
_STYLE = (
    "text{font:11px system-ui,sans-serif;fill:#57606a}.title{font-size:13px;font-weight:600;fill:#1f2328}"
    ".grid{stroke:#8c959f;stroke-opacity:.35}"
    "@media(prefers-color-scheme:dark){text{fill:#9da7b3}.title{fill:#e6edf3}}"
)

Points = Sequence[tuple[float, float]]


def curves(title: str, across: str, lines: Mapping[str, Points]) -> str:
    """One picture: `lines` by name, x in powers, y from zero."""
    xs = sorted({x for points in lines.values() for x, _ in points})
    low, high = (math.log10(max(x, 0.5)) for x in (xs[0], xs[-1]))
    top = _rounded(max(y for points in lines.values() for _, y in points))

    def place(x: float, y: float) -> tuple[float, float]:
        along = (math.log10(max(x, 0.5)) - low) / ((high - low) or 1)
        return round(LEFT + along * (RIGHT - LEFT - 12), 1), round(BOTTOM - y / top * (BOTTOM - TOP), 1)

    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'role="img" aria-label="{title}">',
        f"<style>{_STYLE}</style>",
        f'<text class="title" x="8" y="18">{title}</text>',
    ]
    for part in (0, 0.25, 0.5, 0.75, 1):
        y = place(xs[0], top * part)[1]
        drawn.append(f'<path class="grid" d="M{LEFT} {y}H{RIGHT}"/>')
        drawn.append(f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{_short(top * part)}</text>')
    drawn += [f'<text x="{place(x, 0)[0]}" y="{BOTTOM + 16}" text-anchor="middle">{_short(x)}</text>' for x in xs]
    drawn.append(f'<text x="{RIGHT}" y="{BOTTOM + 32}" text-anchor="end">{across}</text>')
    named = 0.0
    for (name, points), colour in zip(lines.items(), COLOURS, strict=False):
        path = "L".join(f"{x} {y}" for x, y in (place(*point) for point in points))
        drawn.append(f'<path fill="none" stroke="{colour}" stroke-width="2" d="M{path}"/>')
        drawn += [f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>' for x, y in (place(*point) for point in points)]
        drawn.append(f'<path stroke="{colour}" stroke-width="2" d="M{8 + named} {BOTTOM + 28}h14"/>')
        drawn.append(f'<text x="{26 + named}" y="{BOTTOM + 32}">{name}</text>')
        named += 34 + 5.8 * len(name)
    return "\n".join([*drawn, "</svg>", ""])


def _rounded(value: float) -> float:
    """The next round number."""
    unit = 10 ** math.floor(math.log10(value))
    return float(next(unit * step for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if unit * step >= value))


def _short(value: float) -> str:
    for unit, name in ((1e6, "M"), (1e3, "k")):
        if value >= unit:
            return f"{value / unit:g}{name}"
    return f"{value:g}"
