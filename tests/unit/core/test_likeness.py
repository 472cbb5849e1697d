"""Fingerprints: texts that are nearly the same find each other, others do not."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from slmtrail.core.likeness import ALIKE, FINGERPRINT, alike, fingerprint, shingles

WORDS = [f"word{number}" for number in range(2000)]


@given(st.text(max_size=300))
def test_any_text_has_one_and_is_like_itself(text: str) -> None:
    made = fingerprint(text)
    assert made == fingerprint(text)
    assert len(made) <= FINGERPRINT
    assert all(len(value) == 8 for value in made)
    assert alike(shingles(text), shingles(text)) == 1.0


def test_case_and_signs_make_no_difference() -> None:
    assert fingerprint("Reset my PASSWORD, please!") == fingerprint("reset my password please")


def test_a_fingerprint_stays_what_it_was() -> None:
    assert fingerprint("Reset my PASSWORD, please! Straße 漢字") == ["31aa88a1", "a65a0145", "c30892c7", "cb730b84"]


def test_lone_surrogates_are_no_fault() -> None:
    assert fingerprint("a \ud800 b")


def test_nearly_the_same_share_something() -> None:
    rng = random.Random(1)
    missed = 0
    for _ in range(300):
        words = rng.choices(WORDS, k=40)
        changed = [*words]
        changed[rng.randrange(40)] = "another"
        one, other = " ".join(words), " ".join(changed)
        assert alike(shingles(one), shingles(other)) > ALIKE
        missed += not set(fingerprint(one)) & set(fingerprint(other))
    assert missed <= 3


def test_different_texts_are_not_alike() -> None:
    rng = random.Random(2)
    one, other = (" ".join(rng.choices(WORDS, k=40)) for _ in range(2))
    assert alike(shingles(one), shingles(other)) < 0.1
    assert not set(fingerprint(one)) & set(fingerprint(other))
