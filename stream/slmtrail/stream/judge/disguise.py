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
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any
from urllib.parse import unquote

import re2

from slmtrail.core import canonical

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

_SPACED = re.compile(r"(?<![a-z0-9])(?:[a-z0-9@$!][ ._\-*|/~,\t\n]{1,3}){5,}[a-z0-9@$!](?![a-z0-9])")
_SEPARATED = re.compile(r"(?<=[a-z])[._\-*|/~^+=]+(?=[a-z])")
_LEETED = re.compile(r"[a-z][0134578@$!+|][a-z]|\b[0134578@$!|][a-z]{2}")
_TAGGED = re.compile(r"<[^<>]{1,200}>")
_BASE64 = re.compile(r"[A-Za-z0-9+/_\-]{16,}(?:\r?\n[A-Za-z0-9+/_\-]{16,})*={0,2}")
_BASE32 = re.compile(r"\b[A-Z2-7]{24,}={0,6}")
_HEX = re.compile(r"(?:(?:0x|\\x)?[0-9A-Fa-f]{2}[ ,:]?){12,}")
_BITS = re.compile(r"(?:[01]{8}[ ,]?){8,}")
_NUMBERS = re.compile(r"(?:\b(?:3[2-9]|[4-9][0-9]|1[01][0-9]|12[0-6])\b[ ,;]{1,2}){8,}(?:[0-9]{2,3})?")
_ESCAPED = re.compile(r"(?:\\u[0-9a-fA-F]{4}){3,}")
_PERCENT = re.compile(r"(?:%[0-9A-Fa-f]{2}){4,}|%20")
_OCTAL = re.compile(r"(?:\\[0-7]{2,3}){6,}")
_DOTS = re.compile(r"(?:[.\-]{1,4}[ /|]{1,3}){8,}[.\-]{1,4}")
_PIECE = re.compile(r"(?<!\w)[\"'“‘]([^\"'“”‘’\n]{2,80})[\"'”’](?!\w)")
_EMPHASIS = re.compile(r"(?<!\w)([*_~]{1,3})([^\s*_~][^*_~\n]{0,60})\1(?!\w)")
_HUMP = re.compile(r"(?<=[A-Za-z])(?=[A-Z])")
_WORD = re.compile(r"[a-z]{5,16}")
_ROT13 = str.maketrans(_ALPHABET, _ALPHABET[13:] + _ALPHABET[:13])
_CIPHERS = (
    str.maketrans(_ALPHABET, _ALPHABET[::-1]),
    str.maketrans(_ALPHABET, _ALPHABET[-3:] + _ALPHABET[:-3]),
    str.maketrans(_ALPHABET, _ALPHABET[3:] + _ALPHABET[:3]),
)
_MOST_USED = "etaoin"


def _signs(**patterns: str) -> Callable[[str], set[str]]:
    """A function that says, in one pass, for which names there may be a match: most texts wear no disguise at all."""
    options = re2.Options()
    options.never_capture = True
    found = re2.Set.SearchSet(options)
    for pattern in patterns.values():
        found.Add(pattern)
    found.Compile()
    names = list(patterns)
    return lambda text: {names[number] for number in found.Match(text.encode("utf-8", "replace")) or ()}


_codes_in = _signs(
    base64=r"[A-Za-z0-9+/_\-]{16}",
    base32=r"[A-Z2-7]{24}",
    hex=r"(?:(?:0x|\\x)?[0-9A-Fa-f]{2}[ ,:]?){12}",
    bits=r"(?:[01]{8}[ ,]?){8}",
    numbers=r"(?:(?:3[2-9]|[4-9][0-9]|1[01][0-9]|12[0-6])[ ,;]{1,2}){8}",
    escaped=r"(?:\\u[0-9a-fA-F]{4}){3}",
    octal=r"(?:\\[0-7]{2,3}){6}",
    dots=r"(?:[.\-]{1,4}[ /|]{1,3}){8}",
    entities=r"&#|&lt;",
    percent=r"(?:%[0-9A-Fa-f]{2}){4}|%20",
    humps=r"(?:[A-Z]?[a-z]*[A-Z]){4}[a-z]",
    pieces=r"(?is)[\"'“‘][^\"'”’]{2,80}[\"'”’].{0,200}(?:\+|\bjoin|\bconcat|\bcombine|\btogether|\bpart\b)",
)
_costumes_in = _signs(
    spaced=r"(?:[a-z0-9@$!][ ._\-*|/~,\t\n]{1,3}){5}[a-z0-9@$!]",
    separated=r"[a-z][._\-*|/~^+=]+[a-z]",
    leeted=r"[a-z][0134578@$!+|][a-z]|[0134578@$!|][a-z]{2}",
    tagged=r"<",
    emphasised=r"(?:[*_~]{1,3}[^\s*_~][^*_~\n]{0,60}[*_~]{1,3}\W{1,3}){3}",
)


def plain(text: str) -> str:
    """`text` in lower case, without marks, invisible characters and odd spaces; its letters in their own script."""
    return " ".join(_lower(text).split())


def _lower(text: str) -> str:
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFKD", text.translate(_ENCLOSED).translate(_INVISIBLE))
    return unicodedata.normalize("NFC", text.translate(_MARKS)).casefold()


def readings(text: str, words: frozenset[str] = frozenset()) -> list[str]:
    """The ways to read `text`, the undisguised one first. `words` are known even with their letters shuffled."""
    found: dict[str, None] = {}
    pending = [(text, 0)]
    while pending and len(found) < MAX_READINGS:
        coded, depth = pending.pop(0)
        for one in _read(coded, words):
            found.setdefault(one)
        if depth < 2:
            pending += [(decoded, depth + 1) for decoded in _decoded(coded)]
    return list(found)[:MAX_READINGS]


def coded(text: str) -> bool:
    """Whether `text` holds something that may be a code, or letters that are not what they seem."""
    return not text.isascii() or bool(_codes_in(text)) or "spaced" in _costumes_in(text)


def turned(word: str) -> tuple[str, str]:
    """A word as it stands in a text that is written backwards, or in rot13."""
    return word[::-1], codecs.encode(word, "rot13")


def _read(text: str, words: frozenset[str]) -> Iterator[str]:
    lower = _lower(text)
    base = " ".join(lower.split())
    yield base
    if not text.isascii():
        hidden = "".join(_TAGS.get(ord(char), "") for char in text)
        if len(hidden) > 3:
            yield plain(hidden)
        if (touched := lower.translate(_BRAILLE)) != lower:
            yield " ".join(touched.split())
        if (turned := lower.translate(_UPSIDE_DOWN)) != lower:
            yield " ".join(turned[::-1].split())
        lower = lower.translate(_LOOKING)
        latin = " ".join(lower.split())
        if latin != base:
            yield latin
            base = latin
    costumes = _costumes_in(lower)
    if "spaced" in costumes and _SPACED.search(lower):
        # Before spaces are made one: two of them stand between words.
        spread = " ".join(_SPACED.sub(_joined, lower).split())
        yield spread
        yield spread.translate(_LEET)
    if "separated" in costumes:
        yield _SEPARATED.sub("", base)
        yield _SEPARATED.sub(" ", base)
    if "leeted" in costumes and _LEETED.search(base):
        yield base.translate(_LEET)
        yield base.translate(_LEET_L)
    if "emphasised" in costumes:
        yield _EMPHASIS.sub(r"\2", base)
    if "tagged" in costumes:
        yield " ".join(_TAGGED.sub(" ", base).split())
        yield " ".join(_TAGGED.sub("", base).split())
    if words and (mended := _mended(base, words)) != base:
        yield mended
    if len(base) <= MAX_REVERSED_CHARS:
        yield base.translate(_ROT13)
        if _reads_like_nothing(base):
            yield from (base.translate(cipher) for cipher in _CIPHERS)
        backwards = base[::-1]
        yield backwards
        yield " ".join(reversed(backwards.split(" ")))


def _reads_like_nothing(text: str) -> bool:
    """Whether `text` has words in which the letters that European languages use most are rare."""
    return len(text) < 12 * text.count(" ") and sum(map(text.count, _MOST_USED)) * 4 < len(text)


def _joined(found: re.Match[str]) -> str:
    """Spread letters as words: two separators in a row stand between words."""
    return re.sub(r"\x00", " ", re.sub(r"[ ._\-*|/~,\t\n]", "", re.sub(r"[ ._\-*|/~,\t\n]{2,3}", "\x00", found[0])))


def _decoded(text: str) -> Iterator[str]:
    codes = _codes_in(text)
    if not codes:
        return
    if "base64" in codes:
        for found in _BASE64.finditer(text):
            yield from _text(_unbase64(found[0]))
    if "base32" in codes:
        for found in _BASE32.finditer(text):
            digits = found[0].rstrip("=")
            yield from _text(_tried(base64.b32decode, digits + "=" * (-len(digits) % 8)))
    if "hex" in codes:
        for found in _HEX.finditer(text):
            digits = re.sub(r"0x|\\x|[ ,:]", "", found[0])
            yield from _text(_tried(bytes.fromhex, digits[: len(digits) // 2 * 2]))
    if "bits" in codes:
        for found in _BITS.finditer(text):
            yield from _text(bytes(int(bits, 2) for bits in re.findall(r"[01]{8}", found[0])))
    if "numbers" in codes:
        for found in _NUMBERS.finditer(text):
            yield from _text(bytes(int(number) for number in re.findall(r"[0-9]+", found[0]) if int(number) < 256))
    if "octal" in codes:
        for found in _OCTAL.finditer(text):
            yield from _text(bytes(int(number, 8) & 0xFF for number in found[0].split("\\")[1:]))
    if "dots" in codes:
        for found in _DOTS.finditer(text):
            words = re.split(r" ?[/|] ?| {3}", found[0])
            yield " ".join("".join(_MORSE.get(letter, "") for letter in word.split()) for word in words)
    if "escaped" in codes:
        yield canonical.text(_ESCAPED.sub(lambda found: _tried(codecs.decode, found[0], "unicode_escape") or "", text))
    if "entities" in codes:
        yield html.unescape(text)
    if "percent" in codes:
        yield unquote(text)
    if "humps" in codes:
        yield _HUMP.sub(" ", text)
    if "pieces" in codes and len(pieces := _PIECE.findall(text)) > 1:
        yield "".join(pieces)
        yield " ".join(pieces)


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
def _shapes(words: frozenset[str]) -> tuple[frozenset[tuple[str, str, int]], dict[tuple[str, str, str], str]]:
    """The ends and length of each word, and what it is made of."""
    ends = frozenset((word[0], word[-1], len(word)) for word in words)
    return ends, {_shape(word): word for word in sorted(words)}


def _shape(word: str) -> tuple[str, str, str]:
    return word[0], word[-1], "".join(sorted(word[1:-1]))


def _mended(text: str, words: frozenset[str]) -> str:
    """Words whose inner letters are shuffled as they are meant."""
    ends, shapes = _shapes(words)
    meant = {
        word: shapes[shape]
        for word in set(_WORD.findall(text)) - words
        if (word[0], word[-1], len(word)) in ends and (shape := _shape(word)) in shapes
    }
    return _WORD.sub(lambda found: meant.get(found[0], found[0]), text) if meant else text
