"""Words are Lucene's, whatever the text, in time that grows with the text."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slmtrail.indexer.store import characters, schema
from slmtrail.indexer.store.words import MAX_WORD_UNITS, words

TRICKY = "ab1_.:',;\"#*\u200d\ufe0f\ufe0e\u20e3\u0301アカ日ひกั\u05d0\u05d1🎉👩🏻🇩🇪ℹⒾ𐐀İΣς \n\x00"
texts = st.text(st.one_of(st.sampled_from(TRICKY), st.characters(exclude_categories=["Cs"])))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("The QUICK fox", ["the", "quick", "fox"]),
        ("don't rock'n'roll 'quoted'", ["don't", "rock'n'roll", "quoted"]),
        ("3.14 3,000 1;2 1:2 a.b a:b a,b 1.a", ["3.14", "3,000", "1;2", "1", "2", "a.b", "a:b", "a", "b", "1", "a"]),
        ("bob@example.com <EMAIL_1> __init__ _ __", ["bob", "example.com", "email_1", "__init__"]),
        ("a_.b C++ x-y", ["a_", "b", "c", "x", "y"]),
        ("naïve café e\u0301te\u0301", ["naïve", "café", "e\u0301te\u0301"]),
        ("日本語 カタカナ ひら 한국어", ["日", "本", "語", "カタカナ", "ひ", "ら", "한국어"]),
        ("สวัสดีครับ ကမ္ဘာ", ["สวัสดีครับ", "ကမ္ဘာ"]),
        ("צה\"ל ג'ירף שלום", ['צה"ל', "ג'ירף", "שלום"]),
        ("ΟΔΥΣΣΕΥΣ İstanbul", ["οδυσσευσ", "istanbul"]),
        (
            "hi🎉👩\u200d👩\u200d👧 🇩🇪 ☕\ufe0f #\ufe0f\u20e3 👍🏽",
            ["hi", "🎉", "👩\u200d👩\u200d👧", "🇩🇪", "☕\ufe0f", "#\ufe0f\u20e3", "👍🏽"],
        ),
        ("x" * 600, ["x" * 255, "x" * 255, "x" * 90]),
        ("𐐀" * 130, ["𐐨" * 127, "𐐨" * 3]),
        ("a." * 200, [("a." * 128)[:-1], ("a." * 72)[:-1]]),
    ],
)
def test_words_of_many_scripts(text: str, found: list[str]) -> None:
    assert words(text) == found


@given(texts, texts)
def test_no_word_reaches_across_a_line(one: str, other: str) -> None:
    assert words(f"{one}\n{other}") == words(one) + words(other)


@given(st.text("Aab12_.:',;-# \n\x00\x1c"))
def test_a_text_in_ascii_has_the_words_that_it_has_beside_another_script(text: str) -> None:
    assert words(f"{text}\né") == [*words(text), "é"]


@given(texts)
def test_no_word_is_empty_long_or_has_a_blank(text: str) -> None:
    for word in words(text * 5):
        assert 0 < len(word.encode("utf-16-le")) // 2 <= MAX_WORD_UNITS
        assert not set(word) & set(" \n\t\x00")


@given(st.lists(texts, min_size=1, max_size=3))
def test_the_index_keeps_words_as_they_are(lines: list[str]) -> None:
    found = words("\n".join(lines))
    db = sqlite3.connect(":memory:")
    db.create_function("searched", 1, lambda data: data)
    schema.create(db)
    db.execute("INSERT INTO words (rowid, text) VALUES (1, ?)", (" ".join(found),))
    db.execute("CREATE VIRTUAL TABLE vocabulary USING fts5vocab ('words', 'instance')")
    kept = [word for (word,) in db.execute("SELECT term FROM vocabulary ORDER BY offset")]
    db.close()
    assert kept == found


@pytest.mark.parametrize(
    "text",
    [
        "_",
        "a'",
        "_'",
        "é_",
        "éア_",
        "\u200d",
        "é\u0301",
        "x",
        "🏻",
        "Ⓜ\u200d",
        "#\ufe0f",
        'א"',
        "aא",
        "_\u0301",
        "ก\u200d_",
    ],
)
def test_a_megabyte_of_one_trap_is_done_at_once(text: str) -> None:
    # A pattern that steps back would be at this for hours.
    assert all(len(word) <= MAX_WORD_UNITS for word in words(text * 250_000 + "é"))


def test_no_character_is_in_two_classes_that_exclude_each_other() -> None:
    starts = ("LETTER", "HEBREW", "DIGIT", "KATAKANA", "SINGLE", "ASIAN", "JOINT", "EMOJI", "REGIONAL")
    seen: dict[int, str] = {}
    for name in starts:
        for span in getattr(characters, name).split():
            first, _, last = span.partition("-")
            for code in range(int(first, 16), int(last or first, 16) + 1):
                assert code not in seen, (hex(code), name, seen.get(code))
                seen[code] = name
