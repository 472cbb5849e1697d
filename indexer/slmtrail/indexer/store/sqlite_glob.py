"""A pattern of a search as SQLite's GLOB has it."""

from __future__ import annotations

import re

_LAST = 0x10FFFF


def glob(pattern: str) -> str:
    """`*` and `?` stay; every other sign of GLOB becomes a class of itself alone."""
    pieces = _pieces(pattern)
    return "".join(piece if piece in ("*", "?") else _plain(piece[-1]) for piece in pieces)


def beginning(pattern: str) -> tuple[str, str]:
    """What fits lies from the first text on and before the second; before none where that is empty."""
    low = ""
    for piece in _pieces(pattern):
        if piece in ("*", "?"):
            break
        low += piece[-1]
    if not low or ord(low[-1]) in (_LAST, 0xD7FF):
        return low, ""
    return low, low[:-1] + chr(ord(low[-1]) + 1)


def _pieces(pattern: str) -> list[str]:
    return re.findall(r"\\.|[^\\]", pattern, re.DOTALL)


def _plain(char: str) -> str:
    return f"[{char}]" if char in "*?[" else char
