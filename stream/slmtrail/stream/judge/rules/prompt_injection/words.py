"""The concepts of a wish, which each language has words for.

Words are as `disguise.plain` leaves them: lower case, without marks on letters.
"""
# ruff: noqa: RUF001

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """The concepts of one language, each an expression of RE2; an empty one stands for nothing."""

    drop: str
    """To set aside, switch off, not follow."""
    own: str
    """What the model was told, or what keeps it safe, as its own."""
    part: str = ""
    """To be somebody."""
    free: str = ""
    """Without rules."""
    show: str = ""
    """To tell, to ask for."""
    unseen: str = ""
    """What the operator wrote, and what stands before the conversation."""
    guard: str = ""
    """What keeps a model safe, whoever's it is."""
    freely: str = ""
    """To answer anything."""
    void: str = ""
    """That what the model was told holds no longer."""
    obey: str = ""
    """Nobody but me."""
    prior: str = ""
    """What stands before, whoever wrote it."""
    shun: str = ""
    """To drop it, and nothing that one does to a file or a firewall."""
    past: str = ""
    """Softer ways to drop, and that it holds no longer."""
    terms: str = ""
    """Rules that a company has as well as a model."""
    laws: str = ""
    """Rules, whoever's they are."""
    its: str = ""
    """A model's rules, as a third speaks of them."""
    go: str = ""
    """To go on with the answer."""
    here: str = ""
    """For this conversation."""
    claim: str = ""
    """By what right."""
    bare: str = ""
    """Safety off, and nothing else said."""
    called: str = ""
    """In what tools and documents bring: a machine that reads is spoken to."""
    deed: str = ""
    """There: what it is to do."""
    hush: str = ""
    """There: that nobody is to hear of it."""
    theft: str = ""
    """There: what is to be sent where."""
    untask: str = ""
    """There: not to do what it was asked."""


def near(one: str, other: str, gap: int = 24) -> str:
    """One and the other, in either order, close together."""
    between = rf"[^.!?;。！？]{{0,{gap}}}?"
    return rf"(?:{one}){between}(?:{other})|(?:{other}){between}(?:{one})"


def void(*, yours: str, prior: str, orders: str, rules: str, over: str) -> str:
    """Their orders or rules, or earlier orders, hold no longer. Earlier rules may be anybody's."""
    theirs = rf"(?:{yours})\b[^.!?;]{{0,16}}?\b(?:{orders}|{rules})"
    told = rf"\b(?:{theirs}|(?:{prior}) (?:{orders})|(?:{orders}) (?:{prior}))\b"
    return rf"{told}[^.!?;]{{0,30}}?\b(?:{over})"


def word(words: str) -> str:
    return rf"\b(?:{words})\b"


def latin(**concepts: str) -> Words:
    """Words of a language that sets spaces between them."""
    return Words(**{name: word(words) if name not in ("own", "void") else words for name, words in concepts.items()})


def script(**concepts: str) -> Words:
    """Words in other letters: what RE2 means by a word is ASCII."""
    return Words(
        **{
            name: words.replace(r"\w", r"[\pL\pM\pN_]").replace(r"\b", r"(?:^|$|[^\pL\pM])")
            for name, words in concepts.items()
        }
    )


PROMPT = r"(?:system ?-?prompt|prompt)"
"""What a system prompt is called in most languages."""
