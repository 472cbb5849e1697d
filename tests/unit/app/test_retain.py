"""`slmtrail retain` and `slmtrail hold` as a person calls them, and what runs by itself."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from slmtrail.app.cli import app
from slmtrail.app.commands import retain
from slmtrail.core.certificate import COLLECTOR
from slmtrail.core.errors import HeldError, KeyFileError, NotFound, QueryError, SettingsError, StorageError, TrailError
from slmtrail.core.events import timestamp_text
from slmtrail.core.metrics import RETENTION_DONE
from slmtrail.core.retaining import DAY_MS
from years import BEGIN_MS, Year

AT = timestamp_text(BEGIN_MS + 100 * DAY_MS)


@pytest.fixture
def year(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Year:
    made = Year(tmp_path, "", "", monkeypatch)
    made.live(BEGIN_MS, 20)
    monkeypatch.setenv("SLMTRAIL_DATA", str(made.settings.data))
    monkeypatch.setenv("SLMTRAIL_POLICY", str(made.settings.policy))
    monkeypatch.chdir(tmp_path)
    return made


def call(*words: str, answer: str = "") -> str:
    """What is printed. Raises the error that `main` would make one line of."""
    done = CliRunner().invoke(app, list(words), input=answer)
    if isinstance(done.exception, TrailError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def told(*words: str) -> Any:
    return orjson.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)


def users(year: Year, name: str) -> list[dict[str, Any]]:
    return [record for record in year.leaves().values() if record.get("user.id") == name]


def test_a_plan_changes_nothing_and_is_the_same_whenever_it_is_asked_for(year: Year) -> None:
    before = year.leaves()
    assert "nothing is over its time" in call("retain", "plan", "--at", timestamp_text(BEGIN_MS + 12 * DAY_MS))
    plan = told("retain", "plan", "--at", AT)
    assert plan == told("retain", "plan", "--at", AT)
    assert [(due["action"], due["class"], due["records"]) for due in plan["due"]] == [
        ("summarised", "standard", 20),
        ("removed", "patients", 10),
    ]
    assert (plan["held"], plan["unknown"], plan["certificates"]) == (0, {}, [])
    assert "to be removed: 10 records of class patients" in call("retain", "plan", "--at", AT)
    assert year.leaves() == before


def test_what_is_applied_is_done_once(year: Year) -> None:
    with pytest.raises(StorageError, match="another process applies"), retain._alone(year.settings):
        call("retain", "apply", "--at", AT, "--yes")
    done = CliRunner().invoke(app, ["retain", "apply", "--at", AT], input="n\n")
    assert done.exit_code == 1
    assert "Delete now what is to be kept until 2040-04-10?" in done.output
    assert len(users(year, "carol")) == 10
    applied = told("retain", "apply", "--at", AT, "--yes")
    assert len(applied["certificates"]) == len(applied["due"]) == 2
    assert users(year, "carol") == []
    assert "nothing is over its time" in call("retain", "apply", "--at", AT, "--yes")
    assert sum(record["slm.collector.id"] == COLLECTOR for record in year.leaves().values()) == 2
    assert "10 records were removed under certificate" in call("verify")
    assert "sound" in call("fsck")


def test_a_class_that_the_policy_no_longer_names_is_kept(year: Year) -> None:
    assert year.settings.policy is not None
    year.settings.policy.write_text("retention: {classes: {standard: {content: 1d, keep: 2d}}}")
    output = call("retain", "apply", "--at", AT, "--yes")
    assert "10 records are of class patients, which the policy does not name: they are kept" in output
    assert len(users(year, "carol")) == 10
    assert users(year, "alice") == []


def test_what_is_held_is_neither_removed_nor_erased_until_it_is_released(year: Year) -> None:
    held = told("hold", "add", "user:carol", "--reason", "case 42")
    assert held["records"] == 10
    assert f"{held['id']}  user:carol  (10 records, until it is released; by" in call("hold", "list")
    assert "10 records are held" in call("retain", "apply", "--at", AT, "--yes")
    with pytest.raises(HeldError, match=rf"hold {held['id']} of .*case 42.* on 10 of these 10 records.*release it"):
        call("erase", "--subject", "carol", "--reason", "ticket 7", "--yes")
    assert all(record["slm.salts"] for record in users(year, "carol"))
    assert len(users(year, "carol")) == 10
    with pytest.raises(NotFound, match="no such hold"):
        call("hold", "release", "0" * 32, "--reason", "settled")
    call("hold", "release", held["id"], "--reason", "settled")
    assert call("hold", "list") == ""
    call("erase", "--subject", "carol", "--reason", "ticket 7", "--yes")
    assert users(year, "carol") == []
    call("retain", "apply", "--at", AT, "--yes")
    assert "verified" in call("verify")


@pytest.mark.parametrize(
    ("words", "fault", "text"),
    [
        (("", "--reason", "x"), SettingsError, "empty"),
        (("user:bob", "--reason", " "), SettingsError, "empty"),
        (("user:bob since:7d", "--reason", "x"), SettingsError, "an age in the search"),
        (("usr:bob", "--reason", "x"), QueryError, "did you mean user"),
        (("user:bob", "--reason", "x", "--until", "2020-01-01"), SettingsError, "over already"),
        (("id:*" + " id:*" * 3000, "--reason", "x"), SettingsError, "several holds"),
    ],
)
def test_a_hold_that_is_none(year: Year, words: tuple[str, ...], fault: type[TrailError], text: str) -> None:
    with pytest.raises(fault, match=text):
        call("hold", "add", *words)
    assert call("hold", "list") == ""


def test_without_the_key_that_finds_persons_nothing_goes_while_one_is_held(year: Year) -> None:
    call("hold", "add", "user:carol@example.com", "--reason", "case 42")
    (year.settings.keys / "pseudonym.key").unlink()
    before = year.leaves()
    with pytest.raises(KeyFileError, match=r"names a person.*nothing is deleted"):
        call("retain", "apply", "--at", AT, "--yes")
    assert year.leaves() == before


def test_it_runs_by_itself_and_looks_at_all_only_when_something_can_be_due(
    year: Year, monkeypatch: pytest.MonkeyPatch
) -> None:
    applied: list[int] = []
    times = iter([BEGIN_MS + day * DAY_MS for day in (30, 30, 100)])
    done = asyncio.Event()

    async def counted(*arguments: Any) -> Any:
        applied.append(arguments[2])
        return await apply(*arguments)

    async def three(*arguments: Any) -> None:
        await one_pass(*arguments)
        if len(applied) == 2:
            done.set()
            await asyncio.Event().wait()

    async def main() -> None:
        keeping = asyncio.create_task(retain.keep(year.settings, year.store))
        await asyncio.wait([asyncio.create_task(done.wait()), keeping], return_when=asyncio.FIRST_COMPLETED)
        keeping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeping

    apply, one_pass = retain.apply, retain._pass
    monkeypatch.setattr(retain, "apply", counted)
    monkeypatch.setattr(retain, "_now_ms", lambda: next(times))
    monkeypatch.setattr(retain, "PASS_S", 0)
    monkeypatch.setattr(retain, "_pass", three)
    asyncio.run(main())
    assert applied == [BEGIN_MS + 30 * DAY_MS, BEGIN_MS + 100 * DAY_MS]
    assert users(year, "carol") == []
    assert year.verified().faults == []
    assert sum(one.count for one in year.store.rollups(0, 10**15) if one.kind == "inference") == 30


def test_it_waits_where_records_are_made_under_another_policy(year: Year) -> None:
    assert year.settings.policy is not None
    year.settings.policy.write_text("retention: {classes: {standard: {content: 1d, keep: 2d}}}")
    before = year.leaves()
    with pytest.raises(SettingsError, match="until both have the same file"):
        asyncio.run(retain._pass(year.settings, year.store, BEGIN_MS + 100 * DAY_MS))
    done = CliRunner().invoke(app, ["retain", "apply"], input="n\n")
    assert done.exit_code == 1
    assert "Delete by this one?" in done.output
    assert year.leaves() == before


def test_without_the_control_key_it_only_warns(year: Year, caplog: pytest.LogCaptureFixture) -> None:
    (year.settings.keys / "control.pem").unlink()
    asyncio.run(retain.keep(year.settings, year.store))
    assert "run slmtrail retain apply where it is" in caplog.text


@pytest.mark.parametrize("fails", [False, True])
def test_a_run_counts_as_done_when_it_ended_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: bool) -> None:
    (tmp_path / "control.pem").touch()
    done_s: list[float] = []

    async def one_pass(*_: Any) -> None:
        done_s.append(RETENTION_DONE._value.get())
        RETENTION_DONE.set(1)
        if len(done_s) == 2:
            raise asyncio.CancelledError
        if fails:
            raise StorageError("no")

    monkeypatch.setattr(retain, "_pass", one_pass)
    monkeypatch.setattr(retain, "PASS_S", 0)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(retain.keep(SimpleNamespace(keys=tmp_path), None))  # type: ignore[arg-type]
    assert done_s[0] > 1, "it counts from its start"
    assert (done_s[1] == 1) == fails
