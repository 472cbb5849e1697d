"""The pool: the same answers as the redactor, and a text that hangs or kills its worker costs that text alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from slmtrail.core.errors import SettingsError
from slmtrail.stream.redact.finding import Finding
from slmtrail.stream.redact.options import NerOptions, RedactOptions
from slmtrail.stream.redact.pool import PoolBroken, RedactPool
from trails import eventually, is_running

KEY = b"k" * 32
PERILS = [("hang", "deadline"), ("sleep", "deadline"), ("die", "crash")]


class Temperamental:
    """An analyser that hangs, sleeps or dies where the text says so."""

    secret_types: frozenset[str] = frozenset()
    finds_names = False

    def __init__(self, _options: RedactOptions) -> None: ...

    def prepare(self, texts: list[str]) -> None: ...

    def find(self, text: str) -> list[Finding]:
        if "hang" in text:
            while True:
                pass
        if "sleep" in text:
            time.sleep(3600)
        if "hoard" in text:
            self.hoard = b"x" * 280_000_000
            time.sleep(3600)
        if "die" in text:
            os._exit(1)
        return [Finding("WORD", 0, 1, 1.0, "test")] if text.startswith("a") else []


class Forgoing(Temperamental):
    """One that also dies before it is at a text: when it is told which are coming."""

    finds_names = True

    def prepare(self, texts: list[str]) -> None:
        if any("doomed" in text for text in texts):
            os._exit(1)


class Orphaned(Temperamental):
    """One that loses who started the pool while it is made."""

    def __init__(self, options: RedactOptions) -> None:
        super().__init__(options)
        starter = os.getppid()
        os.kill(starter, signal.SIGKILL)
        eventually("an orphan", lambda: os.getppid() != starter)


@pytest.fixture(scope="module")
def pool() -> Iterator[RedactPool]:
    with RedactPool(RedactOptions(deadline_ms=200), KEY, workers=2, analyzer=f"{__name__}:Temperamental") as made:
        yield made


def test_answers_come_in_order(pool: RedactPool) -> None:
    batches = [pool.submit([{"message": f"a{batch}.{n}"} for n in range(5)]) for batch in range(20)]
    for batch, future in enumerate(batches):
        texts = [event["message"] for event, _ in future.result(60)]
        assert texts == [f"<WORD_1>{batch}.{n}" for n in range(5)]


@pytest.mark.parametrize(("word", "reason"), PERILS)
def test_a_bad_text_is_withheld_alone(pool: RedactPool, word: str, reason: str) -> None:
    events = [
        {"message": "a good one"},
        {"message": f"please {word}", "error.message": "a side", "labels": {"x": f"{word} again"}},
        {"message": "a last one"},
    ]
    good, bad, last = pool.submit(events).result(120)
    assert good[0]["message"] == "<WORD_1> good one"
    assert last[0]["message"] == "<WORD_1> last one"
    assert bad[0] == {"error.message": "<WORD_1> side", "labels": {"x": "<WITHHELD>"}, "message": "<WITHHELD>"}
    withheld = [found for found in bad[1] if found["type"] == "WITHHELD"]
    assert {found["rule"] for found in withheld} == {reason}
    assert {found["path"] for found in withheld} == {"message", "labels/x"}


def test_an_event_that_kills_its_worker_outside_of_a_text_is_withheld_whole() -> None:
    with RedactPool(RedactOptions(), KEY, workers=1, analyzer=f"{__name__}:Forgoing") as made:
        events = [{"message": "a good one"}, {"message": "doomed", "error.message": "a side"}]
        good, bad = made.submit(events).result(60)
    assert good[0] == {"message": "<WORD_1> good one"}
    assert bad[0] == {"message": "<WITHHELD>", "error.message": "<WITHHELD>"}
    assert {found["rule"] for found in bad[1]} == {"crash"}


def test_texts_can_be_redacted_by_themselves(pool: RedactPool) -> None:
    answers = pool.submit_texts(["abc", "die", "x"]).result(60)
    assert [text for text, _ in answers] == ["<WORD_1>bc", "<WITHHELD>", "x"]


def test_settings_that_can_not_be_used_are_told_at_once() -> None:
    options = RedactOptions(ner=NerOptions(models={"en": "no_such_model"}))
    with pytest.raises(SettingsError, match="spacy download no_such_model"):
        RedactPool(options, KEY, workers=1)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="this system does not tell the memory of a process")
def test_a_text_that_takes_all_memory_is_withheld() -> None:
    options = RedactOptions(deadline_ms=30_000)
    with RedactPool(options, KEY, workers=1, analyzer=f"{__name__}:Temperamental", max_mb=256) as made:
        assert made.submit([{"message": "hoard"}]).result(60)[0][1][0]["rule"] == "memory"


ALONE = """
import pathlib, sys, time
sys.path[:0] = sys.argv[3:]
from test_pool import KEY, RedactOptions, RedactPool
if __name__ == "__main__":
    analyzer = f"test_pool:{sys.argv[2]}"
    pool = RedactPool(RedactOptions(deadline_ms=100_000), KEY, workers=1, analyzer=analyzer)
    pool.submit([{"message": "hang"}])
    while not pool._progress[2]:
        time.sleep(0.01)
    pathlib.Path(sys.argv[1]).write_text(f"{pool._workers[0].pid}\\n")
    time.sleep(600)
"""


def alone(folder: Path, analyzer: str) -> subprocess.Popen[bytes]:
    """A process that starts a pool, and writes the pid of its worker into the file `pid` once that is at a text."""
    program, here = folder / "alone.py", Path(__file__).parent
    program.write_text(ALONE)
    paths = (str(here), str(here.parents[2]))
    return subprocess.Popen(
        [sys.executable, str(program), str(folder / "pid"), analyzer, *paths], stderr=subprocess.PIPE
    )


def test_a_pool_that_ends_while_it_starts_leaves_without_a_word(tmp_path: Path) -> None:
    starter = alone(tmp_path, "Orphaned")
    # Read to its end: until the last of its processes is gone.
    assert starter.communicate(timeout=60)[1] == b""
    assert starter.returncode == -signal.SIGKILL


def test_a_worker_at_a_text_without_end_ends_with_who_started_the_pool(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    starter = alone(tmp_path, "Temperamental")
    eventually("a worker at its text", lambda: file.exists() and file.read_text().endswith("\n"))
    pid = int(file.read_text())
    starter.kill()
    starter.wait()
    try:
        eventually("no worker", lambda: not is_running(pid))
    finally:
        if is_running(pid):
            os.kill(pid, signal.SIGKILL)


def test_a_closed_pool_takes_nothing() -> None:
    made = RedactPool(RedactOptions(), KEY, workers=1, analyzer=f"{__name__}:Temperamental")
    waiting = made.submit([{"message": "sleep"}])
    made.close()
    with pytest.raises(PoolBroken):
        waiting.result(10)
    with pytest.raises(PoolBroken):
        made.submit([])
