"""What people see on a terminal. Text from events is hostile: a control character could move the cursor, write into the
clipboard or turn text around, so each is shown as its escape.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import rich.console
from rich.markup import escape
from rich.segment import Segment

from slmtrail.app.web.pieces import HIDDEN

_CONTROL = re.compile(f"(?:{HIDDEN}|[\r\ud800-\udfff])+")
_ENDLESS = 10**6


def visible(text: str) -> str:
    """The text with what moves, hides or reorders others as escapes; ends of lines and tabs stay."""
    return _CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def inline(text: str) -> str:
    """The text as a piece of a printed line: nothing in it is markup, and it neither ends the line nor jumps in it."""
    return escape(text.replace("\n", "\\n").replace("\t", "\\t"))


class Console(rich.console.Console):
    """Rich's, which strips some control characters and lets others through, and folds lines that a program reads."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        if not self.is_terminal:
            self.width = _ENDLESS

    def render(
        self, renderable: rich.console.RenderableType, options: rich.console.ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """As Rich has it, each piece of text made visible."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=visible(segment.text))
