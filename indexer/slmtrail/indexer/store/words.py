"""Text into words, as Elasticsearch's `standard` analyzer does: Unicode's word boundaries (UAX #29), small letters.

Both stores must find the same, and this analyzer is the one that every Elasticsearch has. So the embedded
store follows it, in the grammar of Lucene's tokenizer. It takes time in proportion to the text, whatever the
text: every repetition is possessive, and what starts like a word but is none is consumed at once.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from slmtrail.indexer.store import characters as c

MAX_WORD_UNITS = 255
"""Longer words are cut into pieces of so many UTF-16 units."""


@functools.cache
def _grammar(*, beyond: bool) -> re.Pattern[str]:
    """The words of any text, or of one without characters `beyond` U+FFFF, which is faster to match.

    Made when the first such text comes: that takes a fifth of a second, which no command has to spare.
    """

    def some(*tables: str) -> str:
        spans = [span.partition("-") for table in tables for span in table.split()]
        return "".join(
            f"\\U{first:0>8}" + (f"-\\U{last:0>8}" if last else "")
            for first, _, last in spans
            if beyond or len(first) <= 4
        ).join("[]")

    def run(table: str) -> str:
        return f"{some(table)}{some(table, c.MARK)}*+"

    mark = some(c.MARK)
    in_letters = f"{some(c.MID, c.MID_LETTER)}{mark}*+(?={some(c.LETTER, c.HEBREW)})"
    in_digits = f"{some(c.MID, c.MID_DIGIT)}{mark}*+(?={some(c.DIGIT)})"
    in_hebrew = f"{in_letters}|\"{mark}*+(?={some(c.HEBREW)})|'{mark}*+"
    letters = (
        f"(?:{run(c.LETTER)}(?:{in_letters})?+|{run(c.DIGIT)}(?:{in_digits})?+|{run(c.HEBREW)}(?:{in_hebrew})?+)++"
    )
    # No word starts further back than it may be long; without that bound a row of underscores takes forever.
    joint = f"{some(c.JOINT)}{some(c.JOINT, c.MARK)}{{0,{MAX_WORD_UNITS}}}+"
    katakana = f"{run(c.KATAKANA)}(?:{joint}{run(c.KATAKANA)})*+"
    part = f"(?:{letters}|{katakana})"
    word = f"(?:{joint})?+{part}(?:{joint}{part})*+(?:{joint})?+"

    # A picture may be asked to look like text (FE0E) or like a picture (FE0F), and joined with others (200D).
    picture_marks = f"(?:(?!\ufe0e){mark})*+"
    unstyled_marks = f"(?:(?![\ufe0e\ufe0f]){mark})*+"
    joined = f"(?:(?<=\u200d){some(c.EMOJI, c.EMOJI_LETTER)}{picture_marks})"
    joined_letter = f"\u200d++{joined}++|{some(c.EMOJI_LETTER)}{mark}*+{joined}++"
    picture = f"{some(c.EMOJI)}{picture_marks}{joined}*+|[#*]\ufe0f?\u20e3{unstyled_marks}"
    if beyond:
        flag = f"{some(c.REGIONAL)}{mark}*+"
        picture += f"|{flag}{flag}|{some(c.MODIFIER)}{unstyled_marks}{joined}*+"

    wanted = f"{joined_letter}|{word}|{some(c.SINGLE)}{mark}*+|{run(c.ASIAN)}|{picture}"
    return re.compile(f'(?![\x00-"$-)+-/:-@\\[-^`{{-~])(?:({wanted})|{some(c.JOINT)}++|\u200d++)')


_BEYOND = re.compile("[\U00010000-\U0010ffff]")
_ASCII = re.compile(
    r"(?![_]++(?![a-z0-9]))([a-z0-9_]++(?:(?:(?<=[a-z])['.:](?=[a-z])|(?<=[0-9])['.,;](?=[0-9]))[a-z0-9_]++)*+)|_++"
)
_BREAKS = {code: " " for code in range(128) if not chr(code).isalnum() and chr(code) not in "_'.:,;"}
"""What stands in no word, in a text of ASCII."""


def words(text: str) -> list[str]:
    """The words of `text` in order."""
    if text.isascii():
        pattern, text = _ASCII, text.lower()
        found = _plain(text)
    else:
        pattern = _grammar(beyond=bool(_BEYOND.search(text)))
        found = [word for word in pattern.findall(text) if word]
    if max(map(len, found), default=0) > MAX_WORD_UNITS // 2:
        found = list(_cut(pattern, text))
    return found if pattern is _ASCII else _lower(found)


def _plain(text: str) -> list[str]:
    """The words of a text of small letters in ASCII. Most stand between blanks, and need no expression to be found."""
    found: list[str] = []
    # A mark with a blank behind it joins nothing.
    for piece in text.translate(_BREAKS).replace(", ", " ").replace(". ", " ").replace(": ", " ").split():
        if piece.isalnum() or (piece.isidentifier() and piece.strip("_")):
            found.append(piece)
        else:
            found += filter(None, _ASCII.findall(piece))
    return found


def _lower(found: list[str]) -> list[str]:
    # Letter by letter, as Java does: dotted I and capital sigma have a rule of their own in Python.
    return "\n".join(found).replace("İ", "i").replace("\u03a3", "\u03c3").lower().split("\n") if found else []


def _cut(pattern: re.Pattern[str], text: str) -> Iterator[str]:
    """The words of a text with very long ones: Lucene reads these as if the text ended where they are cut."""
    resume = 0
    while match := pattern.search(text, resume):
        place, resume = match.span()
        if resume - place <= MAX_WORD_UNITS // 2:
            if match[1]:
                yield match[1]
            continue
        while place < resume:
            units = text[place : place + MAX_WORD_UNITS].encode("utf-16-le")[: 2 * MAX_WORD_UNITS]
            end = place + len(units.decode("utf-16-le", "ignore"))
            piece = pattern.search(text, place, end)
            if piece and piece.start() > place:
                place = piece.start()
                continue
            if piece and piece[1]:
                yield piece[1]
            place = piece.end() if piece else end
        resume = place
