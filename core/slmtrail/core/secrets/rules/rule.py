"""What a rule is, and a short way to write the usual kind."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of secret.

    pattern: in the syntax of `re`; repeats are bounded where they could be tried at many places, so that it
        takes linear time. Its group `secret` is what is removed, the whole match where there is none.
    anchors: small-letter literals, one of which is in every match: where none is, the rule doesn't run.
    gate: an expression of RE2 that occurs in every match, to go by where the anchors are in too many texts.
    is_column: what matches is the name of a column; the secrets are what stands below it in a table.
    is_container: what matches is a name and what opens its values; the secrets are those of them that pass the check.
    at_anchor: every match begins where an anchor does, so that it is looked for there alone.
    check: the name of a check in `checks.py`. What fails it is no secret, or, where `unchecked_score` is
        above zero, is one with that score.
    """

    name: str
    type: str
    pattern: str
    anchors: tuple[str, ...]
    examples: tuple[str, ...]
    counterexamples: tuple[str, ...] = ()
    check: str = ""
    score: float = 1.0
    unchecked_score: float = 0.0
    gate: str = ""
    is_column: bool = False
    is_container: bool = False
    at_anchor: bool = False


def prefixed(
    name: str,
    type_: str,
    prefix: str,
    rest: str,
    *examples: str,
    counter: tuple[str, ...] = (),
    check: str = "",
    unchecked_score: float = 0.0,
    gate: str = "",
) -> Rule:
    """A rule for tokens that a fixed prefix gives away."""
    heads = prefix.split("|")
    pattern = rf"\b(?P<secret>(?:{'|'.join(head.replace('.', '[.]') for head in heads)}){rest})"
    return Rule(
        name,
        type_,
        pattern,
        tuple(head.lower() for head in heads),
        examples,
        counter,
        check,
        1.0,
        unchecked_score,
        gate,
    )
