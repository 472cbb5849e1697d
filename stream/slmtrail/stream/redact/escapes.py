"""Texts with escapes in them that are no JSON: answers cut short, logs of JSON, code, addresses, markup.

`\\n4111 1111 1111 1111` has a card number in it, and `maria%40example.com` an address, whoever may have escaped it:
what a text says is looked at, too.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from slmtrail.stream.redact.finding import Finding

_ESCAPE = re.compile(
    r"\\(?:u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|[nrtbf\"'/\\])|%(?:[2-7][0-9A-Fa-f]|0[9ADad])|"
    r"&(?:quot|apos|amp|lt|gt|nbsp|#(?:0{0,4}[0-9]{2,3}|[xX]0{0,4}[0-9A-Fa-f]{2}));"
)
_PLAIN = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_ENTITIES = {"quot": '"', "apos": "'", "amp": "&", "lt": "<", "gt": ">", "nbsp": " "}


class Unescaped:
    """What a text with escapes says, and where each part of that stands in the text. text: "" where it has none."""

    def __init__(self, escaped: str) -> None:
        self.text = ""
        # Where, in what it says, an escape is over, and by how much the text is longer up to there.
        self._ends: list[int] = [0]
        self._shifts: list[int] = [0]
        self._spans: list[tuple[int, int]] = []
        pieces: list[str] = []
        done = length = 0
        for escape in _ESCAPE.finditer(escaped):
            said = _said(escape.group())
            pieces += escaped[done : escape.start()], said
            length += escape.start() - done + 1
            done = escape.end()
            self._ends.append(length)
            self._shifts.append(done - length)
            self._spans.append(escape.span())
        if pieces:
            self.text = "".join([*pieces, escaped[done:]])

    def in_escaped(self, found: Finding) -> Finding:
        """A finding in what the text says, as one in the text."""
        last = self._place(found.end - 1)
        end = next((end for start, end in self._around(last) if start == last), last + 1)
        return found._replace(start=self._place(found.start), end=end)

    def without_halves(self, found: Finding) -> Finding:
        """A finding in the text, without the end of an escape at its beginning, and with all of one at its end."""
        start = next((end for begin, end in self._around(found.start) if begin < found.start < end), found.start)
        end = next((end for begin, end in self._around(found.end) if begin < found.end < end), found.end)
        return found._replace(start=min(start, end), end=end)

    def _place(self, place: int) -> int:
        return place + self._shifts[bisect_right(self._ends, place) - 1]

    def _around(self, place: int) -> list[tuple[int, int]]:
        at = bisect_right(self._spans, (place, place))
        return self._spans[max(at - 1, 0) : at + 1]


def has_escapes(text: str) -> bool:
    """Whether a text may say something else than what is written."""
    return "\\" in text or "%" in text or "&" in text


def _said(escape: str) -> str:
    if escape[0] == "%":
        return chr(int(escape[1:], 16))
    if escape[0] == "&":
        return _entity(escape[1:-1])
    kind = escape[1]
    if kind in "ux":
        said = chr(int(escape[2:], 16))
        return "\ufffd" if "\ud800" <= said <= "\udfff" else said
    return _PLAIN.get(kind, kind)


def _entity(name: str) -> str:
    if name[0] != "#":
        return _ENTITIES[name]
    return chr(int(name[2:], 16) if name[1] in "xX" else int(name[1:]))
