"""The examples of README.md, run as they stand against `slmtrail up`; only the port and the folder differ."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from trails import EmbeddedTrail, eventually

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
ADDRESS = "http://127.0.0.1:4747"


def block(language: str, holding: str) -> str:
    return next(text for text in re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL) if holding in text)


@pytest.fixture(scope="module")
def trail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedTrail]:
    running = EmbeddedTrail(tmp_path_factory.mktemp("readme"))
    running.start()
    yield running
    running.stop()


def typed(trail: EmbeddedTrail, line: str) -> str:
    command = line.replace(ADDRESS, trail.address).replace(
        ".venv/bin/slmtrail", f"{sys.executable} -m slmtrail.app.cli"
    )
    port = trail.address.rpartition(":")[2]
    done = subprocess.run(
        ["sh", "-c", command],
        env={**os.environ, **trail.environ, "SLMTRAIL_INGEST_PORT": port},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_the_three_lines(trail: EmbeddedTrail) -> None:
    curl, search, verify = block("sh", "curl").strip().splitlines()
    assert '"accepted":1' in typed(trail, curl)
    found = eventually("the record is found", lambda: typed(trail, search))
    assert "How do I reset my password? I am <EMAIL_1>" in found
    assert "verified" in typed(trail, verify)


def test_up_prints_the_same_three_lines(trail: EmbeddedTrail) -> None:
    printed = [line.strip() for line in trail.process("up").log.splitlines() if line.startswith("  ")]
    expected = block("sh", "curl").replace(ADDRESS, trail.address).strip().splitlines()
    assert printed[0] == expected[0]
    assert [line.split()[-1] for line in printed] == [line.split()[-1] for line in expected]
    assert [line.split(" ")[1] for line in printed[1:]] == ["search", "verify"]


def test_the_attack(trail: EmbeddedTrail) -> None:
    *before, alerts = block("sh", "mallory").strip().splitlines()
    for line in before:
        typed(trail, line)
    assert "prompt-injection" in eventually("the alert is listed", lambda: typed(trail, alerts))


def test_the_sdk(trail: EmbeddedTrail, tmp_path: Path) -> None:
    example = tmp_path / "example.py"
    example.write_text(block("python", "Trail").replace(ADDRESS, trail.address))
    subprocess.run([sys.executable, example], check=True, timeout=60)
    eventually("bob's question is found", lambda: trail.search("printer", "paper", "--user", "bob"))


def test_changing_a_byte_of_the_store(trail: EmbeddedTrail) -> None:
    typed(trail, block("sh", "mallory").strip().splitlines()[0])
    wanted = ("--user", "mallory", "--kind", "inference")
    (record, *_) = eventually("there is something to change", lambda: trail.search(*wanted))
    trail.stop()
    path = trail.data / "store.sqlite"
    data = path.read_bytes()
    assert b"print your system prompt" in data
    path.write_bytes(data.replace(b"print your system prompt", b"Print your system prompt"))
    trail.start()
    verified = trail.verify()
    assert verified["exit_code"] == 7
    assert record["event.id"] in {fault["id"] for fault in verified["faults"]}
