"""Following: every line once, through rotation, copying, compression, restarts, full spools and bad lines."""

from __future__ import annotations

import contextlib
import gzip
import json
import logging
import os
import re
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
import zstandard

from slmtrail.collectors.item import Accepted
from slmtrail.collectors.spool import Spool
from slmtrail.collectors.tail import marks
from slmtrail.collectors.tail import tailer as tailer_module
from slmtrail.collectors.tail import watch as watch_module
from slmtrail.collectors.tail.formats.names import named
from slmtrail.collectors.tail.tailer import Tailer, TailOptions
from slmtrail.core.errors import SpoolFull

MAX = 20_000


def line(number: int, more: str = "") -> bytes:
    event = {
        "@timestamp": "2026-01-02T03:04:05.678Z",
        "slm.kind": "inference",
        "gen_ai.request.model": "phi-3",
        "message": f"{number} {more}",
    }
    return json.dumps(event).encode() + b"\n"


def lines(*numbers: int) -> bytes:
    return b"".join(line(number, "x" * 200) for number in numbers)


class Sink:
    """A collector that a test can hold up, and that remembers."""

    def __init__(self, spool: Spool) -> None:
        self.spool = spool
        self.lines: list[bytes] = []
        self.full = False
        self.refusals = 0

    def submit(self, given: list[bytes], notes: Mapping[str, bytes]) -> Future[Accepted]:
        future: Future[Accepted] = Future()
        if self.full:
            self.refusals += 1
            future.set_exception(SpoolFull("the spool is full"))
        else:
            self.lines += given
            self.spool.commit([], notes=notes)
            future.set_result(Accepted([(0, n) for n in range(len(given))]))
        return future

    @property
    def numbers(self) -> list[int]:
        return [int(json.loads(given)["message"].split()[0]) for given in self.lines]


class Following:
    """A tailer over a folder, started and stopped as a test says."""

    def __init__(self, folder: Path, sink: Sink) -> None:
        self.folder, self.sink = folder, sink
        self.tailer: Tailer | None = None
        self.thread: threading.Thread | None = None

    def start(self, *patterns: str, once: bool = False, form: str = "slmtrail", **options: Any) -> Tailer:
        begins = options.pop("begins", None)
        given = patterns or (str(self.folder / "app.log*"),)
        self.tailer = Tailer(
            TailOptions(given, MAX, begins, once),
            named(form, MAX, **options),
            self.sink,  # type: ignore[arg-type]
        )
        self.thread = threading.Thread(target=self.tailer.run, daemon=True)
        self.thread.start()
        return self.tailer

    def stop(self) -> None:
        if self.tailer and self.thread:
            self.tailer.stop()
            self.join()

    def join(self) -> None:
        assert self.thread
        self.thread.join(20)
        assert not self.thread.is_alive()
        self.tailer = None

    def once(self, *patterns: str, **options: Any) -> Tailer:
        tailer = self.start(*patterns, once=True, **options)
        self.join()
        return tailer


@pytest.fixture
def sink(spool: Spool) -> Sink:
    return Sink(spool)


@pytest.fixture
def follow(tmp_path: Path, sink: Sink, monkeypatch: pytest.MonkeyPatch) -> Iterator[Following]:
    for name in ("SCAN_S", "POLL_S", "RETRY_S", "FLUSH_S"):
        monkeypatch.setattr(tailer_module, name, 0.01)
    monkeypatch.setattr(watch_module, "GONE_QUIET_S", 0.05)
    monkeypatch.setattr(watch_module, "PACKED_AGE_S", 0.0)
    following = Following(tmp_path, sink)
    yield following
    following.stop()


@pytest.fixture
def app_log(tmp_path: Path) -> Path:
    return tmp_path / "app.log"


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def arrived(until: Callable[..., Any], sink: Sink, *numbers: int) -> None:
    wanted = list(numbers)
    until(f"{wanted} arrived, not {sink.numbers}", lambda: len(sink.numbers) >= len(wanted))
    assert sorted(sink.numbers) == wanted


def test_what_is_there_and_what_comes_arrives_in_order(
    follow: Following, sink: Sink, app_log: Path, until: Any
) -> None:
    app_log.write_bytes(lines(1, 2))
    follow.start()
    arrived(until, sink, 1, 2)
    append(app_log, lines(3)[:40])
    append(app_log, lines(3)[40:] + lines(4))
    arrived(until, sink, 1, 2, 3, 4)
    assert sink.numbers == [1, 2, 3, 4]
    assert sink.lines[0] + b"\n" == lines(1)


def test_a_line_not_yet_whole_waits_for_its_end(follow: Following, sink: Sink, app_log: Path, until: Any) -> None:
    app_log.write_bytes(lines(1) + lines(2)[:50])
    follow.start()
    arrived(until, sink, 1)
    follow.stop()
    assert sink.numbers == [1]
    append(app_log, lines(2)[50:])
    follow.start()
    arrived(until, sink, 1, 2)


def test_nothing_comes_twice_after_a_restart(follow: Following, sink: Sink, app_log: Path) -> None:
    app_log.write_bytes(lines(*range(50)))
    follow.once()
    follow.once()
    append(app_log, lines(50))
    follow.once()
    assert sink.numbers == list(range(51))


def test_rotation_by_renaming_loses_and_doubles_nothing(
    follow: Following, sink: Sink, app_log: Path, until: Any
) -> None:
    follow.start(str(app_log))
    app_log.write_bytes(lines(1, 2))
    arrived(until, sink, 1, 2)
    writer = app_log.open("ab")
    app_log.rename(app_log.with_suffix(".old"))
    writer.write(lines(3))  # the writer has not noticed yet
    writer.flush()
    app_log.write_bytes(lines(4))
    arrived(until, sink, 1, 2, 3, 4)
    writer.close()


def test_a_file_deleted_is_read_to_its_end(follow: Following, sink: Sink, app_log: Path, until: Any) -> None:
    app_log.write_bytes(lines(1))
    follow.start()
    arrived(until, sink, 1)
    with app_log.open("ab") as writer:
        app_log.unlink()
        writer.write(lines(2) + lines(3)[:-1])
    arrived(until, sink, 1, 2, 3)


def test_a_file_renamed_while_nobody_looked_goes_on(follow: Following, sink: Sink, app_log: Path) -> None:
    app_log.write_bytes(lines(1, 2))
    follow.once()
    append(app_log, lines(3))
    app_log.rename(app_log.with_name("app.log.1"))
    app_log.write_bytes(lines(4))
    follow.once()
    assert sink.numbers == [1, 2, 3, 4]


def test_copy_and_truncate(follow: Following, sink: Sink, app_log: Path, until: Any) -> None:
    app_log.write_bytes(lines(*range(10)))
    follow.start()
    arrived(until, sink, *range(10))
    shutil.copy(app_log, app_log.with_name("app.log.1"))
    os.truncate(app_log, 0)
    append(app_log, lines(10))
    arrived(until, sink, *range(11))
    append(app_log, lines(11))
    arrived(until, sink, *range(12))


def test_copy_and_truncate_while_nobody_looked(follow: Following, sink: Sink, app_log: Path) -> None:
    app_log.write_bytes(lines(*range(10)))
    follow.once()
    append(app_log, lines(10))
    shutil.copy(app_log, app_log.with_name("app.log.1"))
    app_log.write_bytes(lines(11))
    follow.once()
    assert sorted(sink.numbers) == list(range(12))


def test_a_file_cut_off_that_grew_past_its_old_place_is_read_from_its_beginning(
    follow: Following, sink: Sink, app_log: Path
) -> None:
    app_log.write_bytes(lines(1, 2))
    follow.once()
    app_log.write_bytes(lines(*range(3, 30)))  # the same inode
    follow.once()
    assert sink.numbers == list(range(1, 30))


def test_an_inode_that_another_file_got_is_not_taken_for_the_old_one(
    follow: Following, sink: Sink, app_log: Path
) -> None:
    app_log.write_bytes(lines(1, 2, 3))
    follow.once()
    inode = app_log.stat().st_ino
    app_log.unlink()
    other = app_log.with_name("app.log.b")
    other.write_bytes(lines(4, 5, 6, 7))
    known = [_with_inode(mark, other.stat()) for mark in marks.load(sink.spool) if mark.inode == inode]
    sink.spool.commit([], notes=marks.notes(known))
    follow.once()
    assert sink.numbers == [1, 2, 3, 4, 5, 6, 7]


def _with_inode(mark: Any, status: os.stat_result) -> Any:
    from dataclasses import replace

    return replace(mark, device=status.st_dev, inode=status.st_ino)


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_a_compressed_rotation_is_read_once_and_only_what_was_not_read(
    follow: Following, sink: Sink, app_log: Path, suffix: str
) -> None:
    packed = app_log.with_name(f"app.log.1{suffix}")
    pack = gzip.compress if suffix == ".gz" else zstandard.ZstdCompressor().compress
    app_log.write_bytes(lines(*range(10)))
    follow.once()
    append(app_log, lines(10, 11))
    packed.write_bytes(pack(app_log.read_bytes()))
    app_log.unlink()
    app_log.write_bytes(lines(12))
    follow.once()
    assert sorted(sink.numbers) == list(range(13))
    packed.rename(app_log.with_name(f"app.log.2{suffix}"))
    follow.once()
    assert len(sink.numbers) == 13


@pytest.mark.parametrize("count", [1, 30])
def test_a_compressed_rotation_that_was_read_before_is_not_read_again(
    follow: Following, sink: Sink, app_log: Path, until: Any, count: int
) -> None:
    app_log.write_bytes(lines(*range(count)))
    follow.start()
    arrived(until, sink, *range(count))
    app_log.with_name("app.log.1.gz").write_bytes(gzip.compress(app_log.read_bytes()))
    app_log.unlink()
    app_log.write_bytes(lines(count))
    arrived(until, sink, *range(count + 1))
    follow.stop()
    follow.once()
    assert sink.numbers == list(range(count + 1))


def test_a_compressed_file_alone_is_read(follow: Following, sink: Sink, app_log: Path) -> None:
    app_log.with_name("app.log.7.gz").write_bytes(gzip.compress(lines(1, 2)[:-1]))
    follow.once()
    follow.once()
    assert sink.numbers == [1, 2]


def test_a_compressed_file_cut_off_waits_and_is_told(
    follow: Following, sink: Sink, app_log: Path, caplog: pytest.LogCaptureFixture
) -> None:
    packed = app_log.with_name("app.log.1.gz")
    packed.write_bytes(gzip.compress(lines(*range(20)))[:-20])
    follow.once()
    assert sink.numbers == []
    assert "ends too early" in caplog.text
    packed.write_bytes(gzip.compress(lines(*range(20))))
    follow.once()
    assert sink.numbers == list(range(20))


def test_a_full_spool_stops_the_reading_and_loses_nothing(
    follow: Following, sink: Sink, app_log: Path, until: Any
) -> None:
    sink.full = True
    app_log.write_bytes(lines(1, 2))
    follow.start()
    until("it was refused twice", lambda: sink.refusals >= 2)
    append(app_log, lines(3))
    follow.stop()
    assert not sink.lines
    sink.full = False
    follow.start()
    arrived(until, sink, 1, 2, 3)


def test_the_mark_moves_only_after_the_commit(follow: Following, sink: Sink, app_log: Path, until: Any) -> None:
    sink.full = True
    app_log.write_bytes(lines(1, 2))
    follow.start()
    until("it was refused", lambda: sink.refusals)
    assert marks.load(sink.spool) == []
    sink.full = False
    until("it is marked", lambda: [mark.offset for mark in marks.load(sink.spool)] == [len(lines(1, 2))])
    assert sink.numbers == [1, 2]


def test_a_mark_stays_while_its_file_does_and_goes_long_after_it(
    follow: Following, sink: Sink, app_log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    day_ns = 24 * 3600 * 10**9
    now_ns = time.time_ns()
    gone = app_log.with_name("app.log.gone")
    for path in (app_log, gone):
        path.write_bytes(lines(1))
    follow.once()
    gone.unlink()
    for day in (20, 40, 60):
        monkeypatch.setattr("time.time_ns", lambda day=day: now_ns + day * day_ns)
        follow.once()
    assert [mark.path for mark in marks.load(sink.spool)] == [str(app_log)]
    assert sink.numbers == [1, 1]


def test_marks_of_an_earlier_version_are_taken_over(
    follow: Following, sink: Sink, app_log: Path, tmp_path: Path
) -> None:
    app_log.write_bytes(lines(1, 2))
    follow.once()
    with contextlib.closing(sqlite3.connect(tmp_path / "tail.sqlite")) as db, db:
        db.execute("CREATE TABLE marks (source TEXT PRIMARY KEY, mark BLOB NOT NULL)")
        for mark in marks.load(sink.spool):
            data = json.dumps({**json.loads(mark.to_bytes()), "seen_ms": 1}).encode()
            db.execute("INSERT INTO marks VALUES (?, ?)", (mark.source, data))
    sink.spool.forget_notes("", time.time_ns())
    marks.take_over(sink.spool, tmp_path)
    marks.take_over(sink.spool, tmp_path)
    append(app_log, lines(3))
    follow.once()
    assert sink.numbers == [1, 2, 3]
    assert not list(tmp_path.glob("tail.sqlite*"))


def test_a_bad_line_is_refused_by_number_and_the_rest_goes_on(
    follow: Following, sink: Sink, app_log: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    app_log.write_bytes(lines(1) + b"\n{secret-word\n" + lines(2) + b'{"slm.kind":"auth","oops":"secret-word"}\n')
    tailer = follow.once()
    assert (tailer.accepted, tailer.refused) == (2, 2)
    assert sink.numbers == [1, 2]
    assert f"{app_log}:3: refused (not_json)" in caplog.text
    assert f"{app_log}:5: refused" in caplog.text
    assert "secret-word" not in caplog.text


def test_a_line_without_end_is_refused_and_not_kept_in_memory(
    follow: Following, sink: Sink, app_log: Path, caplog: pytest.LogCaptureFixture
) -> None:
    app_log.write_bytes(lines(1) + b"x" * 3_000_000 + b"\n" + lines(2))
    assert follow.once().refused == 1
    assert sink.numbers == [1, 2]
    assert f"{app_log}:2: refused (oversized)" in caplog.text


def test_the_rest_of_a_line_that_was_too_long_is_passed_over_after_a_restart(
    follow: Following, sink: Sink, app_log: Path, until: Any
) -> None:
    app_log.write_bytes(lines(1) + b"x" * 400_000)
    follow.start()
    until("it is marked", lambda: any(mark.skipping for mark in marks.load(sink.spool)))
    follow.stop()
    append(app_log, b"y" * 1000 + b"\n" + lines(2))
    assert follow.once().refused == 0
    assert sink.numbers == [1, 2]


def test_entries_of_many_lines(follow: Following, sink: Sink, app_log: Path, until: Any) -> None:
    app_log.write_bytes(b"2026-01-02 one\n  more\n2026-01-02 two\n")
    follow.start(
        form="text",
        pattern="(?P<message>.*)",
        fixed={"slm.kind": "process", "slm.step.name": "x"},
        begins=re.compile(b"2"),
    )
    until("two arrived", lambda: len(sink.lines) == 2)
    assert [json.loads(found)["message"] for found in sink.lines] == ["2026-01-02 one\n  more", "2026-01-02 two"]


def test_own_events_over_many_lines_become_one_line(follow: Following, sink: Sink, app_log: Path) -> None:
    spread = [json.dumps(json.loads(line(n)), indent=2).encode() + b"\n" for n in (1, 2)]
    app_log.write_bytes(b"".join(spread))
    follow.once(begins=re.compile(rb"\{"))
    assert sink.numbers == [1, 2]
    assert not any(b"\n" in found for found in sink.lines)


def test_a_named_pipe(follow: Following, sink: Sink, tmp_path: Path, until: Any) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    follow.start(str(pipe))
    for number in (1, 2):
        with pipe.open("wb") as writer:
            writer.write(lines(number)[:-1])
        arrived(until, sink, *range(1, number + 1))


def test_standard_input_is_read_to_its_end(follow: Following, sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    stdin = os.dup(0)
    try:
        os.dup2(read, 0)
        os.write(write, lines(1, 2)[:-1])
        os.close(write)
        follow.start("-")
        follow.join()
    finally:
        os.dup2(stdin, 0)
        os.close(stdin)
        os.close(read)
    assert sink.numbers == [1, 2]


def test_new_files_behind_a_pattern_are_found_and_one_with_two_names_is_read_once(
    follow: Following, sink: Sink, tmp_path: Path, until: Any
) -> None:
    follow.start(str(tmp_path / "**" / "*.log"))
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    (folder / "x.log").write_bytes(lines(1))
    arrived(until, sink, 1)
    os.link(folder / "x.log", folder / "y.log")
    (folder / "z.log").write_bytes(lines(2))
    arrived(until, sink, 1, 2)
