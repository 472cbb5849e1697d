"""How alike two texts are, and a fingerprint by which texts that are nearly the same find each other.

A text is taken as its shingles: the hashes of each two of its words in a row. The fingerprint is the few smallest of
them, so texts with most shingles in common have some of it in common (bottom-k of MinHash).
"""

from __future__ import annotations

from operator import add
from zlib import crc32

FINGERPRINT = 4
"""Hashes in a fingerprint: of texts that share 8 shingles in 10, all but 2 in 1,000 pairs share one of them."""

ALIKE = 0.6
"""From here on two texts are nearly the same: of twenty words perhaps two differ."""

MAX_CHARS = 8192
"""What is looked at of a text that is longer: its beginning."""

_BETWEEN_WORDS = bytes(range(0x80)).translate(None, b"0123456789abcdefghijklmnopqrstuvwxyz_")
_APART = bytes.maketrans(_BETWEEN_WORDS, b" " * len(_BETWEEN_WORDS))


def fingerprint(text: str) -> list[str]:
    """What stands in a record for finding others like it; empty for a text without words."""
    return [f"{value:08x}" for value in smallest(shingles(text))]


def smallest(shingles: set[int]) -> list[int]:
    """Those of them that are in a fingerprint."""
    # Most texts have a dozen below this, which are sorted in less time than all.
    limit = (3 * FINGERPRINT << 32) // max(len(shingles), 1)
    found = [shingle for shingle in shingles if shingle < limit]
    return sorted(found if len(found) >= FINGERPRINT else shingles)[:FINGERPRINT]


def shingles(text: str) -> set[int]:
    """Each two words of a text, hashed; the word where there is but one."""
    words = text[:MAX_CHARS].lower().encode("utf-8", "replace").translate(_APART).split()
    return set(map(crc32, map(add, words, words[1:]))) or set(map(crc32, words))


def alike(one: set[int], other: set[int]) -> float:
    """The share of shingles in common, between 0 and 1."""
    common = len(one & other)
    union = len(one) + len(other) - common
    return common / union if union else 1.0
