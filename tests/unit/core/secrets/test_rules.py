"""Every rule finds its examples and leaves its counterexamples alone, and what it needs is in them."""

from __future__ import annotations

import re
import time
import zlib

import pytest

from slmtrail.core.secrets.checks import CHECKS, entropy_bits_a_char, has_github_checksum, is_jwt
from slmtrail.core.secrets.matcher import SecretMatcher
from slmtrail.core.secrets.rules import RULES, Rule


def unsplit(example: str) -> str:
    """An example without the mark that hides it from scanners."""
    return example.replace("¦", "")


EXAMPLES = [
    pytest.param(rule, example, id=f"{rule.name}-{n}") for rule in RULES for n, example in enumerate(rule.examples)
]
COUNTEREXAMPLES = [
    pytest.param(rule, example, id=f"{rule.name}-{n}")
    for rule in RULES
    for n, example in enumerate(rule.counterexamples)
]


@pytest.mark.parametrize(("rule", "example"), EXAMPLES)
def test_a_rule_finds_its_examples(rule: Rule, example: str) -> None:
    text = unsplit(example)
    found = SecretMatcher([rule]).find(text)
    assert len(found) == 1
    # The mark stands inside of what has to go.
    assert found[0].start <= example.index("¦") <= found[0].end
    assert found[0].score >= 0.6


@pytest.mark.parametrize(("rule", "example"), EXAMPLES)
def test_an_anchor_is_in_every_example(rule: Rule, example: str) -> None:
    assert any(anchor in unsplit(example).lower() for anchor in rule.anchors)
    assert re.search(rule.pattern, unsplit(example))


@pytest.mark.parametrize(("rule", "example"), COUNTEREXAMPLES)
def test_a_rule_leaves_its_counterexamples_alone(rule: Rule, example: str) -> None:
    assert SecretMatcher([rule]).find(unsplit(example)) == []


def test_names_are_unique_and_checks_exist() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert {rule.check for rule in RULES if rule.check} <= set(CHECKS)
    assert all(anchor == anchor.lower() for rule in RULES for anchor in rule.anchors)


def test_a_github_checksum_is_the_crc_of_the_body() -> None:
    body = "a" * 30
    number, digits = zlib.crc32(body.encode()), ""
    alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    while number:
        number, rest = divmod(number, 62)
        digits = alphabet[rest] + digits
    token = "ghp_" + body + digits.rjust(6, "0")
    assert has_github_checksum(token)
    assert not has_github_checksum(token[:-1] + ("a" if token[-1] != "a" else "b"))
    assert SecretMatcher().find(token)[0].score == 1.0
    assert SecretMatcher().find("ghp_" + "b" * 36)[0].score < 1.0


def test_a_jwt_needs_a_header_of_json() -> None:
    assert is_jwt("eyJhbGciOiJub25lIn0.e30.")
    assert not is_jwt("eyJub3QgYSBoZWFkZXI.e30.")


def test_entropy_goes_from_none_to_a_lot() -> None:
    assert entropy_bits_a_char("aaaa") == 0
    assert entropy_bits_a_char("abcdefgh") == 3


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_takes_linear_time(rule: Rule) -> None:
    """Eight times the text takes no more than about eight times as long, whatever it repeats."""
    matcher = SecretMatcher([rule])
    pieces = [
        *rule.anchors,
        *(unsplit(example) for example in rule.examples),
        *(unsplit(e)[:-9] for e in rule.examples),
    ]

    def seconds(text: str) -> float:
        def once() -> float:
            start = time.process_time()
            matcher.find(text)
            return time.process_time() - start

        # The least of several: a collection of garbage in between is not the rule's.
        first = once()
        return first if first < 0.1 else min(first, once(), once())

    for piece in pieces:
        long = (piece * 20_000)[:64_000]
        # Quadratic time would be minutes; half a second is the promise for a text of this size.
        assert seconds(long) < 0.5 + 8 * seconds(long[:8_000])
