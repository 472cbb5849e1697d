"""What `slmtrail doctor` finds: what is wrong, where, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Stage = Literal["collect", "stream", "index"]
STAGES: tuple[Stage, ...] = ("collect", "stream", "index")


@dataclass(frozen=True, slots=True)
class Symptom:
    """One thing. A fault stops something or loses something; a warning will, or might."""

    severity: Literal["fault", "warning"]
    check: str
    where: str
    what: str
    fix: str


def fault(check: str, where: object, what: object, fix: str) -> Symptom:
    """Something that does not work."""
    return Symptom("fault", check, str(where), str(what), fix)


def warning(check: str, where: object, what: object, fix: str) -> Symptom:
    """Something that works for now."""
    return Symptom("warning", check, str(where), str(what), fix)
