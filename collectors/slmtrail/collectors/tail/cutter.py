"""Cuts bytes into entries: lines, or groups of lines that begin with one that matches."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO

_MARK = b"\xef\xbb\xbf"
"""Of UTF-8, with which some programs begin a file."""


@dataclass(slots=True)
class Cut:
    """Entries and the numbers of their first lines; `oversized` are the numbers of those that were let go."""

    entries: list[bytes] = field(default_factory=list)
    numbers: Sequence[int] = ()
    oversized: list[int] = field(default_factory=list)


class Cutter:
    """One source's bytes, cut. What it holds back, an entry not yet whole, is never more than `max_bytes` and a piece.

    `offset` and `line` say how far the entries given out reach; `skipping` that an entry which was too
    long began before, and its rest is to be passed over.
    """

    def __init__(
        self,
        max_bytes: int,
        begins: re.Pattern[bytes] | None = None,
        offset: int = 0,
        line: int = 0,
        skipping: bool = False,
    ) -> None:
        self.offset, self.line, self.skipping = offset, line, skipping
        self._max_bytes = max_bytes
        self._begins = begins
        self._group = bytearray()
        self._group_lines = 0
        self._tail = bytearray()

    @property
    def held_bytes(self) -> int:
        """Bytes fed and not yet given out: the next to be fed stands at `offset + held_bytes`."""
        return len(self._group) + len(self._tail)

    def feed(self, data: bytes) -> Cut:
        """The entries that are whole with `data`."""
        cut = Cut()
        lines = BytesIO(data).readlines()  # twice as fast as to split, which looks at each byte by itself
        begun = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
        if lines:
            lines = [line[:-1] for line in lines]
            size = len(self._tail) + len(data) - len(begun)
            lines[0] = bytes(self._tail) + lines[0]
            self._tail = bytearray(begun)
            self._lines(lines, size, cut)
        else:
            self._tail += begun
        if self.skipping:
            self._let_go()
        elif self.held_bytes > self._max_bytes:
            cut.oversized.append(self.line + 1)
            self._let_go()
            self.skipping = True
        return cut

    def flush(self, *, whole_lines_only: bool = False) -> Cut:
        """Takes what is held back for whole: nothing more comes, or nothing came for a while."""
        cut = Cut()
        if whole_lines_only and self._tail:
            return cut
        held = bytes(self._group + self._tail)
        if not self.offset:
            held = held.removeprefix(_MARK)
        self.offset += self.held_bytes
        if held and not self.skipping:
            cut.entries, cut.numbers = [held.removesuffix(b"\n")], [self.line + 1]
        self.line += self._group_lines + bool(self._tail)
        self._forget()
        return cut

    def rewind(self) -> None:
        """Forgets what is held back; it is fed again, from `offset` on."""
        self._forget()

    def _lines(self, lines: list[bytes], size: int, cut: Cut) -> None:
        """Takes lines, `size` bytes with their ends."""
        if not self.offset and lines[0].startswith(_MARK):
            lines[0] = lines[0].removeprefix(_MARK)
            self.offset = len(_MARK)
            size -= len(_MARK)
        if self._begins is None:
            self.offset += size
            if self.skipping:
                del lines[0]
                self.line += 1
                self.skipping = False
            cut.entries, cut.numbers = lines, range(self.line + 1, self.line + 1 + len(lines))
            self.line += len(lines)
            return
        if self.skipping:
            self.offset += len(lines.pop(0)) + 1
            self.line += 1
            self.skipping = False
        numbers: list[int] = []
        for line in lines:
            if self._group and self._begins.match(line):
                numbers.append(self.line + 1)
                cut.entries.append(bytes(self._group[:-1]))
                self._pass_group()
            self._group += line + b"\n"
            self._group_lines += 1
            if len(self._group) > self._max_bytes:
                cut.oversized.append(self.line + 1)
                self._pass_group()
        cut.numbers = numbers

    def _pass_group(self) -> None:
        self.offset += len(self._group)
        self.line += self._group_lines
        self._group.clear()
        self._group_lines = 0

    def _let_go(self) -> None:
        self.offset += self.held_bytes
        self.line += self._group_lines
        self._forget()

    def _forget(self) -> None:
        self._group.clear()
        self._tail.clear()
        self._group_lines = 0
