"""Small real pieces for tests: a collector's frames, the stream's work on them, a sealed trail in a folder."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from slmtrail.collectors.framer import Framer, Identity
from slmtrail.collectors.missing import Missing
from slmtrail.core import frames, trust
from slmtrail.core.frames import Frame, FrameKind
from slmtrail.core.policy import Policy
from slmtrail.core.ports import FRAMES, RECORDS, Delivery, Message
from slmtrail.core.trust import Trust
from slmtrail.indexer.seal import Sealer
from slmtrail.indexer.store.sqlite import SqliteStore
from slmtrail.indexer.verify.folder import LedgerFolder
from slmtrail.stream.alerting import alerted
from slmtrail.stream.chain import Chain
from slmtrail.stream.judge.judge import Judge
from slmtrail.stream.judge.windows import Windows
from slmtrail.stream.process import Desk, Output, Redacted, process

NOW_MS = 1_790_000_000_000
LEDGER = "test.example/ledger/0"


def inference(text: str = "hello", user: str = "alice", **more: Any) -> dict[str, Any]:
    """A small inference event."""
    return {
        "@timestamp": NOW_MS,
        "slm.kind": "inference",
        "user.id": user,
        "gen_ai.request.model": "phi-3",
        "gen_ai.input.messages": [{"role": "user", "content": text}],
        **more,
    }


class NoRedaction:
    """Stands for redaction where a test is about something else."""

    def redact_all(self, events: list[dict[str, Any]]) -> Iterator[Redacted]:
        """The events as they are, each let go of, as they come from the pool."""
        events.reverse()
        while events:
            yield events.pop(), []


@dataclass
class Edge:
    """A collector without disk or threads: each call makes the next frame of its chain."""

    stream_key: X25519PrivateKey
    name: str = "edge-1"
    environment: str = "dev"
    prior_boot: str = ""
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    boot: str = field(default_factory=lambda: secrets.token_hex(16))
    now_ms: int = NOW_MS

    def __post_init__(self) -> None:
        identity = Identity(self.name, self.environment, self.key, self.stream_key.public_key())
        self.framer = Framer(identity, self.boot, self.prior_boot)

    def frame(
        self,
        events: Sequence[dict[str, Any] | bytes] = (),
        kind: FrameKind = "events",
        dropped: int = 0,
        sampled_out: int = 0,
    ) -> Frame:
        """The next frame."""
        lines = [event if isinstance(event, bytes) else orjson.dumps(event) for event in events]
        (made,) = self.framer.next(kind, [lines], Missing(dropped, sampled_out), self.now_ms, self.now_ms)
        self.framer.committed(made)
        return made

    def again(self, boot: str = "") -> Edge:
        """The same collector after a restart."""
        return Edge(self.stream_key, self.name, self.environment, self.boot, self.key, boot or secrets.token_hex(16))


class Stream:
    """The stream's pure function with its state, fed by hand."""

    def __init__(
        self, folder: Path, environment: str = "dev", redactor: Any = None, policy: Policy | None = None
    ) -> None:
        self.key = X25519PrivateKey.generate()
        self.trust_file = folder / "trust" / "trust.json"
        policy = policy or Policy()
        self.desk = Desk(Trust(self.trust_file), self.key, redactor or NoRedaction(), Judge(policy), policy)
        self.forget()
        self.offset = 0

    def forget(self) -> None:
        """As if nothing had been processed yet."""
        self.chains: dict[str, Chain] = {}
        self.windows = Windows(self.desk.judge)

    def edge(self, name: str = "edge-1", environment: str = "dev", trusted: str = "dev") -> Edge:
        """A collector that this stream believes, for the environment `trusted`."""
        edge = Edge(self.key, name, environment)
        trust.admit(self.trust_file, name, trusted, edge.key.public_key())
        return edge

    def deliveries(self, *values: Frame | bytes) -> list[Delivery]:
        """Frames as the bus delivers them, at the next offsets."""
        made = []
        for value in values:
            data = value if isinstance(value, bytes) else frames.to_bytes(value)
            made.append(Delivery(FRAMES, 0, self.offset, "edge-1", data, NOW_MS))
            self.offset += 1
        return made

    def take(self, *values: Frame | bytes) -> Output:
        """Processes frames and goes on from the state after them."""
        return self.process(self.deliveries(*values))

    def process(self, batch: list[Delivery]) -> Output:
        """Processes deliveries and goes on from the state after them."""
        output = alerted(process(batch, self.chains, self.desk), self.windows, self.desk)
        self.chains.update(output.chains)
        return output


def records(output: Output) -> list[dict[str, Any]]:
    """The records of an output."""
    return [orjson.loads(message.value) for message in output.records]


def on_records_topic(messages: Sequence[Message], offset: int = 0) -> list[Delivery]:
    """Messages as the bus delivers them to the indexer."""
    return [Delivery(RECORDS, 0, offset + n, m.key, m.value, NOW_MS) for n, m in enumerate(messages)]


@dataclass
class SealedTrail:
    """A ledger and a store in a folder."""

    folder: Path
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    offset: int = 0

    @property
    def ledger_folder(self) -> LedgerFolder:
        """The ledger as a verifier sees it."""
        return LedgerFolder.of(self.folder / "ledger", LEDGER, self.key.public_key())

    @property
    def store_path(self) -> Path:
        """The SQLite file of the store."""
        return self.folder / "store.sqlite"

    def add(self, messages: Sequence[Message]) -> None:
        """Seals, stores and signs records."""
        batch = on_records_topic(messages, self.offset)
        self.offset += len(batch)
        sealer, store = Sealer(self.folder / "ledger", LEDGER, self.key), SqliteStore(self.store_path, writable=True)
        try:
            sealed = sealer.seal(batch)
            assert not store.write(sealed.records)
            sealer.stored(batch)
            sealer.checkpoint()
        finally:
            sealer.close()
            store.close()


def sealed_trail(folder: Path, count: int = 40, key: Ed25519PrivateKey | None = None) -> SealedTrail:
    """A finished trail of `count` inferences and what goes with them."""
    stream = Stream(folder)
    edge = stream.edge()
    trail = SealedTrail(folder, key or Ed25519PrivateKey.generate())
    made = []
    for first in range(0, count, 20):
        events = [
            inference(f"question {n} of alice") | {"slm.latency_ms": n} for n in range(first, min(first + 20, count))
        ]
        made += stream.take(edge.frame(events)).records
    made += stream.take(edge.frame(kind="close")).records
    half = len(made) // 2
    trail.add(made[:half])
    trail.add(made[half:])
    return trail
