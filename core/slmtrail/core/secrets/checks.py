"""Checks beyond the pattern: what a secret of some kind has to be like."""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
import zlib
from collections import Counter
from collections.abc import Callable

from slmtrail.core.secrets.words import IN_SENTENCES, SAID_OF_PASSWORDS

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_MIN_RANDOM_BITS_A_CHAR = 3.0
_MIN_DRAWN_CHARS = 16
_MIN_RUNS_OF_DIGITS = 3
_MIN_WORD_CHARS = 6
_MIN_PHRASE_CHARS = 12
_MIN_PHRASE_WORDS = 3
_DIGITS = re.compile(r"[0-9]+")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_PLACEHOLDER = re.compile(
    r"!(?:vault|Ref|Sub|GetAtt|ImportValue|secret|env)\b.*|[*x.•_\-?]+|[\^~<>=v]{0,3}[0-9]+(?:\.[0-9]+)+|~?(?:/\.?[a-z][\w.\-]*){2,}/?|\^.*\$|(?:the|my|new|user|some)?_?(?:pass(?:word|wd|phrase)?|pwd|secret|token)|\$\{?\w.*|:[a-z_]\w*|%\(?\w.*|\{.*|\[.*|<.*|\(\w*\)?|.*(?:\.\.\.|…)|(?:your|my|some|the)[_\-].*|.*(?:example|placeholder|changeme|redacted).*",
    re.IGNORECASE | re.DOTALL,
)
_PLAIN_WORD = re.compile(
    r"[^\W\d][^\W\d\-]*(?:-[^\W\d]+)*-?[.:!?)]?|[0-9]{1,8}(?:[.\-\u2013][0-9]+)?[.%]?|(?:true|false|null)\W*"
)
_CODE = re.compile(
    r":?[A-Za-z_][\w.]*(?:::\w+)*[(\[].*|(?:os|process|env|self|this|config|settings|request|args)\.\w.*|"
    r"[A-Za-z_]+(?:\.[A-Za-z_]+)+\W?",
    re.DOTALL,
)
# What has letters and digits without being chosen as a secret: names of things, versions, amounts, dates, files.
_TECHNICAL = re.compile(
    r"[\^~<>=v]{0,3}[0-9]+(?:[.,:/_\-][0-9a-z]+)*[a-z%]{0,6}|[a-z]{1,16}[_\-]?[0-9]{1,2}[a-z]{0,2}|[A-Z]{1,8}(?:[_\-][0-9A-Za-z]{1,5}){1,4}|[A-Z]{1,8}[0-9]{1,6}|[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|"
    r"[A-Za-z]+[0-9]{1,2}|(?i:sha|aes|utf|rsa|iso|rfc|cve|pbkdf|base|oauth)[_\-]?[0-9][\w\-]{0,12}|"
    r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|(?:[a-z]+[0-9]{0,2}|[0-9]{1,4}[a-z]?)(?:[_\-./:]+(?:[a-z]+[0-9]{0,2}|[0-9]{1,4}[a-z]?))+|"
    r"[\w./~\-]{1,100}\.(?:[a-z]{2,4}|md|py|js|h|c|json|yaml|html|toml|[jt]sx)|[a-z][a-z+]{1,9}://.*|[\w.+\-]+@[\w\-]+(?:\.[\w\-]+)+",
    re.DOTALL,
)
_SIGNS = frozenset("!#$%&*+=?@^~")
_MARKER = re.compile(r"[A-Z][A-Z0-9_]*_[0-9]+|h[0-9]+:[0-9a-f]{24}")


def entropy_bits_a_char(text: str) -> float:
    """How random the characters of a text are, from 0 (all the same) to about 6."""
    length = len(text)
    return -sum(n / length * math.log2(n / length) for n in Counter(text).values()) if length else 0.0


def is_random(secret: str) -> bool:
    """It looks drawn by lot: mixed characters, digits among them, no word."""
    return any(char.isdigit() for char in secret) and entropy_bits_a_char(secret) >= _MIN_RANDOM_BITS_A_CHAR


def is_no_placeholder(secret: str) -> bool:
    """It is a value, not the place of one."""
    return not _PLACEHOLDER.fullmatch(secret) and not _MARKER.fullmatch(secret)


def is_assigned(secret: str) -> bool:
    """It is a value that someone chose as a secret, not a type, a word, a number or a piece of code."""
    return is_no_placeholder(secret) and not _PLAIN_WORD.fullmatch(secret) and not _CODE.fullmatch(secret)


def is_coined(secret: str) -> bool:
    """It is assigned, and nothing but a secret is written so: letters with digits or signs, no name of a thing."""
    return (
        any(map(str.isalpha, secret))
        and not secret.isalpha()
        and (any(map(str.isdigit, secret)) or not _SIGNS.isdisjoint(secret))
        and not any(map(str.isspace, secret))
        and is_assigned(secret)
        and not _TECHNICAL.fullmatch(secret)
    )


def is_drawn(secret: str) -> bool:
    """It is coined, long and drawn by lot, as what a program gives out is."""
    return (
        len(secret) >= _MIN_DRAWN_CHARS and is_random(secret) and is_coined(secret) and not _ADDRESS.fullmatch(secret)
    )


def is_mixed(secret: str) -> bool:
    """It is drawn from letters of both cases and digits: no hash, no path."""
    return (
        is_drawn(secret)
        and len(_DIGITS.findall(secret)) >= _MIN_RUNS_OF_DIGITS
        and secret not in (secret.lower(), secret.upper())
    )


def is_word(secret: str) -> bool:
    """It is one word that may be a password: none that is said of one."""
    return secret.isalpha() and len(secret) >= _MIN_WORD_CHARS and secret.lower() not in SAID_OF_PASSWORDS


def is_phrase(secret: str) -> bool:
    """It is some words that make no sentence, as of a pass-phrase."""
    words = [word.strip(".,;:!?").lower() for word in re.split(r"[\s,\-_]+", secret)]
    return (
        len(secret) >= _MIN_PHRASE_CHARS
        and len(words) >= _MIN_PHRASE_WORDS
        and any(map(str.isalpha, words))
        and SAID_OF_PASSWORDS.isdisjoint(words)
        and IN_SENTENCES.isdisjoint(words)
    )


def is_recovery_phrase(secret: str) -> bool:
    """It is twelve words or more that make no sentence."""
    return IN_SENTENCES.isdisjoint(re.findall(r"[a-z]+", secret))


def is_jwt(secret: str) -> bool:
    """Its first part is a JSON object that names an algorithm or a type."""
    head = secret.split(".", 1)[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return False
    return isinstance(header, dict) and bool(header.keys() & {"alg", "typ", "enc", "kid"})


def is_user_and_password(secret: str) -> bool:
    """It is what a registry or a server is told with `Basic`."""
    try:
        told = base64.b64decode(secret + "=" * (-len(secret) % 4)).decode()
    except (binascii.Error, ValueError):
        return False
    user, colon, password = told.partition(":")
    return bool(user and colon and password) and told.isprintable()


def has_github_checksum(secret: str) -> bool:
    """Its last six characters are the CRC-32 of those between the prefix and them."""
    body = secret[4:]
    number, text = zlib.crc32(body[:-6].encode("ascii", "replace")), ""
    while number:
        number, rest = divmod(number, 62)
        text = _BASE62[rest] + text
    return body[-6:] == text.rjust(6, "0")


CHECKS: dict[str, Callable[[str], bool]] = {
    "random": is_random,
    "not_placeholder": is_no_placeholder,
    "assigned": is_assigned,
    "coined": is_coined,
    "drawn": is_drawn,
    "mixed": is_mixed,
    "word": is_word,
    "phrase": is_phrase,
    "recovery_phrase": is_recovery_phrase,
    "jwt": is_jwt,
    "user_and_password": is_user_and_password,
    "github": has_github_checksum,
}
