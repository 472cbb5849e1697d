"""open → redact → judge, for a batch of frames: one function of frames, policy, keys and carried state alone.

It knows nothing of Faust or of a bus. The same input gives the same records, byte for byte, anywhere, at
any time: ids and salts are derived, and every clock is read from the frame.
"""

from __future__ import annotations

import base64
import hashlib
import logging
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from slmtrail.core import canonical, commitment, events, frames, likeness, retaining, wellformed
from slmtrail.core.errors import EventError, FrameError
from slmtrail.core.fields import IMPORTED
from slmtrail.core.frames import Frame
from slmtrail.core.identity import REPLAYED, Position, identified
from slmtrail.core.policy import Policy
from slmtrail.core.ports import Delivery, Message
from slmtrail.core.trust import ANY, Trust, Trusted
from slmtrail.stream import frame_signals
from slmtrail.stream.chain import Chain
from slmtrail.stream.judge.judge import LAW, Judge
from slmtrail.stream.judge.signal import Signals
from slmtrail.stream.judge.texts import asked_last
from slmtrail.stream.replay import left_out_by

log = logging.getLogger(__name__)

UNKNOWN_COLLECTOR = "unknown"
STREAM = "@stream"
"""In the place of a collector's name, in a form that none has: what the stream says of itself."""
BAD_KEYS = frozenset({"unknown_key", "revoked_key", "outside_validity"})
DAY_MS = 24 * 3600 * 1000
MAX_FINDINGS = 1000
"""Findings described in one record; all of them are removed and counted."""
MAX_RECORD_BYTES = 12 * 1024 * 1024
"""What surely fits a message on the bus."""
REPLAYED_PART = 1_000_000
"""From here on the parts of what is said of replays of a frame, each by its first event."""
_PLACE = frozenset(
    "event.id slm.replayed @timestamp deployment.environment.name slm.policy.digest slm.ruleset.digest "
    "slm.retention.class".split()
)


Redacted = tuple[dict[str, Any], list[dict[str, Any]]]
"""An event without personal data and secrets, and what was removed where."""


class Redacts(Protocol):
    """What `process` needs of redaction. It lets nothing through that it could not look at: that is withheld."""

    def redact_all(self, events: list[dict[str, Any]]) -> Iterable[Redacted]:
        """What each event becomes, in order; perhaps while others are still looked at."""
        ...


@dataclass(frozen=True, slots=True)
class Desk:
    """What the work is done with."""

    trust: Trust
    key: X25519PrivateKey
    redactor: Redacts
    judge: Judge
    policy: Policy
    keys: Mapping[str, X25519PrivateKey] = field(default_factory=dict)
    """Those that frames may be sealed to beside `key`, by their ids."""
    finds_names: bool = False
    """Whether redaction has a model that finds names of people and places; each record says so."""
    since_ms: int = 0
    """When policy and rules were written; 0 where they are those that come with slmtrail."""
    stamp: dict[str, str] = field(init=False)
    """What each record says of what it was judged by."""

    def __post_init__(self) -> None:
        stamp = {"slm.policy.digest": self.policy.digest, "slm.ruleset.digest": self.judge.digest}
        object.__setattr__(self, "stamp", stamp)

    def finished(self, record: dict[str, Any], seed: bytes) -> dict[str, Any]:
        """`record` with what it was judged by, the class by which it is kept, and its salts."""
        record |= self.stamp
        record[retaining.FIELD] = self.policy.retention.class_of(record)
        record[commitment.SALTS] = commitment.salts(record, seed)
        return record


@dataclass(slots=True)
class Output:
    """What a batch became. All of it is published before `chains` are kept, and that before it is acknowledged."""

    records: list[Message] = field(default_factory=list)
    signals: list[Signals] = field(default_factory=list)
    """What the windows are to see, in the order of the records."""
    sources: list[tuple[int, int, int]] = field(default_factory=list)
    """Of each frame its partition and offset, and how many signals there are up to its end."""
    alerts: list[Message] = field(default_factory=list)
    """Filled in from the signals, with the records about them; see alerting.py."""
    deadletters: list[Message] = field(default_factory=list)
    chains: dict[str, Chain] = field(default_factory=dict)
    redelivered: int = 0
    opened: int = 0
    tally: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How many of each kind of record, of each type of finding, and of each rule's alerts."""

    def count(self, record: dict[str, Any]) -> None:
        """Takes a record into the tally."""
        self.tally["kind", record["slm.kind"]] += 1
        for type_ in record.get("slm.findings.types", ()):
            self.tally["finding", type_] += 1
        if record["slm.kind"] == "alert":
            self.tally["rule", record["rule.id"]] += 1


@dataclass(slots=True)
class _Opened:
    """A frame taken into its chain, its events parsed."""

    delivery: Delivery
    frame: Frame
    notes: list[dict[str, Any]]
    seed: bytes = b""
    events: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    """The good ones, each with its index."""
    alert_seed: str = ""
    """What the salts of alerts are made from: one of its own, so that an alert never shares a salt with a record."""
    replayed: bool = False


def process(batch: Sequence[Delivery], chains: Mapping[str, Chain], desk: Desk) -> Output:
    """Works through `batch` in order; `chains` is the state before it and is left as it is."""
    output = Output()
    opened: list[_Opened] = []
    strangers: dict[str, dict[str, Any]] = {}
    for delivery in batch:
        frame = None
        try:
            frame = frames.from_bytes(delivery.value)
            trusted = desk.trust.check(frame)
            taken = _take(frame, trusted, delivery, chains, desk, output)
        except FrameError as error:
            if left_out_by(delivery.key) is not None:
                log.warning("not replayed: %s", error)  # it lies in the dead letters already
                output.redelivered += 1
                continue
            output.deadletters.append(deadletter(delivery, frame, error.reason, str(error)))
            if frame and error.reason in BAD_KEYS:
                told = _stranger(frame, error.reason, delivery, desk, output.signals)
                strangers.setdefault(told["event.id"], told)
            else:
                output.signals.append(frame_signals.refused(frame, delivery, str(error)))
            output.sources.append((delivery.partition, delivery.offset, len(output.signals)))
            continue
        if taken:
            opened.append(taken)
    redacted = iter(desk.redactor.redact_all([event for taken in opened for _, event in taken.events]))
    for taken in opened:
        for record in _records(taken, redacted, desk, output.signals):
            message = Message(taken.frame.header.collector, canonical.dumps(record))
            if len(message.value) > MAX_RECORD_BYTES:
                output.deadletters.append(_oversized(taken, record, len(message.value)))
                record = _stand_in(record)
                message = Message(taken.frame.header.collector, canonical.dumps(record))
            output.records.append(message)
            output.count(record)
        output.sources.append((taken.delivery.partition, taken.delivery.offset, len(output.signals)))
    for record in strangers.values():
        output.records.append(Message(STREAM, canonical.dumps(record)))
        output.count(record)
    output.opened = len(opened)
    return output


def _take(
    frame: Frame,
    trusted: Trusted,
    delivery: Delivery,
    chains: Mapping[str, Chain],
    desk: Desk,
    output: Output,
) -> _Opened | None:
    """The frame opened; None where it came before. Nothing is noted of a frame that raises FrameError."""
    name = frame.header.collector
    known = output.chains.get(name) or chains.get(name) or Chain()
    if known.has_seen(delivery.partition, delivery.offset):
        output.redelivered += 1
        return None
    chain = known.before(frame.header)
    chain.partition, chain.offset = delivery.partition, delivery.offset
    left_out = left_out_by(delivery.key)
    if left_out is not None and chain.passed(frame.header):
        output.chains[name] = chain
        return _replay(frame, trusted, delivery, chain, left_out, desk, output)
    notes = chain.follow(frame, delivery.timestamp_ms)
    if notes is None:
        output.redelivered += 1
        output.chains[name] = chain
        return None
    output.chains[name] = chain
    opened = _Opened(delivery, frame, notes)
    try:
        opened.seed, lines = frame.open(desk.keys.get(frame.header.recipient, desk.key))
    except FrameError as error:
        # Its collector signed for it, so the chain goes on, and says what lies in the dead letters.
        if left_out is None:
            output.deadletters.append(deadletter(delivery, frame, error.reason, str(error)))
        chain.refuse(frame, range(1, frame.header.events + 1))
        notes.append(_refused(frame, frame.header.events))
        return opened
    faults: list[dict[str, Any]] = []
    for index, line in enumerate(lines, 1):
        try:
            opened.events.append((index, _event(line, frame, trusted, index in (left_out or ()))))
        except EventError as error:
            faults.append({"index": index, "reason": error.reason, "text": str(error)})
    if faults:
        if left_out is None:
            text = f"{frame.where}: {len(faults)} of its {len(lines)} events can't be used"
            output.deadletters.append(deadletter(delivery, frame, "bad_events", text, faults))
        chain.refuse(frame, [fault["index"] for fault in faults])
        notes.append(_refused(frame, len(faults)))
    return opened


def _replay(
    frame: Frame,
    trusted: Trusted,
    delivery: Delivery,
    chain: Chain,
    left_out: Collection[int],
    desk: Desk,
    output: Output,
) -> _Opened | None:
    """What can now be used of a frame that the chain has passed; None where nothing of it is open, or usable still."""
    row = chain.awaits(frame.header)
    if row is None:
        output.redelivered += 1
        return None
    row.check(frame)
    opened = _Opened(delivery, frame, [], replayed=True)
    opened.seed, lines = frame.open(desk.keys.get(frame.header.recipient, desk.key))
    left = []
    for index, line in enumerate(lines, 1):
        if row.events and index not in row.events:
            continue
        try:
            opened.events.append((index, _event(line, frame, trusted, index in left_out)))
        except EventError:
            left.append(index)
    if left and not opened.events:
        output.redelivered += 1
        return None
    opened.notes.append(chain.admit(frame, row, len(opened.events), tuple(left)))
    return opened


def _event(line: bytes, frame: Frame, trusted: Trusted, left_out: bool) -> dict[str, Any]:
    if left_out:
        raise EventError("is left out of the replay", "left_out")
    event = wellformed.event(line) or events.parse(line, frame.header.last_ms, framed=True)
    environment = event.setdefault("deployment.environment.name", frame.header.environment)
    if environment != frame.header.environment and trusted.environment != ANY:
        raise EventError(
            f"deployment.environment.name: the collector's key speaks for {frame.header.environment} only",
            "wrong_environment",
        )
    return event


def _records(
    taken: _Opened, redacted: Iterator[Redacted], desk: Desk, signals: list[Signals]
) -> Iterator[dict[str, Any]]:
    """The records of a frame, in order; those of its events are next in `redacted`."""
    taken.alert_seed = commitment.salt(taken.seed or bytes.fromhex(taken.frame.digest), "alert")
    yield from _noted(taken, desk, signals)
    indexes = [index for index, _ in taken.events]
    taken.events.clear()  # what is done with is let go of: what the processor still has at hand costs less
    for index in indexes:
        yield _record(*next(redacted), index, taken, desk, signals)


def _record(
    redacted: dict[str, Any],
    findings: list[dict[str, Any]],
    index: int,
    opened: _Opened,
    desk: Desk,
    signals: list[Signals],
) -> dict[str, Any]:
    """The record of one event; what it tells the windows goes to `signals`."""
    if findings:
        redacted["slm.findings"] = canonical.dumps(findings[:MAX_FINDINGS]).decode()
        redacted["slm.findings.count"] = len(findings)
        redacted["slm.findings.types"] = sorted({finding["type"] for finding in findings})
    redacted["slm.redaction.names"] = desk.finds_names
    if redacted["slm.kind"] == "inference" and (alike := likeness.fingerprint(asked_last(redacted))):
        redacted["slm.prompt.likeness"] = alike
    return _judged(redacted, index, 0, commitment.event_seed(opened.seed, index), opened, desk, signals)


def _noted(opened: _Opened, desk: Desk, signals: list[Signals]) -> list[dict[str, Any]]:
    """The records about the frame itself. Their seed is public: they hold nothing to hide."""
    header, digest = opened.frame.header, opened.frame.digest
    first = 0
    if opened.replayed:  # of its collector's life and clock it says nothing any more
        first = REPLAYED_PART + (opened.events[0][0] if opened.events else 0)
    else:
        # History is not late, it is old.
        times = [event["@timestamp"] for _, event in opened.events if IMPORTED not in event]
        signals.append(frame_signals.seen(opened.frame, opened.delivery, times, noted=bool(opened.notes)))
    made = []
    for part, note in enumerate(opened.notes, first):
        named = {"@timestamp": header.last_ms, "deployment.environment.name": header.environment}
        event = events.validate({**note, **named})
        made.append(_judged(event, 0, part, bytes.fromhex(digest), opened, desk, signals))
    return made


def _judged(
    event: dict[str, Any], index: int, part: int, seed: bytes, opened: _Opened, desk: Desk, signals: list[Signals]
) -> dict[str, Any]:
    header = opened.frame.header
    record = identified(event, header.collector, header.boot, Position(header.sequence, index, part))
    if opened.replayed:
        record[REPLAYED] = True
    judged = desk.judge.judge(record, opened.alert_seed, opened.delivery.timestamp_ms)
    signals += judged.signals
    if judged.flags:
        record["slm.flags"] = judged.flags
    return desk.finished(record, seed)


def _stranger(frame: Frame, reason: str, delivery: Delivery, desk: Desk, signals: list[Signals]) -> dict[str, Any]:
    """The record of a key that is not believed. It has one id a day for each key and name, so a flood is one record."""
    header, day = frame.header, delivery.timestamp_ms // DAY_MS
    named = f"slmtrail key refused v1\n{reason}\n{header.collector}\n{header.key}\n{day}"
    boot = hashlib.sha256(named.encode()).hexdigest()[:32]
    event = {
        "slm.kind": "system",
        "@timestamp": delivery.timestamp_ms,
        "deployment.environment.name": header.environment,
        "event.action": "key_refused",
        "event.outcome": "failure",
        "event.reason": reason,
        "slm.trail.collector": header.collector,
        "slm.trail.key": header.key,
    }
    return _of_stream(event, boot, desk, signals)


def in_force(desk: Desk) -> Output:
    """The record that this policy and these rules judge; the same whichever worker says it, and however often."""
    output = Output()
    if not desk.since_ms:
        return output
    named = f"slmtrail law v1\n{desk.policy.digest}\n{desk.judge.digest}\n{desk.since_ms}"
    event = {
        "slm.kind": "config",
        "@timestamp": desk.since_ms,
        "event.action": "policy_in_force",
        "event.outcome": "success",
        "slm.config.name": LAW,
        "slm.config.type": "policy",
        "slm.config.digest": desk.policy.digest,
        "slm.config.values": {"version": desk.policy.version, "ruleset": desk.judge.digest},
    }
    record = _of_stream(event, hashlib.sha256(named.encode()).hexdigest()[:32], desk, [])
    output.records.append(Message(STREAM, canonical.dumps(record)))
    output.count(record)
    return output


def _of_stream(event: dict[str, Any], boot: str, desk: Desk, signals: list[Signals]) -> dict[str, Any]:
    """The record of something that the stream itself says; `boot` is what makes it this one."""
    record = identified(events.validate(event), STREAM, boot, Position(0, 0, 0))
    judged = desk.judge.judge(record, boot, events.timestamp_ms(record["@timestamp"]))
    signals += judged.signals
    if judged.flags:
        record["slm.flags"] = judged.flags
    return desk.finished(record, bytes.fromhex(boot))


def _refused(frame: Frame, count: int) -> dict[str, Any]:
    return {
        "slm.kind": "system",
        "event.action": "events_refused",
        "event.outcome": "failure",
        "slm.trail.collector": frame.header.collector,
        "slm.trail.boot": frame.header.boot,
        "slm.trail.first": frame.header.sequence,
        "slm.trail.count": count,
    }


def _stand_in(record: dict[str, Any]) -> dict[str, Any]:
    """What is sealed in the place of a record that is too large: where it came from, and that it was refused."""
    kept = {name: value for name, value in record.items() if name in _PLACE or name.startswith("slm.collector.")}
    about = {"slm.kind": "system", "event.action": "record_refused", "event.outcome": "failure", commitment.SALTS: {}}
    return kept | about | {"slm.trail.collector": kept["slm.collector.id"], "slm.trail.count": 1}


def _oversized(opened: _Opened, record: dict[str, Any], size: int) -> Message:
    index = record["slm.collector.index"]
    text = f"{opened.frame.where}: event {index} became a record of {size} bytes, over {MAX_RECORD_BYTES}"
    fault = {"index": index, "reason": "oversized_record", "text": text}
    return deadletter(opened.delivery, opened.frame, "oversized_record", text, [fault])


def deadletter(
    delivery: Delivery,
    frame: Frame | None,
    reason: str,
    text: str,
    faults: list[dict[str, Any]] | None = None,
) -> Message:
    """A frame as it came, still encrypted, with what was wrong and where it stood."""
    # One too large to be published again, in base64, is named by its hash; it is still on its own topic.
    kept = delivery.value if len(delivery.value) <= frames.MAX_FRAME_BYTES else b""
    letter: dict[str, Any] = {
        "reason": reason,
        "text": text,
        "topic": delivery.topic,
        "partition": delivery.partition,
        "offset": delivery.offset,
        "faults": faults or [],
        "frame_sha256": hashlib.sha256(delivery.value).hexdigest(),
        "frame_base64": base64.b64encode(kept).decode(),
    }
    collector = UNKNOWN_COLLECTOR
    if frame is not None:
        collector = frame.header.collector
        letter |= {"collector": collector, "boot": frame.header.boot, "frame": frame.header.sequence}
    return Message(collector, canonical.dumps(letter))
