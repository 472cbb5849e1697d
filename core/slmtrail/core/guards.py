"""What the guard looks for beside the roles: patterns, sensitive data, and what it does about each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

import re2
from pydantic import AfterValidator, Field, model_validator

from slmtrail.core.roles import Glob, Globs, Part, RoleName

Verdict = Literal["allow", "flag", "block"]
Place = Literal["prompt", "system", "tools", "answer"]
MAX_PATTERN_CHARS = 4096


def compiled(pattern: str) -> re2.Pattern:
    """An expression of RE2, ready. Raises ValueError for what is none."""
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        told = error.args[0]
        text = told.decode(errors="replace") if isinstance(told, bytes) else str(told)
        raise ValueError(f"is no expression of RE2: {text}; it has no lookaround and no backreferences") from None


def together(patterns: Iterable[str], max_mb: int = 8) -> re2.Set:
    """Expressions of RE2, looked for in one pass, with so much memory for what it learns of texts on the way."""
    options = re2.Options()
    options.max_mem = max_mb << 20
    options.never_capture = True
    made = re2.Set.SearchSet(options)
    for pattern in patterns:
        made.Add(pattern)
    made.Compile()
    return made


def _checked(pattern: str) -> str:
    compiled(pattern)
    return pattern


Pattern = Annotated[str, Field(min_length=1, max_length=MAX_PATTERN_CHARS), AfterValidator(_checked)]
"""An expression of RE2, which takes time in proportion to the text whatever the expression."""


class PatternRule(Part):
    """A pattern that must not stand in some place, or must."""

    pattern: Pattern = Field(description="An expression in the syntax of RE2.")
    places: Annotated[tuple[Place, ...], Field(min_length=1)] = Field(
        ("prompt",), description="Where it is looked for: prompt, system, tools, answer."
    )
    required: bool = Field(False, description="Whether it has to match, where by default it must not.")
    verdict: Literal["flag", "block"] = Field("block", description="What follows.")
    roles: Globs = Field(("*",), description="For which roles.")
    message: Annotated[str, Field(max_length=500)] = Field("", description="What the client is told of it.")

    @model_validator(mode="after")
    def _can_be_checked(self) -> PatternRule:
        if self.required and "answer" in self.places:
            raise ValueError("an answer can't be held to contain something: it is passed on as it comes")
        return self


class Sensitive(Part):
    """What is done about secrets or personal data that a fast look finds; the thorough one is the stream's."""

    prompt: Verdict = Field("allow", description="In what is asked.")
    answer: Verdict = Field("allow", description="In what is answered: block cuts the answer off.")


class Price(Part):
    """US dollars for a million tokens."""

    input_usd: Annotated[float, Field(ge=0)] = Field(0.0, description="Of the prompt.")
    output_usd: Annotated[float, Field(ge=0)] = Field(0.0, description="Of the answer.")


class Guard(Part):
    """The guard of a sidecar."""

    enforce: bool = Field(True, description="Whether what is to be blocked is; else it is flagged, to try a policy.")
    identity: Literal["optional", "required"] = Field(
        "optional", description="Whether a request has to show who sends it, and hold."
    )
    secrets: Sensitive = Field(Sensitive(), description="Keys, tokens and passwords.")
    personal: Sensitive = Field(Sensitive(), description="E-mail addresses, cards, accounts, telephone numbers.")
    patterns: dict[RoleName, PatternRule] = Field({}, description="Patterns by name.")
    prices: dict[Glob, Price] = Field({}, description="By model, for budgets: the first that fits counts.")
