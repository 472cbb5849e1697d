"""`slmtrail verify` over a copy: what it says of good ones, of bad ones, and of what is none. Never a traceback."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from builders import LEDGER, sealed_trail
from slmtrail.app.cli import app
from slmtrail.core import keys
from slmtrail.core.errors import TrailError
from slmtrail.indexer import export
from slmtrail.indexer.store.sqlite import SqliteStore


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copy")
    key = keys.signing_key(folder / "ledger.pem", create=True)
    trail = sealed_trail(folder / "trail", 40, key)
    shutil.copytree(trail.folder / "ledger", folder / "ledger" / "0")
    (folder / "ledger.vkey").write_text(f"{trail.ledger_folder.keys[0]}\n")
    with closing(SqliteStore(trail.store_path)) as store, (folder / "export.ndjson").open("wb") as file:
        export.write(store, {LEDGER: trail.ledger_folder.checkpoint()[1].size}, file)
    return folder


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "copy")
    return tmp_path / "copy"


def verify(folder: Path, *more: str, key: str = "ledger.pub", tiles: str = "ledger") -> tuple[int, str]:
    """The exit code, and what was printed or said in an error."""
    arguments = ["--tiles", str(folder / tiles), "--export", str(folder / "export.ndjson"), "--key", str(folder / key)]
    done = CliRunner().invoke(app, ["verify", *arguments, *more])
    if isinstance(done.exception, TrailError):
        return done.exception.exit_code, str(done.exception)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


@pytest.mark.parametrize("key", ["ledger.pub", "ledger.vkey"])
@pytest.mark.parametrize("tiles", ["ledger", "ledger/0"])
def test_a_copy_verifies(copy: Path, key: str, tiles: str) -> None:
    code, output = verify(copy, key=key, tiles=tiles)
    assert code == 0
    assert "verified" in output
    code, output = verify(copy, "--json", key=key, tiles=tiles)
    told = orjson.loads(output)
    assert (code, told["verified"], told["faults"], told["signed_for"]["events"]) == (0, True, [], 40)


def test_faults_are_told_and_counted(copy: Path) -> None:
    lines = (copy / "export.ndjson").read_bytes().splitlines(keepends=True)
    (copy / "export.ndjson").write_bytes(b"".join(lines[5:]))
    code, output = verify(copy)
    assert code == 7
    assert "missing: leaf 0" in output
    assert "not verified: 5 faults" in " ".join(output.split())


def test_a_memory_and_a_head_from_elsewhere(copy: Path, tmp_path: Path) -> None:
    memory = ["--memory", str(tmp_path / "own" / "memory.json")]
    assert verify(copy, *memory)[0] == 0
    assert verify(copy, *memory, "--since-last")[0] == 0
    head = str(copy / "ledger" / "0" / "checkpoint")
    assert verify(copy, "--checkpoint", head)[0] == 0
    (tmp_path / "own" / "memory.json").write_text("{")
    code, output = verify(copy, *memory)
    assert (code, "verified before" in output) == (7, True)


def _write(name: str, data: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(data)


def _another_key(folder: Path) -> None:
    keys.signing_key(folder / "other.pem", create=True)
    shutil.copy(folder / "other.pub", folder / "ledger.pub")


def _torn(folder: Path) -> None:
    size = (folder / "ledger" / "0" / "checkpoint").read_text().split("\n")[1]
    (folder / "ledger" / "0" / "tile" / "entries" / "000.p" / size).write_bytes(b"x")


BAD: dict[str, Callable[[Path], object]] = {
    "torn or not a note": _write("ledger/0/checkpoint", b"torn"),
    "more than": _write("ledger/0/checkpoint", b"x" * 1_100_000),
    "signed by no trusted key": _another_key,
    "verifier key": _write("ledger.pub", b"\xff\xfe"),
    "can't be read as a public key": _write("ledger.pub", b"-----BEGIN PUBLIC KEY-----\nxx\n"),
    "no ledger here": lambda folder: shutil.rmtree(folder / "ledger" / "0"),
    "can't be read": lambda folder: (folder / "export.ndjson").unlink(),
    "is no record": _write("export.ndjson", b"\x00\xff{}\n[]\n"),
    "has no record": _write("export.ndjson", b""),
    "it is torn": _torn,
}


@pytest.mark.parametrize("said", BAD)
def test_what_is_no_trail_is_named(copy: Path, said: str) -> None:
    BAD[said](copy)
    code, output = verify(copy)
    assert code != 0
    assert said in " ".join(output.split())
