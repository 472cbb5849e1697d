"""Sealing against a model: records and repeats come in, are sealed, stored and signed for, and it may end anywhere."""

from __future__ import annotations

import os
from collections import deque
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from builders import LEDGER, Stream, inference, on_records_topic
from data.ledger import make_vectors as naive
from slmtrail.core import commitment
from slmtrail.core.ports import Delivery, Message
from slmtrail.indexer.ledger.checkpoint import Checkpoint
from slmtrail.indexer.ledger.log import Log
from slmtrail.indexer.ledger.note import Note, VerifierKey
from slmtrail.indexer.seal import Sealer

EXAMPLES = int(os.environ.get("SLMTRAIL_FAULT_ROUNDS", "1")) * 12


class Killed(BaseException):
    """The process is gone."""


@cache
def made() -> list[bytes]:
    """Records of two collectors, as the stream makes them."""
    with TemporaryDirectory() as folder:
        stream = Stream(Path(folder))
        edges = [stream.edge("edge-1"), stream.edge("edge-2")]
        outputs = [stream.take(edges[n % 2].frame([inference(f"{n}")] * 9)) for n in range(70)]
        return [message.value for output in outputs for message in output.records]


@pytest.fixture(autouse=True)
def _no_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test here cuts the power."""
    monkeypatch.setattr(os, "fsync", lambda _fd: None)


class SealMachine(RuleBasedStateMachine):
    """A ledger of one partition, what is on its topic, and what is in its store."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.key = Ed25519PrivateKey.generate()
        self.topic: list[bytes] = []
        self.fresh = 0
        """How many of `made` are on the topic; the others there are repeats."""
        self.store: dict[int, bytes] = {}
        self.heads: dict[int, bytes] = {}
        self.open()

    def open(self) -> None:
        self.sealer = Sealer(Path(self.folder.name), LEDGER, self.key)
        self.read = self.sealer.next_offset
        self.storing: deque[tuple[list[Delivery], dict[int, bytes]]] = deque()

    @rule(count=st.integers(1, 300))
    def publish(self, count: int) -> None:
        new = made()[self.fresh : self.fresh + count]
        self.topic += new
        self.fresh += len(new)

    @rule(back=st.integers(1, 60), count=st.integers(1, 40))
    def publish_again(self, back: int, count: int) -> None:
        """The stream was killed before its commit."""
        start = max(0, self.fresh - back)
        self.topic += made()[start : min(self.fresh, start + count)]

    def batch(self, count: int) -> list[Delivery]:
        values = self.topic[self.read : self.read + count]
        return on_records_topic([Message("k", value) for value in values], self.read)

    @precondition(lambda self: self.read < len(self.topic))
    @rule(count=st.integers(1, 290))
    def seal(self, count: int) -> None:
        batch = self.batch(count)
        sealed = self.sealer.seal(batch)
        self.read += len(batch)
        self.storing.append((batch, {one.leaf: one.data for one in sealed.records}))

    @precondition(lambda self: self.read < len(self.topic))
    @rule(count=st.integers(1, 290))
    def die_between_tiles_and_state(self, count: int) -> None:
        def die(*_: Any) -> None:
            raise Killed

        self.sealer._commit = die  # type: ignore[method-assign]
        with suppress(Killed):
            self.sealer.seal(self.batch(count))
        self.die()

    @precondition(lambda self: self.storing)
    @rule()
    def put(self) -> None:
        batch, records = self.storing.popleft()
        for leaf, data in records.items():
            assert self.store.setdefault(leaf, data) == data
        self.sealer.stored(batch)

    @precondition(lambda self: self.storing)
    @rule(at=st.integers(0, 3), some=st.integers(0, 290))
    def put_some_and_die(self, at: int, some: int) -> None:
        """Batches are stored side by side, and any part of any of them may be there."""
        _, records = self.storing[at % len(self.storing)]
        self.store |= dict(list(records.items())[:some])
        self.die()

    @precondition(lambda self: len(self.topic) - self.read > 1)
    @rule(first=st.integers(1, 290), second=st.integers(1, 290))
    def put_all_but_the_last_and_die(self, first: int, second: int) -> None:
        """What is said of one batch must not be believed of the next."""
        self.seal(min(first, len(self.topic) - self.read - 1))
        self.seal(second)
        while len(self.storing) > 1:
            self.put()
        self.die()

    @rule()
    def die(self) -> None:
        self.sealer.close()
        self.open()

    @rule()
    def rotate(self) -> None:
        self.key = Ed25519PrivateKey.generate()
        self.die()

    @rule()
    def sign(self) -> None:
        signed = self.sealer.checkpoint()
        if signed is None:
            return
        note = Note.parse(signed)
        assert note.verify([VerifierKey.of(LEDGER, self.key.public_key())])
        head = Checkpoint.parse(note.text)
        assert set(range(head.size)) <= set(self.store), "signed before it was stored"
        assert self.heads.setdefault(head.size, head.root) == head.root, "two heads of one size"

    def teardown(self) -> None:
        try:
            while self.read < len(self.topic):
                self.seal(50)
            while self.storing:
                self.put()
            self.sign()
            expected = made()[: self.fresh]
            assert [self.store[leaf] for leaf in sorted(self.store)] == expected
            entries = [commitment.entry(orjson.loads(value)) for value in expected]
            log = Log.open(Path(self.folder.name))
            assert list(log.entries()) == entries
            for size, root in self.heads.items():
                assert log.root(size) == root == naive.mth(entries[:size])
        finally:
            self.sealer.close()
            self.folder.cleanup()


SealMachine.TestCase.settings = settings(max_examples=EXAMPLES, stateful_step_count=25, deadline=None)
TestSealing: Any = pytest.mark.usefixtures("_no_sync")(SealMachine.TestCase)
