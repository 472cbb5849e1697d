"""What is due, through any order of time, late records, holds and releases: just what the policy says, and once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from slmtrail.core.certificate import Certificate
from slmtrail.core.retaining import DAY_MS, Retention
from slmtrail.indexer.retain.certified import Certified, Hold
from slmtrail.indexer.retain.leafset import LeafSet
from slmtrail.indexer.retain.plan import Due, plan

RETENTION = Retention.model_validate(
    {
        "classes": {
            "standard": {"content": "24d", "keep": "90d"},
            "short": {"content": "2d", "keep": "2d"},
            "audit": {"content": "180d", "keep": "360d"},
        }
    }
)
LEDGERS = ("a/0", "a/1")


class Trail(RuleBasedStateMachine):
    """Records with their class, day and user; what became of each; what is held."""

    def __init__(self) -> None:
        super().__init__()
        self.now_ms = 1000 * DAY_MS
        self.records: dict[tuple[str, int], tuple[str, int, str]] = {}
        self.stage: dict[tuple[str, int], str] = {}
        self.holds: set[str] = set()
        self.summarised: dict[str, LeafSet] = defaultdict(LeafSet)
        self.removed: dict[str, LeafSet] = defaultdict(LeafSet)
        self.settled = False

    @rule(
        ledger=st.sampled_from(LEDGERS),
        name=st.sampled_from(["standard", "short", "audit", "unknown"]),
        age_days=st.one_of(st.just(0), st.integers(0, 500)),
        user=st.sampled_from("xyz"),
        count=st.integers(1, 4),
    )
    def come(self, ledger: str, name: str, age_days: int, user: str, count: int) -> None:
        for _ in range(count):
            place = ledger, len(self.records)
            self.records[place] = name, self.now_ms - age_days * DAY_MS, user
            self.stage[place] = "full"
        self.settled = False

    @rule(user=st.sampled_from("xyz"))
    def hold(self, user: str) -> None:
        self.holds.add(user)

    @precondition(lambda self: self.holds)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        self.holds.remove(data.draw(st.sampled_from(sorted(self.holds))))
        self.settled = False

    @rule(hours=st.integers(1, 24 * 60))
    def time_passes(self, hours: int) -> None:
        self.now_ms += hours * 3_600_000
        self.settled = False

    @rule()
    def retain(self) -> None:
        before = dict(self.stage)
        due = self.due()
        for one in due:
            sets = self.summarised if one.action == "summarised" else self.removed
            assert not {leaf for leaf in leaves(one) if leaf in sets[one.ledger]}, "certified twice"
            sets[one.ledger] = sets[one.ledger] | one.leaves
            for leaf in leaves(one):
                self.stage[one.ledger, leaf] = one.action
        for place, (_, _, user) in self.records.items():
            assert user not in self.holds or self.stage[place] == before[place], "a hold was not obeyed"
        assert self.due() == []
        self.settled = True

    def due(self) -> list[Due]:
        held = self.chosen(lambda _, user, __: user in self.holds)
        known = Certified(dict(self.summarised), dict(self.removed))

        def older(name: str, before_ms: int) -> dict[str, LeafSet]:
            return self.chosen(lambda given, _, ts_ms: given == name and ts_ms < before_ms)

        return list(plan(RETENTION, self.now_ms, older, known, held))

    def chosen(self, fits: Callable[[str, str, int], bool]) -> dict[str, LeafSet]:
        rows: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for (ledger, leaf), (name, ts_ms, user) in self.records.items():
            if self.stage[ledger, leaf] != "removed" and fits(name, user, ts_ms):
                rows[ledger].append((leaf, leaf))
        return {ledger: LeafSet(found) for ledger, found in rows.items()}

    @precondition(lambda self: self.settled)
    @invariant()
    def each_is_what_the_policy_says(self) -> None:
        for place, (name, ts_ms, user) in self.records.items():
            kept = RETENTION.classes.get(name)
            if user in self.holds:
                continue
            if kept is None:
                assert self.stage[place] == "full"
                continue
            end_ms = (ts_ms // kept.period_ms + 1) * kept.period_ms
            days = [int(span[:-1]) * DAY_MS for span in (kept.content, kept.keep)]
            over = [self.now_ms - end_ms >= span for span in days]
            assert self.stage[place] == ("removed" if over[1] else "summarised" if over[0] else "full"), (place, name)


def leaves(due: Due) -> set[int]:
    return {leaf for first, last in due.leaves.rows for leaf in range(first, last + 1)}


Trail.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestTrail: Any = Trail.TestCase


def test_a_hold_ends_with_its_time() -> None:
    holds = {name: Hold(name, "id:*", "", "", 0, until_ms) for name, until_ms in (("for_good", 0), ("till_7", 7))}
    known = Certified(holds=holds)
    assert {hold.id for hold in known.in_force(6)} == {"for_good", "till_7"}
    assert {hold.id for hold in known.in_force(7)} == {"for_good"}
    assert Certificate("held", 1, "who", "why").until_ms == 0
