"""Looks at an answer while it passes: what a stream says is joined again before it is searched.

A streamed answer may cut a word anywhere, so that of each of its texts the end is kept and searched together with
what follows. What had passed before the match was whole has passed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import orjson

from slmtrail.collectors.guard.guard import Ruled
from slmtrail.collectors.guard.verdict import Reason
from slmtrail.collectors.inflating import BrokenError
from slmtrail.collectors.sidecar import codings

KEPT_CHARS = 4096
MAX_LINE_BYTES = 4 * 1024 * 1024
MAX_PIECE_BYTES = 16 * 1024 * 1024
"""What one piece may expand to."""
MAX_TEXTS = 256
MAX_DEPTH = 32
_SAID = frozenset(
    "content text thinking reasoning reasoning_content refusal response arguments partial_json delta "
    "output_text generated_text".split()
)
"""Keys under which answers, whole or in pieces, hold what a model says."""


class Answer(Protocol):
    """An answer on its way."""

    def feed(self, content: bytes) -> list[Reason]:
        """Takes more of its content; what is wrong with it that was not told before."""

    def end(self) -> list[Reason]:
        """It is whole."""


def watch(ruled: Ruled, streamed: bool, coding: str) -> Answer:
    """A watch over one answer: `streamed` in lines of JSON or server-sent events, or whole."""
    coding = coding.strip().lower()
    undo = None
    if coding not in ("", "identity"):
        undo = codings.decoder(coding)
        if undo is None:
            return _Unreadable()
    return _Streamed(ruled, undo) if streamed else _Whole(ruled, undo)


_UNREADABLE = Reason("unreadable-answer", "the answer is in a coding that can't be looked into")


class _Unreadable:
    """An answer that can't be looked at. A guard that must look lets nothing pass unseen."""

    def feed(self, content: bytes) -> list[Reason]:
        return [_UNREADABLE] if content else []

    def end(self) -> list[Reason]:
        return []


class _Looking:
    def __init__(self, ruled: Ruled, undo: codings.Decoder | None) -> None:
        self._ruled = ruled
        self._undo = undo
        self._told: set[str] = set()

    def _look(self, text: str) -> Iterator[Reason]:
        for reason in self._ruled.on_text(text, "answer"):
            if reason.rule not in self._told:
                self._told.add(reason.rule)
                yield reason

    def _decoded(self, content: bytes) -> bytes | None:
        """`content` without its coding; None where it is broken, or expands without end."""
        if self._undo is None:
            return content
        try:
            plain = self._undo.feed(content, MAX_PIECE_BYTES + 1)
        except BrokenError:
            return None
        return plain if len(plain) <= MAX_PIECE_BYTES else None


class _Whole(_Looking):
    """An answer that is one JSON text, or any other: searched when it is whole."""

    def __init__(self, ruled: Ruled, undo: codings.Decoder | None) -> None:
        super().__init__(ruled, undo)
        self._pieces: list[bytes] = []

    def feed(self, content: bytes) -> list[Reason]:
        plain = self._decoded(content)
        if plain is None:
            return [_UNREADABLE]
        self._pieces.append(plain)
        return []

    def end(self) -> list[Reason]:
        body = b"".join(self._pieces)
        if self._pieces and self._undo is not None and not self._undo.finished:
            return [_UNREADABLE]
        try:
            texts = [text for _, text in _strings(orjson.loads(body), "", MAX_DEPTH, said=False)]
        except (orjson.JSONDecodeError, RecursionError):
            texts = [body.decode("utf-8", "replace")]
        return list(self._look("\n".join(texts)))


class _Streamed(_Looking):
    """An answer in lines."""

    def __init__(self, ruled: Ruled, undo: codings.Decoder | None) -> None:
        super().__init__(ruled, undo)
        self._pending = b""
        self._ends: dict[str, str] = {}

    def feed(self, content: bytes) -> list[Reason]:
        plain = self._decoded(content)
        if plain is None:
            return [_UNREADABLE]
        *lines, self._pending = (self._pending + plain).replace(b"\r", b"\n").split(b"\n")
        if len(self._pending) > MAX_LINE_BYTES:
            lines, self._pending = [*lines, self._pending], b""
        return [reason for line in lines for reason in self._line(line)]

    def end(self) -> list[Reason]:
        return list(self._line(self._pending))

    def _line(self, line: bytes) -> Iterator[Reason]:
        data = line.removeprefix(b"data:").strip()
        if not data or line.startswith((b":", b"event:", b"id:", b"retry:")):
            return
        try:
            said = [*_strings(orjson.loads(data), "", MAX_DEPTH, said=True)]
        except (orjson.JSONDecodeError, RecursionError):
            said = [("", data.decode("utf-8", "replace"))]
        for place, text in said:
            whole = self._ends.get(place, "") + text
            yield from self._look(whole)
            if place in self._ends or len(self._ends) < MAX_TEXTS:
                self._ends[place] = whole[-KEPT_CHARS:]


def _strings(value: Any, place: str, depth: int, *, said: bool) -> Iterator[tuple[str, str]]:
    """The strings in a value with their place; with `said` only those in which a model speaks."""
    if isinstance(value, str):
        yield place, value
    elif not depth and isinstance(value, dict | list):
        yield place, orjson.dumps(value).decode()
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _strings(item, f"{place}/{number}", depth - 1, said=said)
    elif isinstance(value, dict):
        # Of a choice or a block; beside a token of TGI's it counts tokens, which are pieces of one text.
        index = value["index"] if isinstance(value.get("index"), int) and "token" not in value else ""
        for key, item in value.items():
            if said and isinstance(item, str) and key not in _SAID:
                continue
            yield from _strings(item, f"{place}/{key}{index}", depth - 1, said=said)
