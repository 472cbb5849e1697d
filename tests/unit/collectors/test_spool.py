"""The spool: what it acknowledged is there after anything, in order; damage costs no more than what it touches."""

from __future__ import annotations

import contextlib
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from builders import Edge
from slmtrail.collectors import spool as module
from slmtrail.collectors.missing import NONE, Missing
from slmtrail.collectors.spool import Spool
from slmtrail.core import frames
from slmtrail.core.errors import SpoolFull, StorageError

ROOM = 1 << 30


@contextlib.contextmanager
def _open(folder: Path, max_bytes: int = ROOM) -> Iterator[Spool]:
    spool = Spool(folder, max_bytes)
    try:
        yield spool
    finally:
        spool.close()


def _all(spool: Spool) -> list[bytes]:
    return [frame.data for frame in spool.oldest(1_000_000, 1 << 40)]


def _frame(number: int, size: int = 500) -> bytes:
    return f"{number:08d}".encode() + random.Random(number).randbytes(size)


class SpoolMachine(RuleBasedStateMachine):
    """The spool against a list."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory(prefix="spool-")
        self._spool = Spool(Path(self._folder.name), 5000)
        self._model: list[bytes] = []
        self._boot = self._begun = ""
        self._number = 0
        self._notes: dict[str, bytes] = {}
        self._unsigned = NONE

    @rule(
        sizes=st.lists(st.integers(0, 1500), max_size=3),
        has_events=st.booleans(),
        notes=st.dictionaries(st.sampled_from(["tail/a", "tail/b"]), st.binary(max_size=3), max_size=2),
        missing=st.builds(Missing, st.integers(0, 3), st.integers(0, 3)),
        signs=st.booleans(),
    )
    def commit(
        self, sizes: list[int], has_events: bool, notes: dict[str, bytes], missing: Missing, signs: bool
    ) -> None:
        """Puts frames and notes in, or finds the spool full; signs for all that is missing, or has more missing."""
        missing = -self._unsigned if signs else missing
        frames = [_frame(self._number + n, size) for n, size in enumerate(sizes)]
        self._number += len(frames)
        limit = 5000 + (0 if has_events else 2000)
        fits = sum(map(len, self._model + frames)) <= limit
        try:
            self._spool.commit(frames, has_events=has_events, notes=notes, missing=missing)
        except SpoolFull:
            assert not fits
            return
        assert fits or not frames
        self._model += frames
        self._notes |= notes
        self._unsigned += missing
        if frames and self._begun:
            self._boot, self._begun = self._begun, ""

    @precondition(lambda self: self._model)
    @rule(count=st.integers(1, 5), max_bytes=st.integers(0, 4000))
    def ship(self, count: int, max_bytes: int) -> None:
        """Takes the oldest frames and lets go of them."""
        taken = self._spool.oldest(count, max_bytes)
        data = [frame.data for frame in taken]
        assert data == self._model[: len(data)]
        assert data
        assert len(data) == 1 or sum(map(len, data)) <= max_bytes
        following = self._model[len(data) : len(data) + 1]
        assert len(data) == count or not following or sum(map(len, data + following)) > max_bytes
        self._spool.forget(taken)
        del self._model[: len(data)]

    @rule(name=st.text("0123456789abcdef", min_size=1, max_size=4))
    def begin(self, name: str) -> None:
        """A boot begins; it counts from its first commit on."""
        assert self._spool.begin_boot(name) == self._boot
        self._begun = name

    @rule()
    def reopen(self) -> None:
        """Another process takes over."""
        self._spool.close()
        self._spool = Spool(Path(self._folder.name), 5000)
        self._begun = ""

    @invariant()
    def holds(self) -> None:
        """It holds what the model holds, and knows how much that is."""
        assert self._spool.waiting_bytes == sum(map(len, self._model))
        assert _all(self._spool) == self._model
        assert self._spool.notes("tail/") == self._notes
        assert self._spool.unsigned == self._unsigned

    def teardown(self) -> None:
        self._spool.close()
        self._folder.cleanup()


@pytest.fixture(autouse=True)
def _small_reserve(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEARTBEAT_RESERVE_BYTES", 2000)


@pytest.fixture
def _quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small pages: the machine makes many spools."""
    monkeypatch.setattr(module, "PAGE_BYTES", 1024)


@pytest.mark.usefixtures("_quick_disk")
def test_it_behaves_like_a_list() -> None:
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(SpoolMachine, settings=settings(max_examples=25, stateful_step_count=20, deadline=None))


_WRITER = """
import random, sys
from pathlib import Path
from slmtrail.collectors.spool import Spool
spool = Spool(Path(sys.argv[1]), 1 << 30)
number = int(sys.argv[2])
print("open", flush=True)
while True:
    size = random.Random(number).choice([10, 500, 70_000])
    spool.commit([b"%08d" % number + random.Random(number).randbytes(size)])
    print(number, flush=True)
    if number % 7 == 0:
        spool.forget(spool.oldest(2, 1 << 30))
        print("forgot", flush=True)
    number += 1
"""


def test_what_was_acknowledged_survives_a_kill_at_any_moment(tmp_path: Path) -> None:
    chance = random.Random()
    first = 1
    for _ in range(6):
        writer = subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(tmp_path / "s"), str(first)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout
        stop_after = chance.randrange(1, 40)
        said: list[str] = []
        for line in writer.stdout:
            said.append(line.strip())
            if len(said) > stop_after:
                writer.send_signal(signal.SIGKILL)
                break
        said += [line.strip() for line in writer.stdout if line.endswith("\n")]
        writer.wait()
        acknowledged = [int(word) for word in said if word.isdecimal()]
        with _open(tmp_path / "s") as spool:
            kept = _all(spool)
        numbers = [int(data[:8]) for data in kept]
        # One more may be there than was acknowledged; shipped ones are gone from the front.
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        assert numbers[-1] in (acknowledged[-1], acknowledged[-1] + 1)
        assert numbers[0] <= 1 + 2 * (acknowledged[-1] // 7 + 1)
        for number, data in zip(numbers, kept, strict=True):
            assert data[8:] == random.Random(number).randbytes(len(data) - 8)
        first = numbers[-1] + 1


def test_two_processes_do_not_share_a_spool(tmp_path: Path) -> None:
    with _open(tmp_path / "s"):
        with pytest.raises(StorageError, match="another process uses this spool; stop it, or give this collector"):
            Spool(tmp_path / "s", ROOM)
        code = "import sys; from pathlib import Path; from slmtrail.collectors.spool import Spool; "
        code += "Spool(Path(sys.argv[1]), 9)"
        other = subprocess.run(
            [sys.executable, "-c", code, tmp_path / "s"], capture_output=True, text=True, check=False
        )
        assert other.returncode
        assert "another process uses this spool" in other.stderr
    with _open(tmp_path / "s"):
        pass


def test_frames_come_whole_or_not_at_all(tmp_path: Path) -> None:
    with _open(tmp_path / "s", 2000) as spool:
        spool.commit([_frame(1), _frame(2)])
        with pytest.raises(SpoolFull, match=r"holds 1016 of 2000 bytes: see why .* raise collector\.spool_max_bytes"):
            spool.commit([_frame(3, 10), _frame(4, 5000)])
        assert _all(spool) == [_frame(1), _frame(2)]
        assert spool.waiting_bytes == 1016


def test_the_reserve_is_for_frames_without_events(tmp_path: Path) -> None:
    with _open(tmp_path / "s", 1000) as spool:
        spool.commit([_frame(1, 992)])
        with pytest.raises(SpoolFull):
            spool.commit([b"x"])
        spool.commit([_frame(2, 1992)], has_events=False)
        with pytest.raises(SpoolFull):
            spool.commit([b"x"], has_events=False)


def _damaged_spool(folder: Path) -> list[bytes]:
    frames = [_frame(n, [30, 3000, 90_000][n % 3]) for n in range(24)]
    with _open(folder) as spool:
        for frame in frames:
            spool.commit([frame])
    assert not (folder / "spool.sqlite-wal").exists()
    return frames


@pytest.mark.usefixtures("_quick_disk")
def test_damage_anywhere_costs_no_more_than_what_it_touches(tmp_path: Path) -> None:
    frames = _damaged_spool(tmp_path / "s")
    whole = (tmp_path / "s" / "spool.sqlite").read_bytes()
    chance = random.Random(5)
    recovered = []
    for round_number in range(60):
        folder = tmp_path / str(round_number)
        folder.mkdir()
        damaged = bytearray(whole)
        at = chance.randrange(100, len(whole))
        for place in range(at, min(len(whole), at + chance.choice([1, 16, 3000]))):
            damaged[place] ^= chance.randrange(1, 256)
        (folder / "spool.sqlite").write_bytes(damaged)
        with _open(folder) as spool:
            kept = _all(spool)
            spool.commit([b"new"])
            assert _all(spool)[-1] == b"new"
        intact = [frame for frame in kept if frame in frames]
        assert intact == [frame for frame in frames if frame in intact], "order"
        recovered.append(len(intact))
        if len(intact) < len(frames) - 1:
            assert len(list(folder.glob("spool.damaged-*.sqlite"))) == 1
    assert sum(recovered) > 0.8 * len(recovered) * len(frames)


@pytest.mark.usefixtures("_quick_disk")
def test_a_spool_that_was_cut_off_gives_back_its_first_part(tmp_path: Path) -> None:
    frames = _damaged_spool(tmp_path / "s")
    whole = (tmp_path / "s" / "spool.sqlite").read_bytes()
    for tenths in range(10):
        folder = tmp_path / str(tenths)
        folder.mkdir()
        (folder / "spool.sqlite").write_bytes(whole[: len(whole) * tenths // 10 + 17 * (tenths > 0)])
        with _open(folder) as spool:
            kept = _all(spool)
            assert len(list(folder.glob("spool.damaged-*.sqlite"))) == 1
            spool.commit([b"new"])
        assert kept == frames[: len(kept)]
        assert len(kept) >= len(frames) * (tenths - 1) // 10 - 1, tenths


@pytest.mark.parametrize("data", [b"", b"not a database" * 1000, b"SQLite format 3\x00" + bytes(5000)])
def test_a_file_that_is_no_spool_is_set_aside(tmp_path: Path, data: bytes) -> None:
    folder = tmp_path / "s"
    folder.mkdir()
    (folder / "spool.sqlite").write_bytes(data)
    with _open(folder) as spool:
        assert _all(spool) == []
        spool.commit([b"new"])
    with _open(folder) as spool:
        assert _all(spool) == [b"new"]
    aside = list(folder.glob("spool.damaged-*.sqlite"))
    assert [path.read_bytes() for path in aside] == [data]


def test_a_spool_whose_tables_are_others_is_set_aside(tmp_path: Path) -> None:
    _damaged_spool(tmp_path / "s")
    file = tmp_path / "s" / "spool.sqlite"
    data = file.read_bytes()
    assert data.count(b"CREATE TABLE frames") == 1
    file.write_bytes(data.replace(b"CREATE TABLE frames", b"CREATE TABLE grames").replace(b"\x06framesframes", b"x"))
    with _open(tmp_path / "s") as spool:
        spool.commit([b"new"])
        assert _all(spool)[-1] == b"new"
    assert list((tmp_path / "s").glob("spool.damaged-*.sqlite"))


def test_a_spool_that_failed_to_open_is_not_held(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    (folder / "spool.sqlite").mkdir(parents=True)
    for _ in range(2):
        with pytest.raises(StorageError, match=r"spool\.sqlite: unable to open database file; give this user"):
            Spool(folder, ROOM)
    (folder / "spool.sqlite").rmdir()
    with _open(folder) as spool:
        spool.commit([b"x"])


def test_a_folder_that_can_not_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="a file stands where a folder should be"):
        Spool(tmp_path / "file" / "s", ROOM)
    with pytest.raises(StorageError, match=str(tmp_path / "file")):
        Spool(tmp_path / "file", ROOM)


def test_a_closed_spool_says_so_as_a_storage_error(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s", ROOM)
    spool.commit([b"x"])
    frames = spool.oldest(1, 1)
    spool.close()
    spool.close()
    for call in (
        lambda: spool.commit([b"y"]),
        lambda: spool.oldest(1, 1),
        lambda: spool.forget(frames),
        lambda: spool.begin_boot("b"),
    ):
        with pytest.raises(StorageError):
            call()


@pytest.fixture
def _little_to_spare(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the spool sets aside, in proportion to a disk of 4 MB."""
    monkeypatch.setattr(module, "LOG_PAGES", 4)
    monkeypatch.setattr(module, "SPARE_BYTES", 1024 * 1024)


@pytest.mark.usefixtures("_little_to_spare")
def test_a_full_disk_is_told_loses_nothing_and_drains(small_disk: Path) -> None:
    kept: list[bytes] = []
    with _open(small_disk / "s") as spool:
        with pytest.raises(StorageError, match="full; free space on that disk"):
            for number in range(1000):
                spool.commit([_frame(number, 60_000)])
                kept.append(_frame(number, 60_000))
        assert len(kept) > 10
        for _ in range(3):
            with pytest.raises(StorageError, match="full"):
                spool.commit([_frame(5000, 2_000_000)])
        assert spool.waiting_bytes == sum(map(len, kept))
        assert _all(spool) == kept
    with _open(small_disk / "s") as spool:
        assert _all(spool) == kept
        while kept:
            shipped = spool.oldest(5, 1 << 30)
            spool.forget(shipped)
            del kept[: len(shipped)]
        for number in range(20):
            spool.commit([_frame(number, 60_000)])
        assert len(_all(spool)) == 20


@pytest.mark.usefixtures("_little_to_spare")
def test_a_full_disk_does_not_keep_frames_from_leaving(small_disk: Path) -> None:
    """Forgetting is what makes room: it has to work when there is none."""
    with _open(small_disk / "s") as spool:
        count = 0
        with pytest.raises(StorageError):
            while True:
                spool.commit([_frame(count, 60_000)])
                count += 1
        filler = small_disk / "filler"
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        while frames := spool.oldest(4, 1 << 30):
            spool.forget(frames)
            count -= len(frames)
        assert count == 0
        spool.commit([_frame(1, 60_000)])
        filler.unlink()
        spool.commit([_frame(2, 60_000)])
        assert _all(spool) == [_frame(1, 60_000), _frame(2, 60_000)]


def test_a_read_only_disk_is_told(small_disk: Path) -> None:
    with _open(small_disk / "s") as spool:
        spool.commit([b"x"])
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(StorageError, match="read-only"):
        Spool(small_disk / "s", ROOM)
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    with _open(small_disk / "s") as spool:
        assert _all(spool) == [b"x"]


def test_a_commit_that_failed_leaves_nothing_behind(tmp_path: Path) -> None:
    with _open(tmp_path / "s") as spool:
        spool.commit([b"x"])
        spool._writer.set_authorizer(lambda action, *_: sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_INSERT else 0)
        with pytest.raises(StorageError, match=r"spool\.sqlite"):
            spool.commit([b"y"])
        spool._writer.set_authorizer(None)
        spool.commit([b"z"])
        assert _all(spool) == [b"x", b"z"]
        assert spool.waiting_bytes == 2


def test_a_child_of_the_collector_does_not_hold_its_spool(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s", ROOM)
    child = subprocess.Popen([sys.executable, "-c", "import sys; print(1, flush=True); sys.stdin.read()"],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, close_fds=False)  # fmt: skip
    try:
        assert child.stdout
        assert child.stdout.readline()
        spool.close()
        with _open(tmp_path / "s"):
            pass
    finally:
        child.communicate(b"")


def test_the_folder_is_private(tmp_path: Path) -> None:
    with _open(tmp_path / "a" / "s"):
        assert (tmp_path / "a" / "s").stat().st_mode & 0o777 == 0o700
        assert [path.name for path in (tmp_path / "a").iterdir()] == ["s"]


def test_notes_change_with_the_frames_they_came_with(tmp_path: Path) -> None:
    with _open(tmp_path / "s", 1000) as spool:
        spool.commit([b"x"], notes={"tail/a": b"1", "tail/b": b"1", "batch/a": b"9"})
        spool.commit([], notes={"tail/a": b"2"})
        with pytest.raises(SpoolFull):
            spool.commit([bytes(2000)], notes={"tail/b": b"2"})
        spool._writer.set_authorizer(lambda action, *_: sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_INSERT else 0)
        with pytest.raises(StorageError):
            spool.commit([], notes={"tail/b": b"3"})
    with _open(tmp_path / "s") as spool:
        assert spool.notes("tail/") == {"tail/a": b"2", "tail/b": b"1"}
        assert spool.notes("") == {"batch/a": b"9", "tail/a": b"2", "tail/b": b"1"}
        assert _all(spool) == [b"x"]


def test_notes_go_by_age_and_by_who_keeps_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with _open(tmp_path / "s") as spool:
        for second, key in enumerate(["tail/a", "batch/a", "batch/b", "batch/a"]):
            monkeypatch.setattr("time.time_ns", lambda second=second: second * 10**9)
            spool.commit([], notes={key: b"%d" % second})
        spool.forget_notes("batch/", 3000)
        assert spool.notes("") == {"tail/a": b"0", "batch/a": b"3"}


def test_a_spool_of_the_first_kind_opens_with_all_it_holds(tmp_path: Path) -> None:
    with _open(tmp_path / "s") as spool:
        spool.begin_boot("b1")
        spool.commit([b"x", b"y"])
    with contextlib.closing(sqlite3.connect(tmp_path / "s" / "spool.sqlite")) as db:
        db.execute("DROP TABLE notes")
    with _open(tmp_path / "s") as spool:
        assert _all(spool) == [b"x", b"y"]
        assert spool.begin_boot("b2") == "b1"
        spool.commit([], notes={"a": b"1"})
        assert spool.notes("") == {"a": b"1"}
    assert not list((tmp_path / "s").glob("*damaged*"))


@pytest.mark.usefixtures("_quick_disk")
def test_notes_are_recovered_from_a_damaged_spool(tmp_path: Path) -> None:
    with _open(tmp_path / "s") as spool:
        for number in range(40):
            spool.commit([_frame(number, 3000)], notes={"tail/a": b"%d" % number, f"batch/{number}": b"x"})
    file = tmp_path / "s" / "spool.sqlite"
    data = bytearray(file.read_bytes())
    data[len(data) * 3 // 4 : len(data) * 3 // 4 + 2000] = bytes(2000)
    file.write_bytes(data)
    with _open(tmp_path / "s") as spool:
        assert list((tmp_path / "s").glob("*damaged*"))
        assert spool.notes("tail/") == {"tail/a": b"39"}
        assert len(spool.notes("batch/")) == 40


def test_what_is_too_old_is_dropped_and_to_be_signed_for(tmp_path: Path) -> None:
    edge = Edge(X25519PrivateKey.generate())

    def frame(at_ms: int, **more: int) -> bytes:
        edge.now_ms = at_ms
        return frames.to_bytes(edge.frame([b"{}"] * 10, **more))

    with _open(tmp_path) as spool:
        spool.commit([b"no frame", frame(1000, dropped=3, sampled_out=2), frame(2000), frame(3000)])
        assert spool.drop_older(1500, after_id=2) == 0
        assert spool.drop_older(2500, after_id=0) == 20
        assert spool.unsigned == Missing(23, 2)
        assert [frames.from_bytes(data).header.last_ms for data in _all(spool)[1:]] == [3000]
    with _open(tmp_path) as spool:
        assert spool.unsigned == Missing(23, 2)
        spool.commit([b"signs"], missing=-spool.unsigned)
    with _open(tmp_path) as spool:
        assert not spool.unsigned


def test_a_boot_counts_from_its_first_frame_on_not_from_notes(tmp_path: Path) -> None:
    with _open(tmp_path) as spool:
        spool.begin_boot("first")
        spool.commit([], notes={"tail/a": b"1"})
        spool.commit([_frame(1)])
        spool.begin_boot("second")
        spool.commit([], notes={"tail/a": b"2"})
    with _open(tmp_path) as spool:
        assert spool.begin_boot("third") == "first"
