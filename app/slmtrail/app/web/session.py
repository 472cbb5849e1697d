"""A conversation in its order: of each request what is new in it, where the rest was shown before."""

from __future__ import annotations

from dataclasses import dataclass

from slmtrail.app.reading import Asked, Reading
from slmtrail.app.web import view
from slmtrail.core.ports import Sealed
from slmtrail.indexer.reading.walk import quoted, walk

MAX_RECORDS = 300


@dataclass(frozen=True, slots=True)
class Step:
    """A record of the conversation; `turns` is what it adds to the talk, where it is a request."""

    row: view.Row
    turns: list[view.Turn]


@dataclass(frozen=True, slots=True)
class Session:
    """All of a conversation, or the newest part of it."""

    steps: list[Step]
    total: int
    who: list[str]
    models: list[str]


def session(reading: Reading, name: str) -> Session:
    """The records of one session or conversation."""
    asked_for = Asked(f"session:{quoted(name)}")
    found = list(walk(reading.ask, reading.query(asked_for), MAX_RECORDS))[::-1]
    total = reading.count(asked_for)
    steps, said = [], 0
    for sealed in found:
        turns = view.conversation(sealed.record) if sealed.record.get("slm.kind") == "inference" else []
        asked = [turn for turn in turns if not turn.answer]
        # A client sends the whole talk again with each request: what came before is left out, however it is counted.
        new = asked[said:] if len(asked) > said else asked[-1:]
        said = len(asked) + 1 if turns else said
        steps.append(Step(view.row(sealed), [*new, *(turn for turn in turns if turn.answer)]))
    return Session(steps, total, _different(found, "user.id"), _different(found, "gen_ai.request.model"))


def _different(found: list[Sealed], name: str) -> list[str]:
    return list(dict.fromkeys(str(sealed.record[name]) for sealed in found if name in sealed.record))
