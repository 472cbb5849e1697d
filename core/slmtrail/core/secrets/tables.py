"""Tables in a text: lines of cells, as in CSV and Markdown, and rows in brackets, as in JSON and SQL."""

from __future__ import annotations

import re
from collections.abc import Iterator

_MAX_HEAD_CHARS = 1_000
_MAX_NAME_CHARS = 64
_MAX_CELL_CHARS = 1_000
_BETWEEN_ROWS = re.compile(r"[\s|+:=\-─┼│\\]*[+|=\-─┼│][\s|+:=\-─┼│\\]*\Z")
_DELIMITED = {
    mark: re.compile(rf"\s*\"(?:[^\"]|\"\")*\"\s*(?=[{mark}]|\Z)|[^{mark}]+|(?<=[{mark}])(?=[{mark}]|\Z)")
    for mark in ("|", "│", "\t", ";", ",", "&")
}
_ALIGNED = re.compile(r"\S+(?: \S+)*")

_ITEM = re.compile(
    r"\s*(\"(?:[^\"\\]|\\.)*(?:\"|\Z)|'(?:[^'\\]|''|\\.)*(?:'|\Z)|[^,\"'()\[\]{}][^,()\[\]{}]*|(?=,))\s*(?:,|(?=[)\]])|\Z)",
    re.DOTALL,
)
_CLOSING = {"[": "]", "(": ")"}
_FIRST_ROW = {
    "[": re.compile(r"\]\s*,\s*\[(?!\s*\[)|\][^()\[\]]{0,80}\[\s*\["),
    "(": re.compile(r"\)\s*(?i:values)\s*\("),
}
_ROW_BEFORE = re.compile(r"\]\s*,\s*\Z")
_NEXT_ROW = {"[": re.compile(r"\s*\]\s*,\s*\["), "(": re.compile(r"\s*\)\s*,\s*\(")}
_VALUE = re.compile(r"[\s\"'`*\\]*([^\s\"'`]{4,256}?)[\s\"'`*\\}\]]*\Z")
_OPENED = re.compile(r"\"\s{0,3}:\s{0,3}\\{0,15}\"")
"""Before a text that is a value in a line of JSON."""


Span = tuple[int, int]


def values_below(text: str, start: int, end: int) -> Iterator[Span]:
    """The words that stand below the name at `start`, where that is the head of a column of a table."""
    found = cells_in_rows(text, start, end) or _in_lines(text, start, end)
    for left, right in found:
        value = _VALUE.match(text, left, right) if right - left <= _MAX_CELL_CHARS else None
        if value:
            yield value.span(1)


def cells_in_rows(text: str, start: int, end: int) -> list[Span]:
    """The cells in rows such as `["user", "password"], [["bob", …], …]` and `(user, password) VALUES ('bob', …), …`."""
    left = max(
        text.rfind("[", max(0, start - _MAX_HEAD_CHARS), start), text.rfind("(", max(0, start - _MAX_HEAD_CHARS), start)
    )
    if left < 0 or _ROW_BEFORE.search(text, max(0, left - 8), left):
        return []
    mark = text[left]
    right = text.find(_CLOSING[mark], end, end + _MAX_HEAD_CHARS)
    first = _FIRST_ROW[mark].match(text, right) if right > 0 else None
    if not first:
        return []
    if text[left + 1 : right].lstrip()[:1] == "{":
        column, width = text.count("{", left, start) - 1, text.count("{", left, right)
    else:
        ends = [item.end() for item in _ITEM.finditer(text, left + 1, right + 1)]
        column, width = sum(over <= start for over in ends), len(ends)
    cells: list[Span] = []
    row: re.Match[str] | None = first
    while row:
        place = row.end()
        spans: list[Span] = []
        while len(spans) < width and (item := _ITEM.match(text, place)):
            spans.append(item.span(1))
            place = item.end()
        if column < len(spans):
            cells.append(spans[column])
        row = _NEXT_ROW[mark].match(text, place) if len(spans) == width else None
    return cells


def _in_lines(text: str, start: int, end: int) -> Iterator[Span]:
    begin = text.rfind("\n", max(0, start - _MAX_HEAD_CHARS), start) + 1
    over = text.find("\n", end, end + _MAX_HEAD_CHARS)
    if over < 0 or start - begin > _MAX_HEAD_CHARS:
        return
    openings = [opened.end() for opened in _OPENED.finditer(text, begin, start)]
    begin = openings[-1] if openings else begin
    cell = next((cell for mark, cell in _DELIMITED.items() if mark in text[begin:over]), _ALIGNED)

    def cells(begin: int, over: int) -> list[Span]:
        return [match.span() for match in cell.finditer(text, begin, over)]

    heads = cells(begin, over)
    column = next((place for place, (left, right) in enumerate(heads) if left <= start and end <= right), None)
    if column is None or len(heads) < 2 or any(right - left > _MAX_NAME_CHARS for left, right in heads):
        return
    above = 0 if openings else begin  # nothing stands above the first line of a text
    while above and text.count("\n", above, begin) < 2:
        below, above = above - 1, text.rfind("\n", max(0, above - _MAX_HEAD_CHARS), above - 1) + 1
        if not _BETWEEN_ROWS.match(text, above, below):
            if len(cells(above, below)) == len(heads):
                return  # a row like any other
            break
    while over < len(text):
        begin = over + 1
        over = text.find("\n", begin)
        over = len(text) if over < 0 else over
        if _BETWEEN_ROWS.match(text, begin, over):
            continue
        row = cells(begin, over)
        if len(row) != len(heads):
            return
        yield row[column]
