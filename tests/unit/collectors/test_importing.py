"""History comes in once for each content of a file, at its own times, and says that it was imported."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.unit.collectors.conftest import OPENING, SIGNING, Boots

from slmtrail.collectors import importing
from slmtrail.collectors.collector import Collector
from slmtrail.collectors.framer import Identity
from slmtrail.collectors.importing import Importer
from slmtrail.collectors.spool import Spool
from slmtrail.collectors.tail.formats.names import named
from slmtrail.core import events
from slmtrail.core.errors import EventError, StorageError

MAX_EVENT_BYTES = 100_000
BEDROCK = {
    "timestamp": "2024-05-06T07:08:09Z",
    "operation": "Converse",
    "modelId": "amazon.nova",
    "requestId": "r",
    "input": {"inputBodyJson": {"messages": [{"role": "user", "content": [{"text": "hi"}]}]}},
}


def own(number: int, **more: Any) -> dict[str, Any]:
    time = f"2024-01-01T00:{number // 60:02}:{number % 60:02}Z"
    return {
        "@timestamp": time,
        "slm.kind": "inference",
        "gen_ai.request.model": "phi-2",
        "message": f"{number}",
        **more,
    }


@contextmanager
def running(folder: Path, format_name: str = "slmtrail") -> Iterator[tuple[Importer, Spool]]:
    """An importer into a spool of this folder, as a process has it from start to end."""
    with closing(Spool(folder, 1 << 30)) as spool:
        collector = Collector(Identity("import", "dev", SIGNING, OPENING.public_key()), spool)
        collector.start()
        try:
            yield Importer(collector, named(format_name, MAX_EVENT_BYTES), format_name, MAX_EVENT_BYTES), spool
        finally:
            collector.stop()


def spooled(folder: Path) -> list[dict[str, Any]]:
    with closing(Spool(folder, 1 << 30)) as spool:
        return [orjson.loads(line) for line in Boots(spool).lines]


def write(path: Path, *entries: Any, text: Callable[[Any], str] = json.dumps) -> Path:
    path.write_text("".join(text(entry) + "\n" for entry in entries))
    return path


def test_a_content_comes_once_whatever_its_file_is_called(tmp_path: Path) -> None:
    first = write(tmp_path / "a.jsonl", *map(own, range(100)))
    packed = tmp_path / "b.jsonl.gz"
    packed.write_bytes(gzip.compress(first.read_bytes()))
    for file in (first, first, packed):
        with running(tmp_path / "spool") as (importer, _):
            assert importer.take(file, "the old logs").whole
    longer = write(tmp_path / "c.jsonl", *map(own, range(100, 102)))
    with running(tmp_path / "spool") as (importer, _):
        assert importer.take(longer, "more").accepted == 2
    found = spooled(tmp_path / "spool")
    assert [event["message"] for event in found] == [f"{n}" for n in range(102)]
    assert {event["slm.imported_from"] for event in found} == {"the old logs", "more"}
    assert found[61]["@timestamp"].startswith("2024-01-01T00:01:01")


def test_what_was_broken_off_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "WINDOW_BYTES", 500)
    file = write(tmp_path / "a.jsonl", *map(own, range(50)))
    for _ in range(3):
        with running(tmp_path / "spool") as (importer, _):
            done: list[int] = []

            def enough(entries: int, importer: Importer = importer, done: list[int] = done) -> None:
                done.append(entries)
                if len(done) == 2:
                    importer.stop()

            assert not importer.take(file, "x", enough).whole
    with running(tmp_path / "spool") as (importer, _):
        assert importer.take(file, "x").whole
    assert [event["message"] for event in spooled(tmp_path / "spool")] == [f"{n}" for n in range(50)]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(BEDROCK) + "\n" + json.dumps(BEDROCK),
        json.dumps([BEDROCK, BEDROCK]),
        json.dumps([BEDROCK, BEDROCK], indent=2),
        json.dumps({"records": [BEDROCK, BEDROCK]}),
        json.dumps({"records": [BEDROCK, BEDROCK]}, indent=2),
        json.dumps({"records": [BEDROCK]}) + "\n" + json.dumps({"records": [BEDROCK]}) + "\n",
        json.dumps(
            {"events": [{"message": json.dumps(BEDROCK), "timestamp": 1, "eventId": "1"}] * 2, "nextToken": "t"}
        ),
    ],
    ids=["lines", "list", "spread list", "records", "spread records", "records a line", "CloudWatch"],
)
def test_exports_of_providers_are_taken_as_they_come(tmp_path: Path, text: str) -> None:
    file = tmp_path / "export.json"
    file.write_text(text)
    with running(tmp_path / "spool", "bedrock") as (importer, _):
        taken = importer.take(file, "bedrock")
    assert (taken.accepted, taken.refused) == (2, 0)
    assert {event["@timestamp"] for event in spooled(tmp_path / "spool")} == {"2024-05-06T07:08:09.000Z"}


def test_what_can_not_be_used_is_refused_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    timeless = {"slm.kind": "inference", "gen_ai.request.model": "phi-2", "message": "secret text"}
    large = own(2, message="x" * MAX_EVENT_BYTES)
    file = write(tmp_path / "a.jsonl", own(1), timeless, {"slm.kind": "none"}, large, own(3))
    with running(tmp_path / "spool") as (importer, _):
        taken = importer.take(file, "x")
    assert (taken.accepted, taken.refused, taken.entries) == (2, 3, 5)
    for reason in ("no_time", "unknown_kind", "oversized"):
        assert reason in caplog.text
    assert "secret text" not in caplog.text


def test_a_file_that_is_cut_off_is_an_error_and_what_came_before_is_kept(tmp_path: Path) -> None:
    cut = tmp_path / "cut.jsonl.gz"
    cut.write_bytes(gzip.compress(write(tmp_path / "a", *map(own, range(100))).read_bytes())[:-20])
    broken = tmp_path / "broken.json"
    broken.write_text(json.dumps([own(1), own(2)])[:-5])
    with running(tmp_path / "spool") as (importer, _):
        for file in (cut, broken, tmp_path / "none.jsonl"):
            with pytest.raises(StorageError, match=file.name):
                importer.take(file, "x")


def test_only_an_import_says_that_something_is_imported() -> None:
    claimed = own(1) | {"slm.imported_from": "elsewhere"}
    with pytest.raises(EventError, match=r"slm\.imported_from: is set by slmtrail"):
        events.parse(claimed, 0)
    assert events.parse(claimed, 0, framed=True)["slm.imported_from"] == "elsewhere"
    refused = named("slmtrail", MAX_EVENT_BYTES).events([orjson.dumps(claimed)], 0)
    assert (refused.lines, [error.reason for _, error in refused.refused]) == ([], ["reserved_field"])
