"""Every Bus against one model: publishing, polling, committing, leaving and starting again, in any order."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections import Counter
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from contract.bus_member import PARTITIONS
from slmtrail.bus.connect import connect
from slmtrail.core.ports import Delivery, Message, Subscription

ROUNDS = int(os.environ.get("SLMTRAIL_FAULT_ROUNDS", "1"))
EXAMPLES = {"sqlite": 15 * ROUNDS, "kafka": 2 * ROUNDS}
GROUPS = ("one", "other")
POLL_MS = 10_000


@dataclass
class Group:
    """A consumer group, and what the model knows of it; it has one member at most."""

    committed: Counter[int] = field(default_factory=Counter)
    polled: Counter[int] = field(default_factory=Counter)
    member: Subscription | None = None


class BusMachine(RuleBasedStateMachine):
    """One topic of its own, and two groups that know nothing of each other."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.topic = f"topic-{uuid.uuid4().hex}"
        self.runner = asyncio.Runner()
        self.sent: dict[str, list[int]] = {}
        self.count = 0
        self.log: dict[tuple[int, int], int] = {}
        """Which message stands where, as far as anybody was delivered it."""
        self.groups = {name: Group() for name in GROUPS}
        self.connect()
        self.publish(["a", "b", "c"])

    def connect(self) -> None:
        self.bus = connect(self.url, partitions=PARTITIONS, topics=[self.topic], compacted=[])
        self.runner.run(self.bus.ensure_topics())

    @rule(keys=st.lists(st.sampled_from("abcdef"), min_size=1, max_size=12))
    def publish(self, keys: list[str]) -> None:
        messages = []
        for key in keys:
            messages.append(Message(key, b"%d" % self.count))
            self.sent.setdefault(key, []).append(self.count)
            self.count += 1
        self.runner.run(self.bus.publish(self.topic, messages))

    @rule(name=st.sampled_from(GROUPS), most=st.integers(1, 9))
    def poll(self, name: str, most: int) -> None:
        group = self.groups[name]
        if group.member is None:
            group.member = self.runner.run(self.bus.subscribe(self.topic, name))
        if group.polled.total() < self.count:
            found = self.runner.run(group.member.poll(most, POLL_MS))
            assert 0 < len(found) <= most
            for delivery in found:
                self.take(group, delivery)

    def take(self, group: Group, delivery: Delivery) -> None:
        number = int(delivery.value)
        assert number in self.sent[delivery.key]
        assert delivery.offset == group.polled[delivery.partition], "left out, or delivered again"
        assert self.log.setdefault((delivery.partition, delivery.offset), number) == number
        group.polled[delivery.partition] += 1

    @rule(name=st.sampled_from(GROUPS))
    def commit(self, name: str) -> None:
        group = self.groups[name]
        if group.member is not None:
            self.runner.run(group.member.commit())
            group.committed = group.polled.copy()

    @rule(name=st.sampled_from(GROUPS))
    def leave(self, name: str) -> None:
        """What it was delivered and has not committed is delivered again."""
        group = self.groups[name]
        if group.member is not None:
            self.runner.run(group.member.close())
            group.member, group.polled = None, group.committed.copy()

    @precondition(lambda self: self.count > 20)
    @rule()
    def start_again(self) -> None:
        for name in GROUPS:
            self.leave(name)
        self.runner.run(self.bus.close())
        self.connect()

    def teardown(self) -> None:
        try:
            for name, group in self.groups.items():
                self.poll(name, 2)
                self.commit(name)
                self.leave(name)
                while group.polled.total() < self.count:
                    self.poll(name, 1000)
            places = sorted(self.log)
            assert len(places) == self.count == len(set(self.log.values()))
            of_key = {number: key for key, numbers in self.sent.items() for number in numbers}
            in_order: dict[str, list[int]] = {}
            for place in places:
                in_order.setdefault(of_key[self.log[place]], []).append(self.log[place])
            assert in_order == self.sent, "a key is in one partition, in the order in which it was published"
        finally:
            for name in GROUPS:
                self.leave(name)
            self.runner.run(self.bus.close())
            self.runner.close()


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("kafka", marks=pytest.mark.servers)])
def test_it_behaves_like_the_model(
    kind: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    def machine() -> BusMachine:
        if kind == "kafka":
            return BusMachine(f"kafka://{request.getfixturevalue('kafka').bootstrap}")
        return BusMachine(f"sqlite:{tmp_path_factory.mktemp('bus')}/bus.db")

    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES[kind],
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[phase for phase in Phase if kind == "sqlite" or phase is not Phase.shrink],
        ),
    )
