"""What was asked like this before, by whom, and what each model answered then and now."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from slmtrail.core import likeness
from slmtrail.core.ports import Query
from slmtrail.core.said import answer, prompt, version_of
from slmtrail.indexer.reading.walk import UNREADABLE, Search, narrowed, walk
from slmtrail.indexer.store.columns import LIKENESS

MAX_LOOKED_AT = 2000
"""Records that share something with the text, of which the newest are looked at."""


@dataclass(frozen=True, slots=True)
class Asking:
    """One time that it was asked."""

    id: str
    at: str
    user: str
    model: str
    alike: float
    """1 where it is the same words in the same order."""
    prompt: str
    answer: str
    outcome: str


@dataclass(frozen=True, slots=True)
class History:
    """The times that something was asked, the newest first, and of each model the newest and the oldest answer."""

    askings: list[Asking]
    by_model: dict[str, list[Asking]]
    times: int
    """How often it was asked among those that were looked at, of which `askings` are the newest."""
    looked_at: int
    """Of how many records; where these are as many as are looked at, older ones may be missing."""


def history(search: Search, query: Query, text: str, at_most: int = 50) -> History:
    """The records, of those that fit `query`, in which nearly `text` was asked."""
    values = likeness.fingerprint(text)
    if not values:
        return History([], {}, 0, 0)
    where = f"{LIKENESS}:({' or '.join(values)})"
    found = dataclasses.replace(narrowed(query, where), kind="inference")
    wanted, askings, looked_at = likeness.shingles(text), [], 0
    for sealed in walk(search, found, MAX_LOOKED_AT):
        looked_at += 1
        try:
            share = likeness.alike(wanted, likeness.shingles(prompt(sealed.record)))
            if share >= likeness.ALIKE:
                askings.append(_asking(sealed.record, share))
        except UNREADABLE:
            continue
    by_model: dict[str, list[Asking]] = {}
    for asking in askings:
        by_model.setdefault(asking.model, []).append(asking)
    ends = {model: [each[0], *each[1:][-1:]] for model, each in by_model.items()}
    return History(askings[:at_most], ends, len(askings), looked_at)


def _asking(record: dict[str, Any], share: float) -> Asking:
    return Asking(
        record["event.id"],
        str(record["@timestamp"]),
        str(record.get("user.id") or record.get("enduser.pseudo.id") or ""),
        version_of(record),
        round(share, 2),
        prompt(record),
        answer(record),
        record["event.outcome"],
    )
