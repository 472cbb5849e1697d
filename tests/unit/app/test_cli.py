"""The command line as a person meets it: clear errors, documented exit codes, JSON where it is asked for."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from builders import LEDGER, SealedTrail, sealed_trail
from slmtrail.core import keys


def run(*arguments: str, data: Path, stdin: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "slmtrail.app.cli", "--data", str(data), *arguments],
        env={**os.environ, **environ},
        cwd=data.parent,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a finished trail, laid out as `slmtrail up` leaves it."""
    root = tmp_path_factory.mktemp("cli")
    data = root / "data"
    key = keys.signing_key(data / "keys" / "ledger.pem", create=True)
    trail: SealedTrail = sealed_trail(root / "made", key=key)
    trail.store_path.rename(data / "store.sqlite")
    (data / "ledger").mkdir()
    trail.ledger_folder.folder.rename(data / "ledger" / "0")
    return data


ALICE = ("--user", "alice", "--kind", "inference")
ORIGIN = {"SLMTRAIL_LEDGER_ORIGIN": LEDGER.rpartition("/")[0]}


def test_search_show_and_verify_as_json(data: Path) -> None:
    page = json.loads(run("search", "question", *ALICE, "--limit", "3", "--json", data=data).stdout)
    assert (len(page["records"]), page["total"]) == (3, 40)
    following = run("search", "question", *ALICE, "--json", "--limit", "3", "--after", page["cursor"], data=data)
    ids = {record["event.id"] for record in page["records"]}
    assert ids.isdisjoint(record["event.id"] for record in json.loads(following.stdout)["records"])
    record_id = page["records"][0]["event.id"]
    shown = json.loads(run("show", record_id, "--json", data=data, **ORIGIN).stdout)
    assert shown["record"]["event.id"] == record_id
    assert shown["proof"]["state"] == "proved"
    verified = run("verify", "--json", data=data, **ORIGIN)
    assert verified.returncode == 0
    assert json.loads(verified.stdout)["verified"] is True


def test_for_people(data: Path) -> None:
    found = run("search", "question", *ALICE, "--limit", "2", data=data)
    assert found.stdout.count("alice") >= 2
    assert "2 of 40 records" in found.stderr
    assert "verified" in run("verify", data=data, **ORIGIN).stdout
    assert run("version", data=data).stdout.startswith("slmtrail ")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("show", "0" * 32), 8, "no record of this id"),
        (("search", "--since", "yesterday-ish"), 2, "is not a time"),
        (("search", "--after", "garbage"), 2, "cursor"),
        (("search", "--limit", "0"), 2, "--limit"),
        (("serach",), 2, "No such command"),
        (("emit", "{", "--url", "http://127.0.0.1:9"), 2, "not JSON"),
        (("emit", "[]", "--url", "http://127.0.0.1:9"), 2, "JSON object"),
        (("emit", "{}"), 2, "--url"),
        (("collect",), 4, "slmtrail init"),
        (("stream",), 4, "slmtrail init"),
    ],
)
def test_errors_say_what_to_do_and_exit_as_documented(
    data: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = run(*arguments, data=data, SLMTRAIL_INGEST_PORT="0")
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_without_a_trail(tmp_path: Path) -> None:
    for command in ("search", "alerts", "follow"):
        done = run(command, data=tmp_path / "nothing")
        assert (done.returncode, "Traceback" in done.stderr) == (6, False)
        assert "start" in done.stderr


def test_a_wrong_setting_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "slmtrail.toml").write_text('[ingest]\nport = "many"\n')
    done = run("config", "check", data=tmp_path / "data")
    assert done.returncode == 2
    assert "slmtrail.toml:2: ingest.port" in done.stderr


def test_a_port_in_use_is_said_at_once(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("up", data=tmp_path / "data", SLMTRAIL_INGEST_PORT=str(port))
    assert done.returncode == 2
    assert "ingest.port" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_data_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    done = run("up", data=tmp_path / "data", SLMTRAIL_INGEST_PORT="0")
    assert done.returncode == 5
    assert "Traceback" not in done.stderr


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    assert run("init", data=tmp_path / "data").returncode == 0
    (tmp_path / "data" / "keys" / "stream.pem").chmod(0o644)
    done = run("up", data=tmp_path / "data", SLMTRAIL_INGEST_PORT="0")
    assert done.returncode == 4
    assert "chmod 600" in done.stderr


def test_records_are_counted_and_a_query_is_exported(data: Path) -> None:
    counted = run("search", "question", *ALICE, "--count", "--facets", "user", "--histogram", "--json", data=data)
    told = json.loads(counted.stdout)
    assert told["total"] == 40
    assert told["facets"] == {"user": [{"value": "alice", "count": 40}]}
    assert sum(bar["count"] for bar in told["histogram"]["bars"]) == 40
    table = run("export", "-", "question", "user:alice", "kind:inference", "--format", "csv", data=data)
    assert len(table.stdout.splitlines()) == 41
    file = data.parent / "alice.ndjson"
    assert "40 records" in run("export", str(file), "user:alice", "kind:inference", data=data).stderr
    assert {json.loads(line)["user.id"] for line in file.read_text().splitlines()} == {"alice"}
    refused = run("export", str(data.parent / "none.csv"), "usr:x", data=data)
    assert (refused.returncode, (data.parent / "none.csv").exists()) == (2, False)
