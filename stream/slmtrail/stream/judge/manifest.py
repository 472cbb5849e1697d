"""rule.yaml: what a rule detects, why, how bad it is, what to do, its parameters, and cases that show it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from slmtrail.core.events import KINDS
from slmtrail.core.fields import FIELDS
from slmtrail.core.judging import Severity
from slmtrail.core.roles import RoleName
from slmtrail.core.spans import span_ms
from slmtrail.stream.judge.networks import NETWORK

Selection = dict[str, Any]


class Part(BaseModel):
    """A piece of rule.yaml; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Step(Part):
    """A record of a case, and how it comes again."""

    record: dict[str, Any]
    times: Annotated[int, Field(ge=1, le=10_000)] = 1
    every: str = "1s"
    after: str = "0s"


class Case(Part):
    """Records on which a rule must or must not fire; run as a test."""

    name: str
    fires: bool
    record: dict[str, Any] | None = None
    steps: tuple[Step, ...] = ()
    parameters: dict[str, Any] = {}
    role: dict[str, Any] | None = None
    """The policy's role of these records, where the rule looks at it."""

    @model_validator(mode="after")
    def _has_records(self) -> Case:
        if (self.record is None) == (not self.steps):
            raise ValueError(f"case {self.name!r}: give either a record or steps")
        return self


class Window(Part):
    """What is remembered of a subject. Its numbers are parameters of the rule (see folds.py)."""

    kind: Literal["count", "sum", "distinct", "change", "rise", "own"]
    value: str = ""
    """The field that is summed up or told apart; `rule.py` may answer a Hit with a value instead."""

    @field_validator("value")
    @classmethod
    def _is_a_field(cls, name: str) -> str:
        if name and name not in FIELDS:
            raise ValueError(f"{name}: no such field")
        return name


class Manifest(Part):
    """The whole file."""

    id: RoleName
    name: str
    detects: str
    reference: Annotated[list[str], Field(min_length=1)]
    severity: Severity
    response: str
    kinds: Annotated[list[str], Field(min_length=1)]
    subject: Annotated[list[str], Field(min_length=1)]
    """The fields that name whom the alert is about; the first that the record has is taken."""
    besides: list[str] = []
    """The same for a second subject, with a window of its own; of an address, `…|network` takes the network, so that
    those who rotate through one, or share it, are one subject."""
    parameters: dict[str, Any] = {}
    needs: list[str] = []
    """Fields without any of which the rule has nothing to say: records that have none of them are not shown to it."""
    match: Selection | list[Selection] | None = None
    """Conditions that all rules may have, and the simple ones have alone: see match.py."""
    unless: Selection | list[Selection] | None = None
    why: str = ""
    """The reason of a rule without rule.py; `{field}`, `{parameter}`, `{observed}` and `{baseline}` are filled in."""
    window: Window | None = None
    quiet: str = "1h"
    """After so long without a firing an alert is over, and the next one is another."""
    cases: Annotated[list[Case], Field(min_length=1)]

    @model_validator(mode="after")
    def _is_sound(self) -> Manifest:
        for kind in self.kinds:
            if kind not in KINDS:
                raise ValueError(f"kinds: {kind!r} is no kind of record")
        besides = [name.removesuffix(NETWORK) for name in self.besides]
        for what, names in (("subject", self.subject), ("besides", besides), ("needs", self.needs)):
            for name in names:
                if name not in FIELDS:
                    raise ValueError(f"{what}: {name}: no such field")
        if self.besides and self.window is None:
            raise ValueError("besides: a rule without a window has one subject")
        span_ms(self.quiet)
        for name in ("within", "after"):
            if name in self.parameters:
                span_ms(self.parameters[name])
        needed = {"count": ["at_least", "within"], "sum": ["at_least", "within"], "distinct": ["at_least", "within"]}
        needed["rise"] = ["at_least", "factor", "deviations", "unknown"]
        for name in needed.get(self.window.kind if self.window else "", []):
            if name not in self.parameters:
                raise ValueError(f"parameters: a window of kind {self.window and self.window.kind} needs {name!r}")
        return self
