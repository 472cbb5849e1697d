"""Who reads at the command line leaves a record of it: who, what and how many, and never a word of what they saw."""

from __future__ import annotations

import os
import pwd
from concurrent.futures import Future
from pathlib import Path
from typing import Any, cast

import orjson
import pytest

from builders import SealedTrail, sealed_trail
from slmtrail.app.commands.given import given
from slmtrail.app.readers import looks
from slmtrail.app.readers.here import here
from slmtrail.app.reading import Asked
from slmtrail.collectors.collector import Collector
from slmtrail.core.errors import SpoolFull

EVENT = {"slm.kind": "access", "event.action": "search", "event.outcome": "success", "user.id": "ann"}


class Taking:
    """A collector that remembers what it is given, by its batch."""

    def __init__(self, error: Exception | None = None) -> None:
        self.taken: dict[str, dict[str, Any]] = {}
        self._error = error

    def submit(self, lines: list[bytes], *, batch: Any) -> Future[None]:
        future: Future[None] = Future()
        if self._error:
            future.set_exception(self._error)
        else:
            self.taken[batch.key] = orjson.loads(lines[0])
            future.set_result(None)
        return future

    def take(self, folder: Path) -> None:
        looks.take_once(folder, cast("Collector", self))


def test_what_is_left_is_taken_once_and_in_order(tmp_path: Path) -> None:
    folder, collector = tmp_path / "looks", Taking()
    collector.take(folder)  # nobody has looked yet
    for action in ("search", "view"):
        looks.Looks(folder).emit({**EVENT, "event.action": action})
    collector.take(folder)
    collector.take(folder)
    assert sorted(event["event.action"] for event in collector.taken.values()) == ["search", "view"]
    assert {event["user.id"] for event in collector.taken.values()} == {"ann"}


def test_what_no_collector_takes_waits(tmp_path: Path) -> None:
    looks.Looks(tmp_path / "looks").emit(EVENT)
    with pytest.raises(SpoolFull):
        Taking(SpoolFull("the spool is full")).take(tmp_path / "looks")
    collector = Taking()
    collector.take(tmp_path / "looks")
    assert len(collector.taken) == 1


@pytest.mark.parametrize("data", [b"{", b"[]", b'{"slm.kind":"auth"}', b'{"slm.kind":"access"}'])
def test_what_is_no_look_is_left_out(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "1-0.json").write_bytes(data)
    looks.Looks(tmp_path).emit(EVENT)
    collector = Taking()
    collector.take(tmp_path)
    assert len(collector.taken) == 1
    assert not list(tmp_path.glob("*.json"))


def test_a_look_that_cant_be_recorded_is_said_and_not_refused(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "looks").write_text("in the way")
    looks.Looks(tmp_path / "looks").emit(EVENT)
    assert "is not recorded" in caplog.text


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("looks")
    trail: SealedTrail = sealed_trail(root / "made")
    (root / "data").mkdir()
    trail.store_path.rename(root / "data" / "store.sqlite")
    return root / "data"


def test_it_says_who_looked_by_which_fields_and_at_how_many(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(given, "data", data)
    settings = given.settings()
    with here(settings) as looking:
        page = looking.search(Asked("question", user="alice", kind="inference", limit=3))
        looking.show(page.records[0].id)
        looking.told("export", 40, Asked("user:alice"))
    collector = Taking()
    collector.take(settings.looks)
    told = {event["event.action"]: event for event in collector.taken.values()}
    assert told.keys() == {"search", "reveal", "export"}
    assert {event["user.id"] for event in told.values()} == {pwd.getpwuid(os.getuid()).pw_name}
    assert (told["search"]["slm.access.count"], told["export"]["slm.access.count"]) == (3, 40)
    assert told["search"]["slm.access.fields"] == [
        "enduser.pseudo.id",
        "slm.kind",
        "text",
        "user.email",
        "user.id",
        "user.name",
    ]
    assert told["reveal"]["slm.access.record"] == page.records[0].id
    assert "question" not in repr(told)
    assert "alice" not in repr(told)
