"""The ports between the pipeline and what it runs on. An adapter is held to them by its suite in tests/contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson

from slmtrail.core.readers import EVERYTHING, Scope
from slmtrail.core.rollup import HOUR_MS, Rollup

FRAMES = "slm.frames"
RECORDS = "slm.records"
ALERTS = "slm.alerts"
DEADLETTERS = "slm.deadletters"
CHECKPOINTS = "slm.checkpoints"
STATE = "slm.state"
CONTROL = "slm.control"
SIGNALS = "slm.signals"
TOPICS = (FRAMES, RECORDS, ALERTS, DEADLETTERS, CHECKPOINTS, STATE, CONTROL, SIGNALS)

COMPACTED = frozenset({CHECKPOINTS, STATE, CONTROL})
"""Topics of which only the newest message of each key matters."""

RETENTION_DAYS = 7
"""How long the bus keeps messages; frames can't lose a single event, so erasure waits for this at most."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is published: one key's messages stay in order. A key decides the partition, unless one is named."""

    key: str
    value: bytes
    partition: int | None = None


@dataclass(slots=True)  # not frozen: one is made for each record, and that takes three times as long
class Delivery:
    """A message as it comes back, with its place on the bus."""

    topic: str
    partition: int
    offset: int
    key: str
    value: bytes
    timestamp_ms: int


class Subscription(Protocol):
    """One member of a consumer group; the members of a group share the partitions of the topic."""

    async def poll(self, max_messages: int, timeout_ms: int) -> list[Delivery]:
        """The next messages, in order within each partition; waits at most `timeout_ms` for the first."""
        ...

    async def commit(self) -> None:
        """Acknowledges all that was polled. What was not is delivered again after `close` or a crash."""
        ...

    async def close(self) -> None:
        """Leaves the group."""
        ...


class Reader(Protocol):
    """Reads outside of any group: one partition from a given offset on, or all of a topic."""

    async def poll(self, max_messages: int, timeout_ms: int) -> list[Delivery]:
        """The next messages in order; waits at most `timeout_ms` for the first."""
        ...

    async def close(self) -> None:
        """Stops reading."""
        ...


class PartitionReader(Reader, Protocol):
    """A reader of one partition."""

    async def waiting(self) -> int:
        """How many messages there are after the last that was polled."""
        ...


class Publisher(Protocol):
    """The writing half of a bus: all that a shipper needs."""

    async def publish(self, topic: str, messages: Sequence[Message]) -> None:
        """Returns when every message would survive the loss of any one process. Raises BusError; then any
        of the messages may or may not be there, and publishing them again is right."""
        ...

    async def close(self) -> None:
        """Gives back connections and files."""
        ...


class Uplink(Publisher, Protocol):
    """What a collector needs of a bus: to ship there, and to hear the decisions that come from there."""

    async def follow(self, topic: str) -> Reader:
        """Reads all partitions of a compacted topic from its oldest message on."""
        ...


class Bus(Uplink, Protocol):
    """What carries frames and records from stage to stage."""

    async def subscribe(self, topic: str, group: str) -> Subscription:
        """Joins a consumer group, from its last commit or else from the oldest message."""
        ...

    async def read(self, topic: str, partition: int, offset: int | None) -> PartitionReader:
        """Reads one partition from `offset`, or its oldest message where that is None. Raises Expired where messages
        from there on are gone, and PastEnd where it does not reach there."""
        ...

    async def newest(self, topic: str) -> dict[str, bytes]:
        """The newest value of each key of a compacted topic."""
        ...

    async def partitions(self, topic: str) -> int:
        """How many partitions a topic has."""
        ...

    async def ensure_topics(self) -> None:
        """Makes the topics that are missing."""
        ...


@dataclass(slots=True)
class Sealed:
    """A record with its place in a ledger. `data` is its JSON text as the stream wrote it; it may be given without what
    it says (None), which is parsed then when it is asked for."""

    ledger: str
    leaf: int
    id: str
    _record: dict[str, Any] | None = field(compare=False)
    data: bytes
    extract: Any = field(default=None, compare=False)
    """What the store's `extract` took of it; None where it was not asked."""

    @property
    def record(self) -> dict[str, Any]:
        """What it says."""
        if self._record is None:
            self._record = orjson.loads(self.data)
        return self._record

    def condense(self, extract: Callable[[Sealed], Any]) -> None:
        """Lets go of what it says: thousands wait for a store at once, and their trees would fill memory and caches."""
        self.extract = extract(self)
        self._record = None


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked of a store; all that is given must hold.

    text: finds records that hold all its words.
    where: a search in the language of docs/search.md.
    hashed: the keyed hash that may stand in records for a value of `where`; None where the key is not at hand.
    """

    text: str = ""
    users: tuple[str, ...] = ()
    """Any of these spellings of one user: the name as it is, and its keyed hash."""
    model: str = ""
    kind: str = ""
    environment: str = ""
    collector: str = ""
    flag: str = ""
    outcome: str = ""
    since_ms: int | None = None
    until_ms: int | None = None
    """Times from `since_ms` on and before `until_ms`."""
    limit: int = 50
    after: str = ""
    """The cursor of the page before; empty for the first, newest page."""
    where: str = ""
    hashed: Callable[[str], str] | None = None
    scope: Scope = EVERYTHING
    """What whoever asks may see: nothing else fits, and without its `content` no text is searched or given out."""
    sort: str = "-time"
    """A name of `cursor.SORTS`: newest first, unless something else is said."""
    count_to: int = 10_000
    """How far what fits is counted for the page; with 0 not at all, which saves a look at each."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of answers, newest first."""

    records: list[Sealed]
    total: int
    """How many fit in all, as far as they were counted; those of the page, where that was not asked for."""
    cursor: str = ""
    """Asks for the page behind this one; empty on the last."""
    at_least: bool = False
    """Whether more may fit than `total` says: they were not counted to the end."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many records fit, over time: from each start, which is a multiple of `step_ms`, for so long.

    Only what has any is there, the oldest first.
    """

    step_ms: int
    counts: dict[int, int]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A record that the store will never take, and why."""

    sealed: Sealed
    reason: str


Rows = Sequence[tuple[int, int]]
"""Leaves, as the first and the last of each row."""

Picked = tuple[str, int, dict[str, Any]]
"""The ledger and leaf of a record, and some of its fields."""


class Scanned(Protocol):
    """What verification asks of where records are kept. Its methods block on disk or network."""

    def scan(self, ledger: str, start: int, end: int) -> Iterator[Sealed]:
        """All records of leaves start ≤ leaf < end in order of leaf; what stands twice comes twice."""
        ...

    def ledgers(self) -> dict[str, int]:
        """The ledgers that records name, and how many records each has."""
        ...

    def certificates(self, ledger: str) -> Iterator[Sealed]:
        """The records of a ledger that say they hold a certificate, in order of leaf."""
        ...

    def extent(self, query: Query) -> dict[str, range]:
        """For each ledger with records that fit, the leaves from the first to the last of them.

        Only `collector` and the times of the query count.
        """
        ...

    def faults(self) -> list[Fault]:
        """What is wrong with the store's own files and with the columns it searches by."""
        ...


class Store(Scanned, Protocol):
    """Where records are searched. Its methods block on disk or network: call them off the event loop."""

    def extract(self, sealed: Sealed) -> Any:
        """All that `write` needs of a record beside its text. This looks at nothing else, and never blocks."""
        ...

    def write(self, records: Sequence[Sealed]) -> list[Refusal]:
        """Stores each record once, however often it is written; on disk when this returns."""
        ...

    def holding(self, ledger: str, leaves: Sequence[int]) -> set[int]:
        """Which of these leaves are there, counting all that was written before this call."""
        ...

    def tally(self, ledger: str, start: int, end: int) -> tuple[int, int]:
        """How many records there are of leaves start ≤ leaf < end, and the sum of their leaves."""
        ...

    def erase(self, ledger: str, rows: Rows) -> int:
        """Destroys content, persons and salts of these leaves, and all they could be found by; on disk when this
        returns. Returns of how many there was any left. What they prove stays."""
        ...

    def select(self, query: Query, fields: Sequence[str] = ()) -> Iterator[Picked]:
        """Of all records that fit, however many, these fields, in order of ledger and leaf."""
        ...

    def expire(self, summarise: Mapping[str, Rows], remove: Mapping[str, Rows]) -> None:
        """Destroys of the first leaves, by ledger, what `erase` does, and of the second all there is; on disk when this
        returns. What is so already stays so."""
        ...

    def rotate(self, ages_ms: Mapping[str, int]) -> None:
        """Begins anew where the records of a retention class are written, once that is older than so, or large."""
        ...

    def roll_up(self, hour_ms: int, rollups: Sequence[Rollup]) -> None:
        """Takes the statistics of an hour, in the place of those it has."""
        ...

    def rollups(
        self, since_ms: int, until_ms: int, step_ms: int = HOUR_MS, kind: str = "", *, latency: bool = True
    ) -> list[Rollup]:
        """The statistics from `since_ms` on and before `until_ms`, the oldest first: of hours, or of whole days.

        step_ms: HOUR_MS or DAY_MS; a day's are those of its hours together, as far as these are there. kind: of which
        records; of all where it is empty. latency: whether it is told, which is most of what there is to read.
        """
        ...

    def forget_rollups(self, before_ms: int) -> None:
        """Lets go of the statistics of hours before then."""
        ...

    def search(self, query: Query) -> Page:
        """The records that fit, in the order of its `sort`."""
        ...

    def facet(self, query: Query, field: str, size: int) -> dict[str, int]:
        """The most frequent values of a field among the records that fit, and how many of them have each.

        field: a name of `facets.FACETS`. Values that are as frequent as each other stand in order. `query`'s page is
        all the same.
        """
        ...

    def values(self, query: Query, field: str, size: int) -> list[str]:
        """Values of a field that records which fit have, up to so many: sooner told than how many have each."""
        ...

    def histogram(self, query: Query, bars: int) -> Histogram:
        """The records that fit, over time, in at most so many steps."""
        ...

    def get(self, record_id: str) -> Sealed | None:
        """One record by its event.id."""
        ...

    def close(self) -> None:
        """Gives back connections and files."""
        ...


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that verification found, named so that a person can go and look."""

    kind: str
    text: str
    ledger: str = ""
    leaf: int | None = None
    record_id: str = ""


@dataclass(slots=True)
class Proved:
    """The outcome of a verification.

    faults: what was changed, removed, or does not fit. losses: what the trail itself says did not reach it, sealed
    like any record. Of each kind the first are told and all are `counted`.
    """

    records: int = 0
    ledgers: dict[str, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    losses: list[Fault] = field(default_factory=list)
    counted: Mapping[str, int] = field(default_factory=dict)
    signed_for: Mapping[str, int] = field(default_factory=dict)
    """What collectors signed for: events, dropped, sampled_out, refused."""
    uncovered: int = 0
    """Records so new that no coverage is sealed over them yet."""
    erased: dict[str, int] = field(default_factory=dict)
    """Leaves erased, by the ledger and leaf of the certificate."""
    summarised: dict[str, int] = field(default_factory=dict)
    """Leaves whose content is over its time, in the same way."""
    removed: dict[str, int] = field(default_factory=dict)
    """Leaves whose record is over its time, in the same way."""


class Emitter(Protocol):
    """How the pipeline's own events enter the trail: through a collector, like anyone's."""

    def emit(self, event: dict[str, Any]) -> None:
        """Takes the event; never raises, never blocks."""
        ...
