"""Roles: to whom the policy gives them, what each may use and how much, and how closely it is watched."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import translate
from functools import cache
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from slmtrail.core.events import CaptureLevel, KeyHash, Risk

RoleName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
Glob = Annotated[str, Field(min_length=1, max_length=256)]
"""A name in which `*` stands for anything and `?` for one character."""
Globs = tuple[Glob, ...]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Parameter = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
Positive = Annotated[int, Field(gt=0)]

ANYONE = "anyone"
"""The role of whom no other role fits. Where the file does not define it, it may use everything."""


class Part(BaseModel):
    """A piece of the policy file; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Who(Part):
    """Whom a role is given to: it is enough that one of these fits what is verified of them."""

    users: Globs = Field((), description="Names of users.")
    groups: Globs = Field((), description="Groups of the directory, as the token or the trusted proxy names them.")
    keys: tuple[KeyHash, ...] = Field((), description="Hashes of API keys, as `slmtrail policy key` prints them.")
    certificates: Globs = Field((), description="Subjects of client certificates.")

    def fits(self, user: str, groups: Sequence[str], key_hash: str, certificate: str) -> bool:
        """Whether someone of whom this is verified, empty where it is not, has the role."""
        return (
            (bool(user) and matches(self.users, user))
            or any(matches(self.groups, group) for group in groups)
            or (bool(key_hash) and key_hash in self.keys)
            or (bool(certificate) and matches(self.certificates, certificate))
        )


class Range(Part):
    """The values that a parameter of a request may take, ends included."""

    min: float | None = Field(None, description="The least.")
    max: float | None = Field(None, description="The most.")

    @model_validator(mode="after")
    def _is_a_range(self) -> Range:
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("min is above max")
        return self

    def holds(self, value: float) -> bool:
        """Whether `value` lies within."""
        return (self.min is None or value >= self.min) and (self.max is None or value <= self.max)


class Allowed(Part):
    """What a role may use."""

    models: Globs = Field(("*",), description="Models, as requests name them.")
    operations: Globs = Field(("*",), description="Operations by OpenTelemetry's names: chat, embeddings, …")
    tools: Globs = Field(("*",), description="Tools that a request may offer to the model.")
    parameters: dict[Parameter, Range] = Field(
        {}, description="Ranges of parameters, by the name that the request gives them: temperature, max_tokens, …"
    )
    system_prompts: tuple[Sha256, ...] = Field(
        (), description="SHA-256 of the system prompts that may be sent, in UTF-8; none named means any, or none."
    )
    data: Globs = Field(("*",), description="Types of findings that answers to this role may hold.")


class Limits(Part):
    """How much of it. What is not set is not limited."""

    prompt_bytes: Positive | None = Field(None, description="Bytes of a request's body.")
    messages: Positive | None = Field(None, description="Messages in a request.")
    prompt_tokens: Positive | None = Field(None, description="Tokens of a prompt, taken as a quarter of its bytes.")
    requests_a_minute: Positive | None = Field(None, description="Requests of one caller in a minute.")
    tokens_a_day: Positive | None = Field(None, description="Tokens of one caller in a day (UTC), both ways.")
    cost_usd_a_day: Annotated[float, Field(gt=0)] | None = Field(
        None, description="US dollars of one caller in a day (UTC), by `guard.prices`."
    )


class Role(Part):
    """One role."""

    who: Who = Field(Who(), description="Whom it is given to.")
    allow: Allowed = Field(Allowed(), description="What it may use.")
    limits: Limits = Field(Limits(), description="How much of it.")
    risk: Risk = Field("low", description="How closely it is watched: low, medium or high.")
    unrecorded: Literal["pass", "refuse"] = Field(
        "pass", description="What becomes of a request that can't be recorded on disk: it passes, or gets no answer."
    )
    capture: CaptureLevel = Field("full", description="How much is kept of its requests: full, redacted or metadata.")


@cache
def _pattern(glob: str) -> re.Pattern[str]:
    return re.compile(translate(glob.replace("[", "[[]")))


def matches(globs: Sequence[str], name: str) -> bool:
    """Whether one of `globs` stands for `name`."""
    return any(glob in ("*", name) or _pattern(glob).match(name) is not None for glob in globs)
