"""A year of simulated time through retention, with a hold: what is left is what the policy says, and it all proves."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from slmtrail.app import parts
from slmtrail.app.commands import retain
from slmtrail.app.decree import decree
from slmtrail.core import policy as policy_file
from slmtrail.core import retaining
from slmtrail.core.certificate import COLLECTOR, Certificate
from slmtrail.core.errors import StoreError
from slmtrail.core.events import timestamp_ms
from slmtrail.core.retaining import DAY_MS
from slmtrail.core.rollup import HOUR_MS
from slmtrail.indexer.verify.trail import Scope
from years import BEGIN_MS, Year

HELD_UNTIL_MS = BEGIN_MS + 300 * DAY_MS


@pytest.fixture(params=["sqlite", pytest.param("elastic", marks=pytest.mark.servers)])
def year(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Year]:
    """An empty trail on each store."""
    url = "" if request.param == "sqlite" else request.getfixturevalue("elastic").url
    made = Year(tmp_path, url, f"t{uuid.uuid4().hex}", monkeypatch)
    made.steps, made.every = (3, 6) if url else (6, 2)
    yield made
    made.store.close()


def expected(record: dict[str, Any], at_ms: int, policy: policy_file.Policy) -> str:
    """What is to be left of a record at a time."""
    if record["slm.collector.id"] == COLLECTOR:
        return "full"
    ts_ms = timestamp_ms(record["@timestamp"])
    if record.get("user.id") == "bob" and at_ms < HELD_UNTIL_MS:
        return "full"
    kept = policy.retention.classes[record[retaining.FIELD]]
    end_ms = (ts_ms // kept.period_ms + 1) * kept.period_ms
    over = [at_ms >= end_ms + int(span[:-1]) * DAY_MS for span in (kept.content, kept.keep)]
    return "gone" if over[1] else "bare" if over[0] and record["slm.salts"] else "full"


@pytest.mark.slow
def test_a_year_leaves_what_the_policy_says(year: Year) -> None:
    sealed: dict[int, dict[str, Any]] = {}
    year.certify(action="held", reason="case 9", query="user:bob", until_ms=HELD_UNTIL_MS)
    days = 366 // year.steps
    for step in range(year.steps):
        now_ms = BEGIN_MS + (step + 1) * days * DAY_MS
        year.live(BEGIN_MS + step * days * DAY_MS, days)
        sealed |= {leaf: record for leaf, record in year.leaves().items() if leaf not in sealed}
        year.store.rotate(dict.fromkeys(year.policy.retention.classes, 0))
        assert year.retain(now_ms)
        left = year.leaves()
        for leaf, record in sealed.items():
            state = "gone" if leaf not in left else "full" if left[leaf] == record else "bare"
            assert state == expected(record, now_ms, year.policy), (step, leaf, record)
        for leaf, record in left.items():
            assert sealed.setdefault(leaf, record)["event.id"] == record["event.id"]
    assert year.retain(now_ms) == 0
    proved = year.verified()
    assert proved.faults == []
    assert sum(proved.removed.values()) == len(sealed) - len(left) > 50
    assert sum(proved.summarised.values()) == sum("slm.commitments" in record for record in left.values()) > 20
    # Asked about a time, all certificates count, wherever they stand.
    assert year.verified(Scope(until_ms=BEGIN_MS + 200 * DAY_MS)).faults == []
    # What there was can be counted for as long as statistics are kept.
    inferences = [one for one in year.store.rollups(0, 10**15) if one.kind == "inference"]
    assert sum(one.count for one in inferences) == 3 * year.steps * len(range(0, days, year.every))
    assert min(one.hour_ms for one in inferences) == BEGIN_MS // HOUR_MS * HOUR_MS


@pytest.mark.parametrize("year", ["sqlite"], indirect=True)
@pytest.mark.parametrize("crash", ["decree", "expire", "half"])
def test_what_a_crash_left_undone_the_next_run_does(year: Year, crash: str, monkeypatch: pytest.MonkeyPatch) -> None:
    year.certify(action="held", reason="case 9", query="user:bob")
    year.live(BEGIN_MS, 60)
    sealed = year.leaves()
    now_ms = BEGIN_MS + 100 * DAY_MS
    expire = year.store.expire

    def failing(summarise: Any, remove: Any) -> None:
        if crash == "half":
            expire(summarise, {})
        raise StoreError("the disk is gone")

    async def sealed_and_gone(*arguments: Any) -> list[str]:
        await decree(*arguments)
        raise StoreError("the power is gone")

    with monkeypatch.context() as broken:
        if crash == "decree":
            broken.setattr(retain, "decree", sealed_and_gone)
        else:
            broken.setattr(year.store, "expire", failing)
        with pytest.raises(StoreError, match="gone"):
            year.retain(now_ms)
    assert year.verified().faults == []
    assert year.retain(now_ms) == 0
    for leaf, record in sealed.items():
        left = year.leaves().get(leaf)
        assert ("gone" if left is None else "full" if left == record else "bare") == expected(
            record, now_ms, year.policy
        )
    assert year.verified().faults == []


@pytest.mark.parametrize("year", ["sqlite"], indirect=True)
def test_a_hold_that_comes_after_its_certificate_still_wins(year: Year, monkeypatch: pytest.MonkeyPatch) -> None:
    year.live(BEGIN_MS, 60)
    now_ms = BEGIN_MS + 400 * DAY_MS
    before = year.leaves()
    held: list[str] = []

    async def then_a_hold(*arguments: Any) -> list[str]:
        ids = await decree(*arguments)
        told = Certificate("held", BEGIN_MS, "counsel", "case 9", query="user:alice")
        held.extend(await decree(year.settings, [(0, told)], lambda _: True, 60))
        return ids

    with monkeypatch.context() as late:
        late.setattr(retain, "decree", then_a_hold)
        assert year.retain(now_ms)
    ours = {leaf: record for leaf, record in year.leaves().items() if record["slm.collector.id"] != COLLECTOR}
    assert ours == {leaf: record for leaf, record in before.items() if record.get("user.id") == "alice"}
    assert year.verified().faults == []
    year.certify(action="released", reason="settled", subject=held[0])
    assert year.retain(now_ms) == 0  # they are certified already
    assert all(record["slm.collector.id"] == COLLECTOR for record in year.leaves().values())
    assert year.verified().faults == []


@pytest.mark.parametrize("year", ["sqlite"], indirect=True)
def test_what_no_certificate_covers_is_missing(year: Year) -> None:
    year.live(BEGIN_MS, 60)
    assert year.retain(BEGIN_MS + 100 * DAY_MS)
    ledger = parts.ledger_name(year.settings, 0)
    (leaf, *_) = (leaf for leaf, record in year.leaves().items() if record["slm.kind"] == "auth")
    year.store.expire({}, {ledger: [(leaf, leaf)]})
    assert [(fault.kind, fault.leaf) for fault in year.verified().faults] == [("missing", leaf)]
