"""What is written to a terminal or into a log moves no cursor, invents no line and hides nothing."""

from __future__ import annotations

import csv
import io
import json
import logging
import re
import sys

import pytest
from rich.table import Table
from rich.text import Text

from slmtrail.app import log
from slmtrail.app.tables import FORMATS
from slmtrail.app.terminal import Console, inline
from slmtrail.core.ports import Sealed
from tree import ROOT

HOSTILE = "\x1b[2J\x1b]0;t\x07\x1b]52;c;Yw==\x1b\\\x9b2J\x85\u2028\u2029\u202erev\u2066\u200b\x00\x7f\b\ro\ud800"
MOVES = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def test_text_of_events_on_a_terminal_is_only_text() -> None:
    written = io.StringIO()
    console = Console(file=written, width=400)
    table = Table("who", HOSTILE)
    table.add_row(HOSTILE, "[red]markup[/]")
    for shown in (f"user [bold]{HOSTILE}[/]", Text(HOSTILE), table):
        console.print(shown)
    assert not MOVES.search(written.getvalue())
    assert r"\x1b[2J" in written.getvalue()
    assert r"\u202erev" in written.getvalue()


def test_a_text_within_a_line_neither_ends_it_nor_is_markup() -> None:
    written = io.StringIO()
    who = inline(f"a\nb\tc\r[red]d[/] {HOSTILE}")
    Console(file=written).print(f"who [bold]{who}[/] when")
    (line,) = written.getvalue().splitlines()
    assert line.startswith(r"who a\nb\tc[red]d[/] \x1b[2J")
    assert line.endswith(" when")


def test_what_a_program_reads_is_neither_folded_nor_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    written = io.StringIO()
    console = Console(file=written)
    table = Table("who", "what")
    table.add_row("a " * 90, "b" * 400)
    for shown in ("c " * 500, table):
        console.print(shown)
    (_, _, _, _, row, _) = written.getvalue().splitlines()
    assert row.count("a ") == 90
    assert row.count("b") == 400


def test_every_command_writes_through_that_terminal() -> None:
    other = [
        file.name
        for file in (ROOT / "app").rglob("*.py")
        if file.name != "terminal.py" and re.search(r"rich\.console import|rich import .*print", file.read_text())
    ]
    assert not other


@pytest.mark.parametrize("as_json", [False, True])
def test_an_entry_of_the_log_is_one_line_whatever_it_tells_of(as_json: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    root = logging.getLogger()
    before = (root.level, root.handlers[:])
    try:
        log.set_up(as_json=as_json)
        told = f"x\n2026-01-01T00:00:00.000Z INFO slmtrail: forged {HOSTILE}"
        try:
            raise ValueError(told)
        except ValueError:
            logging.getLogger("slmtrail.test").exception("a request of %s", told)
    finally:
        root.setLevel(before[0])
        root.handlers[:] = before[1]
    (line,) = written.getvalue().splitlines()
    assert not MOVES.search(line)
    if as_json:
        entry = json.loads(line)
        assert entry["message"].startswith("a request of x\n2026")
        assert "Traceback" in entry["exception"]


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=cmd()", "'=cmd()"),
        ("@SUM(1)", "'@SUM(1)"),
        (" \n+1", "' \n+1"),
        ("\uff1dcmd()", "'\uff1dcmd()"),
        ("\tx", "'\tx"),
        ("a;=cmd();\uff0b1", "a;'=cmd();'\uff0b1"),
        ("a\t-1", "a\t'-1"),
        ("1 - 1 = 0; b", "1 - 1 = 0; b"),
    ],
)
def test_a_table_holds_nothing_that_a_spreadsheet_runs(text: str, cell: str) -> None:
    row = FORMATS["csv"].row(Sealed("l", 0, "a", {"message": text, "user.id": text, "slm.latency_ms": -5}, b""))
    read = next(csv.DictReader(io.StringIO((FORMATS["csv"].head() + row).decode(), newline="")))
    assert (read["message"], read["user.id"], read["slm.latency_ms"]) == (cell, cell, "-5")
