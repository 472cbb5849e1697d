"""The words of the embedded store are those of a real Elasticsearch, character by character."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from elasticsearch import Elasticsearch

from servers.elastic import Elastic
from slmtrail.indexer.store import characters
from slmtrail.indexer.store.words import words

Analyze = Callable[[str], list[str]]

_BATCH = 500
_CONTEXTS = (
    "{0}",
    "{0}{0}",
    "x{0}y",
    "1{0}2",
    "\u30a2{0}\u30a4",
    "\u0e01{0}\u0e02",
    "{0}.{0}",
    "{0}:{0}",
    "{0},{0}",
    "{0}_{0}",
)


@pytest.fixture(scope="module")
def analyze(elastic: Elastic) -> Analyze:
    """The server's words of a text."""
    client = Elasticsearch(elastic.url, request_timeout=60)
    return lambda text: [found["token"] for found in client.indices.analyze(analyzer="standard", text=text)["tokens"]]


def _characters(name: str) -> list[str]:
    spans = [span.partition("-") for span in getattr(characters, name).split()]
    return [chr(code) for first, _, last in spans for code in range(int(first, 16), int(last or first, 16) + 1)]


def _same(analyze: Analyze, texts: list[str]) -> None:
    for start in range(0, len(texts), _BATCH):
        batch = texts[start : start + _BATCH]
        if analyze("\n".join(batch)) != words("\n".join(batch)):
            assert [(text, analyze(text)) for text in batch] == [(text, words(text)) for text in batch]


def test_each_character_is_in_its_class(analyze: Analyze) -> None:
    names = ("LETTER", "HEBREW", "DIGIT", "KATAKANA", "SINGLE", "ASIAN", "JOINT", "EMOJI", "MARK", "MID", "MID_LETTER")
    known = {name: _characters(name) for name in (*names, "MID_DIGIT", "MODIFIER", "REGIONAL", "EMOJI_LETTER")}
    # Every class at both ends of each of its spans, and what stands beside them, which is in no class or another.
    edges = set()
    for name in known:
        for span in getattr(characters, name).split():
            first, _, last = span.partition("-")
            edges |= {int(first, 16) - 1, int(first, 16), int(last or first, 16), int(last or first, 16) + 1}
    chosen = [chr(code) for code in sorted(edges) if code > 0x20 and not 0xD800 <= code <= 0xDFFF]
    _same(analyze, [" ".join(context.format(char) for context in _CONTEXTS) for char in chosen])


@pytest.mark.parametrize("seed", range(4))
def test_mixed_texts(analyze: Analyze, seed: int) -> None:
    rng = random.Random(seed)
    names = (
        "LETTER",
        "DIGIT",
        "KATAKANA",
        "SINGLE",
        "ASIAN",
        "JOINT",
        "MARK",
        "MID",
        "MID_LETTER",
        "MID_DIGIT",
        "REGIONAL",
    )
    pools = [_characters(name) for name in names] + [list(map(chr, range(33, 127)))] * 3
    # Pictures that are letters too, and the marks of pictures, have rules that no text of people needs.
    excluded = {*_characters("EMOJI_LETTER"), *_characters("MODIFIER"), *"\u200d\ufe0e\ufe0f\u20e3"}
    pools = [[char for char in pool if char not in excluded] for pool in pools]
    texts = []
    for _ in range(1500):
        chosen = rng.sample(pools, 3)
        texts.append("".join(rng.choice(rng.choice(chosen)) for _ in range(rng.randint(1, 10))))
    _same(analyze, texts)


def test_pictures_and_long_words(analyze: Analyze) -> None:
    pictures = "🎉 ☕️ 👍🏽 👩‍👩‍👧 🏳️‍🌈 🇩🇪🇫🇷 🇩 #️⃣ *️⃣ 1️⃣ 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f ™ ©"
    long = [
        "x" * 254,
        "x" * 255,
        "x" * 256,
        "é" * 600,
        "𐐀" * 300,
        "a." * 400,
        "1," * 400,
        "日" * 300,
        "ก" * 300,
        "e" + "\u0301" * 700,
    ]
    _same(analyze, [*pictures.split(), f"a{pictures}b".replace(" ", ""), *long, *(f"a{text}b c" for text in long)])
