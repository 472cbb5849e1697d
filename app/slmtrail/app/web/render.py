"""Templates into pages, and addresses with what they carry."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import jinja2
from starlette.responses import HTMLResponse, Response

from slmtrail.app.web.pieces import pieces
from slmtrail.core.events import timestamp_text

FOLDER = Path(__file__).parent
MOST_TURNS = 500
"""Of a conversation's messages on one page, the newest."""

_templates = jinja2.Environment(
    loader=jinja2.FileSystemLoader(FOLDER / "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(template: str, status: int = 200, /, **values: Any) -> Response:
    """The page that a template makes of these values."""
    return HTMLResponse(_templates.get_template(template).render(**values), status)


def prepare() -> None:
    """Compiles all templates, so that nobody who looks at a page first waits for it."""
    for name in _templates.list_templates():
        _templates.get_template(name)


def link(path: str, filters: Mapping[str, str]) -> str:
    """The address of a page with what narrows it."""
    query = urlencode({name: value for name, value in filters.items() if value})
    return f"{path}?{query}" if query else path


def about(kind: str, name: str) -> str:
    """The address of an incident."""
    return link("/incident", {"about": kind, "name": name})


def moment(at_ms: int) -> str:
    """A time as records spell it."""
    return timestamp_text(at_ms)


def number(value: float) -> str:
    """A number as people read it: 1,234, or 12.3 M."""
    for unit, size in (("G", 1e9), ("M", 1e6)):
        if abs(value) >= size:
            return f"{value / size:.1f} {unit}"
    return f"{value:,.0f}"


_templates.globals.update(link=lambda **filters: link("/", filters), about=about, most_turns=MOST_TURNS)
_templates.filters.update(
    pieces=pieces,
    clock=lambda at: f"{at[:10]} {at[11:19]}",
    moment=moment,
    number=number,
    segment=lambda text: quote(text, safe=""),
)
