"""How long records are kept: in classes, which the stream writes into them, so that a later policy moves none.

A record is kept whole, then without its content (what is left still proves), then not at all. Records from before there
were classes, and those that no assignment fits, are of the class `standard`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from slmtrail.core.events import Risk
from slmtrail.core.roles import Globs, Part, matches
from slmtrail.core.spans import Span, span_ms

STANDARD = "standard"
FIELD = "slm.retention.class"

MAX_CLASSES = 4
"""Each costs Elasticsearch a data stream for every environment."""

DAY_MS = 24 * 3_600_000
PERIODS = 12
MAX_PERIOD_DAYS = 30

ClassName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")]
Kind = Literal["inference", "auth", "policy", "config", "process", "upstream", "access", "alert", "system"]


class Kept(Part):
    """One class. Ages are counted from the end of the period that a record lies in."""

    content: Span = Field(description="How long content, persons and salts are kept.")
    keep: Span = Field(description="How long the rest is: metadata, commitments, statistics.")

    @model_validator(mode="after")
    def _keeps_the_rest_longer(self) -> Kept:
        if span_ms(self.keep) < span_ms(self.content):
            raise ValueError("keep is shorter than content: what is removed has no content either")
        return self

    @property
    def period_ms(self) -> int:
        """The records of one period go together, by which nothing is kept more than a twelfth longer."""
        return min(max(span_ms(self.content) // PERIODS // DAY_MS, 1), MAX_PERIOD_DAYS) * DAY_MS

    def content_before_ms(self, at_ms: int) -> int:
        """Records of before then have no content any more at a time."""
        return self._begun(at_ms - span_ms(self.content))

    def kept_before_ms(self, at_ms: int) -> int:
        """Records of before then are there no more at a time."""
        return self._begun(at_ms - span_ms(self.keep))

    def period_age_ms(self, at_ms: int) -> int:
        """How long ago the period began in which a time lies."""
        return at_ms - self._begun(at_ms)

    def _begun(self, at_ms: int) -> int:
        return at_ms // self.period_ms * self.period_ms


class Assignment(Part):
    """Which records are of a class: all that is given must fit."""

    to: ClassName = Field(description="The class.")
    kinds: tuple[Kind, ...] = Field((), description="Of these kinds; none named means any.")
    environments: Globs = Field(("*",), description="In these environments.")
    roles: Globs = Field(("*",), description="Of these roles.")
    risks: tuple[Risk, ...] = Field((), description="Of roles of these risks; none named means any.")
    findings: Globs = Field((), description="With findings of one of these types; none named means with or without.")

    def fits(self, record: Mapping[str, Any]) -> bool:
        """Whether a record is one of these."""
        return (
            (not self.kinds or record["slm.kind"] in self.kinds)
            and (not self.risks or record.get("slm.risk") in self.risks)
            and matches(self.environments, record.get("deployment.environment.name", ""))
            and matches(self.roles, record.get("slm.role", ""))
            and (
                not self.findings
                or any(matches(self.findings, type_) for type_ in record.get("slm.findings.types", ()))
            )
        )


# Six months, at most 184 days, are the least that Articles 19 and 26(6) of the EU AI Act ask for; PCI DSS asks for a
# year. What says who did what, and what the trail says of itself, is asked for longest (HIPAA: six years) and holds
# the least content.
_CLASSES = {
    STANDARD: Kept(content="184d", keep="731d"),
    "audit": Kept(content="731d", keep="2192d"),
}
_ASSIGN = (Assignment(to="audit", kinds=("auth", "policy", "config", "access", "alert", "system")),)


class Retention(Part):
    """How long what is kept. Of assignments the first that fits counts."""

    classes: dict[ClassName, Kept] = Field(
        _CLASSES, description="At most four, by a name of your own; `standard` is of all that is not assigned."
    )
    assign: tuple[Assignment, ...] = Field(_ASSIGN, description="Which records are of which class.")
    rollups: Span = Field("1827d", description="How long hourly statistics are kept.")

    @model_validator(mode="after")
    def _names_its_classes(self) -> Retention:
        if STANDARD not in self.classes:
            raise ValueError(f"classes: {STANDARD} is missing, the class of all that is not assigned")
        if len(self.classes) > MAX_CLASSES:
            raise ValueError(f"classes: {len(self.classes)} are over {MAX_CLASSES}")
        for assignment in self.assign if "assign" in self.model_fields_set else ():
            if assignment.to not in self.classes:
                raise ValueError(f"assign: there is no class {assignment.to} in classes")
        return self

    def class_of(self, record: Mapping[str, Any]) -> str:
        """The class of a new record."""
        return next((one.to for one in self.assign if one.to in self.classes and one.fits(record)), STANDARD)
