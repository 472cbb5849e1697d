"""Takes disguises off a text: look-alike letters, invisible ones, spacing, leetspeak, codes. Each way of reading it is
given as plain lower-case text; what has no disguise has one reading."""

# ruff: noqa: RUF001

from __future__ import annotations

import base64
import binascii
import codecs
import html
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any
from urllib.parse import unquote

import re2

from slmtrail.core import canonical
from slmtrail.core.guards import together

MAX_READINGS = 24
MAX_REVERSED_CHARS = 8192

_INVISIBLE = dict.fromkeys((0xFEFF, 0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180E, 0x3164, 0xFFA0))
_INVISIBLE |= dict.fromkeys((*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070)))
_INVISIBLE |= dict.fromkeys((*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))
_TAGS = {first + code: chr(code) for first in (0xE0000, 0xE00F0) for code in range(0x20, 0x7F)}
"""Invisible copies of ASCII, tags and the selectors after an emoji, in which whole sentences can hide."""
_MARKS = dict.fromkeys(range(0x300, 0x370))

_LOOKALIKES = {
    "a": "аɑα⍺ａᴀȧ", "b": "ЬʙβƄᏏ", "c": "сϲᴄⅽ", "d": "ԁɗᴅⅾ", "e": "еєҽɛᴇ℮", "f": "ϝғꜰ", "g": "ɡցɢԍ",
    "h": "һнʜհ", "i": "іɩıιӏɪ¡ℹ", "j": "јϳᴊ", "k": "кκᴋ", "l": "ⅼӏʟ|", "m": "мᴍⅿ", "n": "пոɴη", "o": "оοօᴏσ๐",
    "p": "рρᴘ", "q": "ԛզ", "r": "гʀᴦ", "s": "ѕꜱʂ", "t": "тτᴛ", "u": "υսᴜц", "v": "ѵνᴠⅴ", "w": "ԝωᴡш", "x": "хχⅹ",
    "y": "уγʏү", "z": "ᴢʐ",
}  # fmt: skip
_LOOKING = {ord(char): letter for letter, alike in _LOOKALIKES.items() for char in alike}
_ALPHABET = "abcdefghijklmnopqrstuvwxyz"
_ENCLOSED = {
    first + number: letter
    for first in (0x249C, 0x1F130, 0x1F150, 0x1F170, 0x1F1E6)
    for number, letter in enumerate(_ALPHABET)
}
_BRAILLE = str.maketrans("⠁⠃⠉⠙⠑⠋⠛⠓⠊⠚⠅⠇⠍⠝⠕⠏⠟⠗⠎⠞⠥⠧⠺⠭⠽⠵", _ALPHABET)
_UPSIDE_DOWN = str.maketrans("ɐqɔpǝɟƃɓɥᴉıɾʞןʃɯuodbɹʇnʌʍʎ", "abcdefgghiijkllmnopqrtuvwy")
_MORSE = dict(
    zip(
        ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- "
        "-. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --..".split(),
        _ALPHABET,
        strict=True,
    )
)
_LEET = str.maketrans({"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "9": "g", "@": "a"})
_LEET |= str.maketrans({"$": "s", "!": "i", "+": "t", "€": "e", "£": "l", "(": "c", "|": "l"})
_LEET_L = _LEET | {ord("1"): "l", ord("!"): "l"}

_SPACED = re.compile(r"(?<![a-z0-9])(?:[a-z0-9@$!][^a-z0-9@$!]{1,4}){5,}[a-z0-9@$!](?![a-z0-9])")
_GAP = re.compile(r"[^a-z0-9@$!]+")
_SEPARATED = re.compile(r"(?<=[a-z])[._\-*|/~^+=]+(?=[a-z])")
_LEETED = re.compile(r"[a-z][0134578@$!+|][a-z]|\b[0134578@$!|][a-z]{2}")
_TAGGED = re.compile(r"<[^<>]{1,200}>")
_BASE64 = re.compile(r"[A-Za-z0-9+/_\-]{16,}(?:\r?\n[A-Za-z0-9+/_\-]{16,})*={0,2}")
_CHUNKS = re.compile(r"(?:\b(?:[A-Za-z0-9+/]{4}){1,4}[ ,]){3,}[A-Za-z0-9+/]{2,16}={0,2}")
_BASE32 = re.compile(r"\b[A-Z2-7]{24,}={0,6}")
_HEX = re.compile(r"(?:(?:0x|\\x)?[0-9A-Fa-f]{2}[ ,:]?){12,}")
_BITS = re.compile(r"(?:[01]{8}[ ,]?){8,}")
_NUMBERS = re.compile(r"(?:\b(?:3[2-9]|[4-9][0-9]|1[01][0-9]|12[0-6])\b[ ,;]{1,2}){8,}(?:[0-9]{2,3})?")
_ESCAPED = re.compile(r"(?:\\u[0-9a-fA-F]{4}){3,}")
_POINT = re.compile(r"(?:\\u\{|[Uu]\+|\\U000|%u|=)([0-9A-Fa-f]{2,5})\}?[ ,]?")
_POINTS = re.compile(f"(?:{_POINT.pattern}){{6,}}")
_OCTALS = re.compile(r"(?:\b(?:0?[4-7][0-7]|0?1[0-7]{2})\b[ ,;]{1,2}){8,}(?:[0-7]{2,4}\b)?")
_PLACE = re.compile(r"[0-9]+")
_PLACES = re.compile(r"(?:\b(?:[1-9]|1[0-9]|2[0-6])\b[^0-9a-z]{1,3}){9,}[0-9]{1,2}\b", re.I)
_OCTAL = re.compile(r"(?:\\[0-7]{2,3}){6,}")
_DOTS = re.compile(r"(?:[.\-]{1,4}[ /|]{1,3}){8,}[.\-]{1,4}")
_DOTLIKE = str.maketrans("·•∙⋅−–—‒_", "....-----")
_LABEL = re.compile(
    r"\W{0,3}\b(?:word|part|piece|chunk|fragment|token|segment|line|step|p|s|w)[ _]?\d{1,2}\b\W{1,3}", re.I
)
_PIECE = re.compile(r"(?<!\w)[\"'“‘]([^\"'“”‘’\n]{2,80})[\"'”’](?!\w)")
_EMPHASIS = re.compile(r"(?<!\w)([*_~]{1,3})([^\s*_~][^*_~\n]{0,60})\1(?!\w)")
_WRAPPED = re.compile(r"(?<!\w)[*_~\"'`\[({]{1,3}(\w+)[*_~\"'`\])}]{1,3}(?!\w)")
_SHORTHAND = re.compile(r"\b(?:ur|u|r|n|em|4get|2|4|plz|pls|dont|wat)\b")
_LONGHAND = {"ur": "your", "u": "you", "r": "are", "n": "and", "em": "them", "2": "to", "4": "for", "4get": "forget"}
_LONGHAND |= {"plz": "please", "pls": "please", "dont": "don't", "wat": "what"}
_HUMP = re.compile(r"(?<=[A-Za-z])(?=[A-Z])")
_WORD = re.compile(r"[a-z]{5,16}")
_ROT13 = str.maketrans(_ALPHABET, _ALPHABET[13:] + _ALPHABET[:13])
_ROT47 = {33 + place: 33 + (place + 47) % 94 for place in range(94)}
_ATBASH = str.maketrans(_ALPHABET, _ALPHABET[::-1])
_PER_MILLE = (82, 15, 28, 43, 127, 22, 20, 61, 70, 2, 8, 40, 24, 67, 75, 19, 1, 60, 63, 91, 28, 10, 24, 2, 20, 1)
"""How often each letter of the alphabet is used in English, and near enough in its neighbours."""
_MOST_USED = "etaoin"


_CODES = {
    "base64": r"[A-Za-z0-9+/_\-]{16}",
    "base32": r"[A-Z2-7]{24}",
    "hex": r"(?:(?:0x|\\x)?[0-9A-Fa-f]{2}[ ,:]?){12}",
    "bits": r"(?:[01]{8}[ ,]?){8}",
    "numbers": r"(?:(?:3[2-9]|[4-9][0-9]|1[01][0-9]|12[0-6])[ ,;]{1,2}){8}",
    "chunks": r"(?:\b[A-Za-z0-9+/]{4} ){5}|(?:\b[A-Za-z0-9+/]{8} ){3}|(?:\b[A-Za-z0-9+/]{16} ){2}",
    "octals": r"(?:\b0?(?:1[0-7]|[4-7])[0-7][ ,;]{1,2}){8}",
    "places": r"(?:\b[12]?[0-9][^0-9A-Za-z]{1,3}){9}",
    "escaped": r"(?:\\u[0-9a-fA-F]{4}){3}",
    "points": r"(?:(?:\\u\{|[Uu]\+|\\U000|%u|=)[0-9A-Fa-f]{2,5}\}?[ ,]?){6}",
    "octal": r"(?:\\[0-7]{2,3}){6}",
    "dots": r"(?:[.\-]{1,4}[ /|]{1,3}){8}",
    "entities": r"&#|&lt;",
    "percent": r"(?:%[0-9A-Fa-f]{2,6}){4}|%20",
    "humps": r"(?:[A-Z]?[a-z]*[A-Z]){4}[a-z]",
    "pieces": r"(?is)[\"'“‘][^\"'”’]{2,80}[\"'”’].{0,200}(?:\+|\bjoin|\bconcat|\bcombine|\btogether|\bpart\b)|"
    r"\b(?:join|concat|combine|put together)\b.{0,60}[\"'“‘][^\"'”’]{2,80}[\"'”’]|"
    r"(?:\w\s?=\s?[\"'][^\"']{1,80}[\"']\W{1,6}(?:let |and )?){2}",
    "labels": r"(?i)\b(?:word|part|piece|chunk|fragment|token|segment|line|step|p|s|w)[ _]?[12]\b",
}
_COSTUMES = {
    "spaced": r"(?i)(?:[a-z0-9@$!][^a-z0-9@$!]{1,4}){5}[a-z0-9@$!]",
    "separated": r"(?i)[a-z][._\-*|/~^+=]+[a-z]",
    "leeted": r"(?i)[a-z][0134578@$!+|][a-z]|[0134578@$!|][a-z]{2}",
    "tagged": r"<",
    "wrapped": r"(?:[*_~\"'`\[({]{1,3}\w+[*_~\"'`\])}]{1,3}\s?){4}",
    "shorthand": r"(?i)\b(?:ur|4get|u)\b",
    "emphasised": r"(?:[*_~]{1,3}[^\s*_~][^*_~\n]{0,60}[*_~]{1,3}\W{1,3}){3}",
}
_NAMES = (*_CODES, *_COSTUMES)
_ANY = together((*_CODES.values(), *_COSTUMES.values()))


def _signs_in(text: str) -> set[str]:
    """What in `text` may be a code or a costume, seen in one pass: most texts wear no disguise at all."""
    return {_NAMES[number] for number in _ANY.Match(text.encode("utf-8", "replace")) or ()}


def plain(text: str) -> str:
    """`text` in lower case, without marks, invisible characters and odd spaces; its letters in their own script."""
    return " ".join(_lower(text).split())


def _lower(text: str) -> str:
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFKD", text.translate(_ENCLOSED).translate(_INVISIBLE))
    return unicodedata.normalize("NFC", text.translate(_MARKS)).casefold()


def readings(text: str, words: frozenset[str] = frozenset()) -> list[str]:
    """The ways to read `text`, the undisguised one first. `words` are known even misspelt, with their letters shuffled,
    backwards or in another alphabet; without any, every text is also read backwards."""
    found: dict[str, None] = {}
    pending = [(text, 0)]
    while pending and len(found) < MAX_READINGS:
        coded, depth = pending.pop(0)
        if not coded.isascii():
            coded = coded.translate(_DOTLIKE)
        signs = _signs_in(coded)
        for one in _read(coded, signs, words):
            found.setdefault(one)
        if depth < 2:
            pending += [(decoded, depth + 1) for decoded in _decoded(coded, signs)]
    return list(found)[:MAX_READINGS]


def coded(text: str) -> bool:
    """Whether `text` holds something that may be a code, or letters that are not what they seem."""
    return not text.isascii() or not _signs_in(text).isdisjoint({*_CODES, "spaced"})


def turned(word: str) -> tuple[str, str]:
    """A word as it stands in a text that is written backwards, or in rot13."""
    return word[::-1], codecs.encode(word, "rot13")


def _read(text: str, signs: set[str], words: frozenset[str]) -> Iterator[str]:
    lower = _lower(text)
    base = " ".join(lower.split())
    yield base
    if not text.isascii():
        hidden = "".join(_TAGS.get(ord(char), "") for char in text)
        if len(hidden) > 3:
            yield plain(hidden)
        if (touched := lower.translate(_BRAILLE)) != lower:
            yield " ".join(touched.split())
        if (upright := lower.translate(_UPSIDE_DOWN)) != lower:
            yield " ".join(upright[::-1].split())
        lower = lower.translate(_LOOKING)
        latin = " ".join(lower.split())
        if latin != base:
            yield latin
            base = latin
        signs = _signs_in(lower)
    if "spaced" in signs and _SPACED.search(lower):
        # Before spaces are made one: two of them stand between words.
        spread = " ".join(_SPACED.sub(lambda found: _joined(found[0]), lower).split())
        yield spread
        yield spread.translate(_LEET)
    if "separated" in signs:
        yield _mended(_SEPARATED.sub("", base), words)
        yield _SEPARATED.sub(" ", base)
    if "leeted" in signs and _LEETED.search(base):
        yield base.translate(_LEET)
        yield base.translate(_LEET_L)
    if "shorthand" in signs:
        yield _SHORTHAND.sub(lambda found: _LONGHAND[found[0]], base)
    if "wrapped" in signs:
        yield _WRAPPED.sub(r"\1", base)
    if "emphasised" in signs:
        yield _EMPHASIS.sub(r"\2", base)
    if "tagged" in signs:
        yield " ".join(_TAGGED.sub(" ", base).split())
        yield " ".join(_TAGGED.sub("", base).split())
    if words and (mended := _mended(base, words)) != base:
        yield mended
    if len(base) > MAX_REVERSED_CHARS:
        return
    if _reads_like_nothing(base):
        yield base.translate(_ATBASH)
        yield base.translate(_shifted_back(base))
    if not (words and text.isascii()) or _turned(words).Match(text.encode()):
        yield base.translate(_ROT13)
        if text.isascii():
            yield text.translate(_ROT47).lower()
        backwards = base[::-1]
        yield backwards
        yield " ".join(reversed(backwards.split(" ")))


@cache
def _turned(words: frozenset[str]) -> re2.Set:
    """Finds the longer of `words` where they are backwards, in rot13 or in rot47."""
    known = sorted(word for word in words if len(word) > 4)
    ways = "|".join(way for word in known for way in turned(word))
    return together([f"(?i){ways}", "|".join(re.escape(word.translate(_ROT47)) for word in known)])


def _reads_like_nothing(text: str) -> bool:
    """Whether `text` has words in which the letters that European languages use most are rare."""
    return text.isascii() and len(text) < 12 * text.count(" ") and sum(map(text.count, _MOST_USED)) * 10 < len(text) * 3


def _shifted_back(text: str) -> dict[int, int]:
    """The shift of the alphabet with which the letters of `text` are used as often as they should be."""
    counts = [text.count(letter) for letter in _ALPHABET]
    shift = max(range(1, 26), key=lambda by: sum(counts[place - 26 + by] * _PER_MILLE[place] for place in range(26)))
    return str.maketrans(_ALPHABET, _ALPHABET[-shift:] + _ALPHABET[:-shift])


def _joined(spread: str) -> str:
    """Spread letters as words: what stands most often between them stands within words."""
    within = Counter(_GAP.findall(spread)).most_common(1)[0][0]
    return _GAP.sub(lambda gap: "" if gap[0] == within else " ", spread)


def _decoded(text: str, signs: set[str]) -> Iterator[str]:
    if signs.isdisjoint(_CODES):
        return
    if "base64" in signs:
        for found in _BASE64.finditer(text):
            yield from _text(_unbase64(found[0]))
    if "chunks" in signs:
        for found in _CHUNKS.finditer(text):
            yield from _text(_unbase64(re.sub(r"[ ,]", "", found[0])))
    if "base32" in signs:
        for found in _BASE32.finditer(text):
            digits = found[0].rstrip("=")
            yield from _text(_tried(base64.b32decode, digits + "=" * (-len(digits) % 8)))
    if "hex" in signs:
        for found in _HEX.finditer(text):
            digits = re.sub(r"0x|\\x|[ ,:]", "", found[0])
            yield from _text(_tried(bytes.fromhex, digits[: len(digits) // 2 * 2]))
    if "bits" in signs:
        for found in _BITS.finditer(text):
            yield from _text(bytes(int(bits, 2) for bits in re.findall(r"[01]{8}", found[0])))
    if "numbers" in signs:
        for found in _NUMBERS.finditer(text):
            yield from _text(bytes(int(number) for number in re.findall(r"[0-9]+", found[0]) if int(number) < 256))
    if "octals" in signs:
        for found in _OCTALS.finditer(text):
            yield from _text(bytes(int(number, 8) & 0xFF for number in re.findall(r"[0-7]+", found[0])))
    if "places" in signs:
        for found in _PLACES.finditer(text):
            yield _joined(_PLACE.sub(lambda place: _ALPHABET[int(place[0]) % 26 - 1], found[0]))
    if "octal" in signs:
        for found in _OCTAL.finditer(text):
            yield from _text(bytes(int(number, 8) & 0xFF for number in found[0].split("\\")[1:]))
    if "dots" in signs:
        for found in _DOTS.finditer(text):
            words = re.split(r" ?[/|] ?| {3}", found[0])
            yield " ".join("".join(_MORSE.get(letter, "") for letter in word.split()) for word in words)
    if "escaped" in signs:
        yield canonical.text(_ESCAPED.sub(lambda found: _tried(codecs.decode, found[0], "unicode_escape") or "", text))
    if "points" in signs:
        yield _POINTS.sub(lambda found: "".join(map(_char, _POINT.findall(found[0]))), text)
    if "entities" in signs:
        yield html.unescape(text)
    if "percent" in signs:
        yield unquote(unquote(unquote(text)))
    if "labels" in signs and _LABEL.search(text):
        yield _LABEL.sub(" ", text)
    if "humps" in signs:
        yield _HUMP.sub(" ", text)
    if "pieces" in signs and len(pieces := _PIECE.findall(text)) > 1:
        yield "".join(pieces)
        yield " ".join(pieces)


def _char(digits: str) -> str:
    code = int(digits, 16)
    return " " if 0xD800 <= code < 0xE000 else chr(code)


def _unbase64(text: str) -> bytes:
    text = text.rstrip("=").replace("-", "+").replace("_", "/")
    return _tried(base64.b64decode, text + "=" * (-len(text) % 4)) or b""


def _tried(decode: Any, *given: Any) -> Any:
    """What `decode` gives, or None where it can't."""
    try:
        return decode(*given)
    except (ValueError, binascii.Error, UnicodeError):
        return None


def _text(data: bytes | None) -> Iterator[str]:
    """What was decoded, if it is text."""
    if not data or len(data) < 8:
        return
    try:
        text = data.decode("utf-16-le" if data[1::2].count(0) * 3 > len(data) else "utf-8")
    except UnicodeDecodeError:
        return
    readable = sum(char.isalpha() or char in " ,.'!?\n-" for char in text)
    if readable >= 0.85 * len(text) or _BASE64.fullmatch(text):
        yield text


@cache
def _shapes(words: frozenset[str]) -> dict[tuple[str, str, str], str]:
    """Each word by what it is made of, also without one of its inner letters."""
    shapes: dict[tuple[str, str, str], str] = {}
    for word in sorted(words):
        for shape in (*_lacking(word), _shape(word)):
            shapes[shape] = word
    return shapes


@cache
def _ends(words: frozenset[str]) -> frozenset[tuple[str, str, int]]:
    """The ends and length that a word may have which is one of `words`, misspelt."""
    return frozenset(
        (word[0], word[-1], len(word) + more) for word in words for more in ((-1, 0, 1) if len(word) > 5 else (0,))
    )


def _shape(word: str) -> tuple[str, str, str]:
    return word[0], word[-1], "".join(sorted(word[1:-1]))


def _lacking(word: str) -> list[tuple[str, str, str]]:
    return [_shape(word[:at] + word[at + 1 :]) for at in range(1, len(word) - 1)] if len(word) > 5 else []


@lru_cache(1 << 15)
def _meant(word: str, words: frozenset[str]) -> str | None:
    """The one of `words` that was meant by a word in which letters were shuffled, or one left out or put in.

    Remembered, as the words of most texts are the same few thousand.
    """
    if (word[0], word[-1], len(word)) not in _ends(words):
        return None
    shapes = _shapes(words)
    if (shape := _shape(word)) in shapes:
        return shapes[shape]
    return next((meant for less in _lacking(word) if len(meant := shapes.get(less, "")) == len(word) - 1), None)


def _mended(text: str, words: frozenset[str]) -> str:
    """Misspelt words as they are meant."""
    meant = {word: known for word in set(_WORD.findall(text)) - words if (known := _meant(word, words))}
    return _WORD.sub(lambda found: meant.get(found[0], found[0]), text) if meant else text
