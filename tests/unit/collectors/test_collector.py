"""The collector: what it says is accepted is on disk, what it drops it signs for, and its chain has no gap."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any

import pytest

from slmtrail.collectors import collector as module
from slmtrail.collectors.collector import Collector
from slmtrail.collectors.framer import Identity
from slmtrail.collectors.item import Accepted
from slmtrail.collectors.spool import Spool
from slmtrail.core.errors import SpoolFull, StorageError
from slmtrail.core.identity import Position, record_id

Start = Callable[..., Collector]
WAIT_S = 20
NEVER_MS = 3_600_000


def _line(number: int, size: int = 0) -> bytes:
    return b'{"n":%d,"x":"%s"}' % (number, b"x" * size)


def _result(future: Future[Accepted]) -> Accepted:
    return future.result(WAIT_S)


def test_what_is_accepted_is_on_disk_under_the_ids_that_were_told(collecting: Start, spool: Spool, read: Any) -> None:
    collector = collecting(spool)
    told = [_result(collector.submit([_line(n), _line(n, 1)])).ids for n in range(5)]
    boots = read(spool)
    assert boots.lines == [_line(n, size) for n in range(5) for size in (0, 1)]
    derived = [
        record_id("edge-1", frame.header.boot, Position(frame.header.sequence, index, 0))
        for frame in boots.frames
        for index in range(1, frame.header.events + 1)
    ]
    assert [one for ids in told for one in ids] == derived
    assert len(set(derived)) == 10


def test_a_boot_starts_with_a_heartbeat_ends_with_a_close_and_names_the_one_before(
    collecting: Start, spool: Spool, read: Any
) -> None:
    for _ in range(3):
        collector = collecting(spool)
        _result(collector.submit([_line(1)]))
        collector.stop()
    boots = read(spool)
    boots.check_chains()
    assert boots.kinds == ["heartbeat", "events", "close"] * 3
    starts = [frame.header for frame in boots.frames if frame.header.sequence == 0]
    assert [start.prior_boot for start in starts] == ["", starts[0].boot, starts[1].boot]
    assert all(frame.header.prior_boot == "" for frame in boots.frames if frame.header.sequence)


def test_a_boot_that_wrote_nothing_is_nobodys_prior(
    identity: Identity, collecting: Start, spool: Spool, read: Any
) -> None:
    first = collecting(spool)
    first.stop()
    Collector(identity, spool)  # it dies before its first frame
    collecting(spool).stop()
    starts = [frame.header for frame in read(spool).frames if frame.header.sequence == 0]
    assert len(starts) == 2
    assert starts[1].prior_boot == starts[0].boot


def test_events_that_come_while_the_disk_is_busy_share_a_commit(collecting: Start, disk: Any, read: Any) -> None:
    collector = collecting(disk, heartbeat_ms=NEVER_MS)
    disk.open.clear()
    futures = [collector.submit([_line(0)])]
    assert disk.waiting.wait(WAIT_S)
    futures += [collector.submit([_line(n)]) for n in range(1, 300)]
    commits = disk.commits
    disk.open.set()
    wait(futures, WAIT_S)
    assert disk.commits == commits + 2
    assert read(disk.spool).lines == [_line(n) for n in range(300)]
    assert len({_result(future).ids[0] for future in futures}) == 300


def test_offered_events_share_a_frame_closed_by_size(collecting: Start, spool: Spool, read: Any, until: Any) -> None:
    collector = collecting(spool, frame_linger_ms=NEVER_MS, frame_max_bytes=1000, heartbeat_ms=NEVER_MS)
    for n in range(40):
        collector.offer([_line(n, 40)])
    until("two frames", lambda: read(spool).kinds.count("events") >= 2)
    collector.stop()
    boots = read(spool)
    assert boots.lines == [_line(n, 40) for n in range(40)]
    assert boots.kinds.count("events") <= 4


def test_offered_events_leave_by_their_age(collecting: Start, spool: Spool, read: Any, until: Any) -> None:
    collector = collecting(spool, frame_linger_ms=1, heartbeat_ms=NEVER_MS)
    collector.offer([_line(1)])
    until("the event", lambda: read(spool).lines == [_line(1)])


@pytest.mark.parametrize("when_full", ["block", "drop"])
def test_a_large_request_becomes_frames_that_the_stream_takes(
    collecting: Start, spool: Spool, read: Any, when_full: str
) -> None:
    collector = collecting(spool, frame_max_bytes=10_000, when_full=when_full)
    chance = random.Random(7)
    lines = [_line(n, chance.choice([0, 500, 9_000, 30_000])) for n in range(300)]
    ids = _result(collector.submit(lines)).ids
    boots = read(spool)
    boots.check_chains()
    assert boots.lines == lines
    for frame in boots.frames:
        assert frame.header.body_bytes < 30_000 + 10_000
    derived = [
        record_id("edge-1", frame.header.boot, Position(frame.header.sequence, index, 0))
        for frame in boots.frames
        for index in range(1, frame.header.events + 1)
    ]
    assert ids == derived


def test_a_large_request_is_taken_whole_or_not_at_all(collecting: Start, tmp_path: Any, read: Any) -> None:
    spool = Spool(tmp_path / "small", 20_000)
    collector = collecting(spool, frame_max_bytes=1000)
    chance = random.Random(7)
    with pytest.raises(SpoolFull):
        _result(collector.submit([_line(n) + chance.randbytes(900).hex().encode() for n in range(50)]))
    ids = _result(collector.submit([_line(1)])).ids
    collector.stop()
    boots = read(spool)
    boots.check_chains()
    assert boots.lines == [_line(1)]
    assert ids == [record_id("edge-1", boots.frames[1].header.boot, Position(1, 1, 0))]
    spool.close()


def test_a_full_spool_blocks_or_drops_and_signs_for_every_event(collecting: Start, tmp_path: Any, read: Any) -> None:
    """The oracle: what is in the frames and what they sign as dropped is what was given."""
    for when_full in ("block", "drop"):
        spool = Spool(tmp_path / when_full, 30_000)
        collector = collecting(spool, frame_linger_ms=1, heartbeat_ms=NEVER_MS, when_full=when_full)
        chance = random.Random(11)
        given_count = refused = 0
        for n in range(120):
            lines = [_line(n, chance.randrange(300)) + chance.randbytes(100) for _ in range(chance.randrange(1, 4))]
            lines = [line.replace(b"\n", b"") for line in lines]
            given_count += len(lines)
            if n % 2:
                collector.offer(lines)
                continue
            try:
                accepted = _result(collector.submit(lines))
                assert len(accepted.ids) + accepted.dropped == len(lines)
                assert when_full == "drop" or not accepted.dropped
            except SpoolFull:
                assert when_full == "block"
                refused += len(lines)
        collector.drop(5)
        collector.stop()
        boots = read(spool)
        boots.check_chains()
        assert boots.dropped > 5
        assert bool(refused) == (when_full == "block")
        assert len(boots.lines) + boots.dropped + refused == given_count + 5
        assert boots.kinds[-1] == "close"
        spool.close()


def test_a_full_spool_does_not_keep_a_collector_from_starting(
    collecting: Start, tmp_path: Any, read: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else nobody would ship what fills it."""
    monkeypatch.setattr("slmtrail.collectors.spool.HEARTBEAT_RESERVE_BYTES", 0)
    spool = Spool(tmp_path / "s", 1500)
    first = collecting(spool)
    with pytest.raises(SpoolFull):
        _result(first.submit([bytes(random.Random(1).randbytes(5000)).hex().encode()]))
    while True:
        try:
            _result(first.submit([_line(1)]))
        except SpoolFull:
            break
    first.stop()
    second = collecting(spool)
    with pytest.raises(SpoolFull):
        _result(second.submit([_line(2)]))
    spool.forget(spool.oldest(100, 1 << 30))
    _result(second.submit([_line(3)]))
    second.stop()
    boots = read(spool)
    boots.check_chains()
    assert boots.lines == [_line(3)]
    assert boots.frames[0].header.prior_boot not in ("", boots.frames[0].header.boot)
    spool.close()


def test_a_disk_that_fails_tells_those_who_wait_at_once_and_keeps_what_was_offered(
    collecting: Start, disk: Any, read: Any, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RETRY_S", 0.005)
    collector = collecting(disk, frame_linger_ms=1, heartbeat_ms=NEVER_MS)
    disk.failing = True
    collector.offer([_line(1)])
    until("the failure", lambda: collector._waiting)
    for n in range(10, 13):
        with pytest.raises(StorageError, match="free space"):
            _result(collector.submit([_line(n)]))
    collector.offer([_line(2)])
    disk.failing = False
    _result(collector.submit([_line(3)]))
    until("what was offered", lambda: set(read(disk.spool).lines) == {_line(1), _line(2), _line(3)})
    collector.stop()
    boots = read(disk.spool)
    boots.check_chains()
    assert sorted(boots.lines) == [_line(1), _line(2), _line(3)]
    assert boots.dropped == 0


def test_what_a_failing_disk_never_took_is_dropped_at_the_end_and_counted(
    collecting: Start, disk: Any, read: Any, until: Any
) -> None:
    collector = collecting(disk, frame_linger_ms=1, heartbeat_ms=NEVER_MS)
    disk.failing = True
    collector.offer([_line(1), _line(2)])
    until("the failure", lambda: collector._waiting)
    collector.stop()
    assert collector._missing.dropped == 2
    assert collector._offered_bytes == 0
    assert read(disk.spool).kinds == ["heartbeat"]


def test_what_is_offered_is_bounded_in_memory_and_what_is_beyond_is_signed(
    collecting: Start, disk: Any, read: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "OFFER_MAX_BYTES", 10_000)
    collector = collecting(disk, frame_linger_ms=1, heartbeat_ms=NEVER_MS)
    for _ in range(2):
        disk.open.clear()
        for n in range(50):
            collector.offer([_line(n, 980)])
        disk.open.set()
        _result(collector.submit([_line(99)]))
    collector.stop()
    boots = read(disk.spool)
    kept = [line for line in boots.lines if line != _line(99)]
    assert len(kept) + boots.dropped == 100
    assert 18 <= len(kept) <= 22
    assert collector._offered_bytes == 0


def test_a_drop_is_signed_once_though_its_first_frame_failed(collecting: Start, disk: Any, read: Any) -> None:
    collector = collecting(disk, heartbeat_ms=NEVER_MS)
    collector.drop(7)
    disk.failing = True
    with pytest.raises(StorageError):
        _result(collector.submit([_line(1)]))
    disk.failing = False
    for n in (2, 3):
        _result(collector.submit([_line(n)]))
    collector.stop()
    boots = read(disk.spool)
    boots.check_chains()
    assert [frame.header.dropped for frame in boots.frames] == [0, 7, 0, 0]


def test_an_idle_collector_signs_heartbeats(collecting: Start, spool: Spool, read: Any, until: Any) -> None:
    collector = collecting(spool, heartbeat_ms=1)
    until("five heartbeats", lambda: len(read(spool).frames) >= 5)
    collector.drop(3)
    until("the drop", lambda: read(spool).dropped == 3)
    collector.stop()
    boots = read(spool)
    boots.check_chains()
    assert set(boots.kinds) == {"heartbeat", "close"}
    assert boots.dropped == 3


def test_every_submit_that_races_a_stop_is_answered_and_the_answer_is_true(
    collecting: Start, spool: Spool, read: Any
) -> None:
    for round_number in range(8):
        collector = collecting(spool, heartbeat_ms=NEVER_MS)
        futures: list[list[tuple[bytes, Future[Accepted]]]] = [[] for _ in range(4)]
        go = threading.Barrier(5)

        def work(
            number: int, mine: list[tuple[bytes, Future[Accepted]]], collector: Collector = collector,
            go: threading.Barrier = go, round_number: int = round_number,
        ) -> None:  # fmt: skip
            go.wait()
            for n in range(60):
                line = _line(round_number * 100_000 + number * 1000 + n)
                mine.append((line, collector.submit([line])))

        threads = [threading.Thread(target=work, args=(n, mine)) for n, mine in enumerate(futures)]
        for thread in threads:
            thread.start()
        go.wait()
        collector.stop()
        for thread in threads:
            thread.join()
        given_futures = [pair for mine in futures for pair in mine]
        _, pending = wait([future for _, future in given_futures], WAIT_S)
        assert not pending
        kept = set(read(spool).lines)
        for line, future in given_futures:
            assert (line in kept) == (future.exception() is None)
    read(spool).check_chains()


def test_a_stopped_collector_refuses_and_counts(collecting: Start, spool: Spool) -> None:
    collector = collecting(spool)
    collector.stop()
    collector.stop()
    with pytest.raises(StorageError, match="is stopping"):
        _result(collector.submit([_line(1)]))
    collector.offer([_line(1)])
    assert collector._missing.dropped == 1


def test_a_collector_that_never_started_can_be_stopped(identity: Identity, spool: Spool) -> None:
    collector = Collector(identity, spool)
    future = collector.submit([_line(1)])
    collector.stop()
    with pytest.raises(StorageError, match="is stopping"):
        _result(future)


def test_a_caller_who_goes_away_does_not_stop_the_writer(collecting: Start, disk: Any, read: Any) -> None:
    collector = collecting(disk, heartbeat_ms=NEVER_MS)
    disk.open.clear()
    gone = collector.submit([_line(1)])
    gone.cancel()
    disk.open.set()
    assert _result(collector.submit([_line(2)])).ids
    assert read(disk.spool).lines == [_line(1), _line(2)]


def test_a_writer_that_breaks_leaves_nobody_waiting(
    collecting: Start, disk: Any, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", seen.append)
    collector = collecting(disk, heartbeat_ms=NEVER_MS)
    disk.open.clear()
    first = collector.submit([_line(0)])
    assert disk.waiting.wait(WAIT_S)
    monkeypatch.setattr(disk, "spool", None)
    later = [collector.submit([_line(n)]) for n in range(1, 4)]
    disk.open.set()
    for future in [first, *later]:
        with pytest.raises(StorageError, match="is stopping"):
            _result(future)
    until("the end of the thread", lambda: seen)
    with pytest.raises(StorageError, match="is stopping"):
        _result(collector.submit([_line(9)]))
    assert seen[0].exc_type is AttributeError


def test_whoever_ships_is_told_of_every_frame(collecting: Start, spool: Spool, read: Any) -> None:
    told: list[int] = []

    def closed_loop() -> None:
        told.append(1)
        raise RuntimeError("Event loop is closed")

    collector = collecting(spool, on_frame=closed_loop)
    for n in range(3):
        _result(collector.submit([_line(n)]))
    collector.stop()
    assert len(told) == len(read(spool).frames) == 5


def test_a_clock_that_goes_back_leaves_times_in_order(
    collecting: Start, spool: Spool, read: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter(range(2_000_000_000_000_000_000, 0, -1_000_000_000_000))
    monkeypatch.setattr("time.time_ns", lambda: next(times))
    collector = collecting(spool, heartbeat_ms=NEVER_MS)
    for n in range(3):
        _result(collector.submit([_line(n)]))
    collector.stop()
    for frame in read(spool).frames:
        assert frame.header.first_ms <= frame.header.last_ms
