"""How much of an event is kept, by kind: all of it, what a fast look at the edge leaves, or its metadata alone."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from slmtrail.core.events import COLLECTED_KINDS, CaptureLevel
from slmtrail.core.roles import Part

ALWAYS_KEPT = frozenset({"inference", "auth", "policy", "config", "access"})
"""Kinds of which none is ever left out."""

STRICTNESS: dict[CaptureLevel, int] = {"full": 0, "redacted": 1, "metadata": 2}


def stricter(first: CaptureLevel, second: CaptureLevel) -> CaptureLevel:
    """The one that keeps less."""
    return max(first, second, key=lambda level: STRICTNESS[level])


class Capture(Part):
    """What collectors keep. A caller may ask for less to be kept of its own events, never for more or for none."""

    level: CaptureLevel = Field("full", description="full, redacted (by a fast look at the edge), or metadata.")
    levels: dict[str, CaptureLevel] = Field({}, description="By kind, where it differs.")
    sample: dict[str, Annotated[float, Field(gt=0, le=1)]] = Field(
        {}, description="By kind: which share of its events is kept. What fails is always kept."
    )
    health_summary_s: Annotated[int, Field(ge=0, le=3600)] = Field(
        60, description="Health checks become one event every so many seconds, by path and outcome; 0: one each."
    )

    @model_validator(mode="after")
    def _kinds_are_known(self) -> Capture:
        for kind in (*self.levels, *self.sample):
            if kind not in COLLECTED_KINDS:
                raise ValueError(f"{kind!r} is no kind of event; those are {', '.join(sorted(COLLECTED_KINDS))}")
        for kind in self.sample:
            if kind in ALWAYS_KEPT:
                raise ValueError(f"sample: every event of kind {kind!r} is kept")
        return self

    def level_of(self, kind: str) -> CaptureLevel:
        """How much of events of `kind` is kept."""
        return self.levels.get(kind, self.level)
