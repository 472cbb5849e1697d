"""`slmtrail token`: made, listed and taken back; told once, kept as a hash."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from slmtrail.app.commands.given import given
from slmtrail.app.commands.token import token as app
from slmtrail.collectors.receive.senders import Refused, Senders
from slmtrail.core.errors import NotFound


def test_a_token_is_made_listed_and_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(given, "data", tmp_path / "data")

    def run(*arguments: str) -> str:
        return CliRunner().invoke(app, arguments, catch_exceptions=False).stdout

    token = run("new", "gateway", "--days", "30").strip()
    known = Senders(tmp_path / "data" / "keys" / "senders.json")
    assert known.known(f"Bearer {token}", None).name == "gateway"
    (row,) = map(json.loads, run("list", "--json").splitlines())
    assert (row["name"], row["until"] > row["made"]) == ("gateway", True)
    listed = run("list")
    assert row["id"] in listed
    assert token not in listed
    run("revoke", row["id"])
    with pytest.raises(Refused):
        known.known(f"Bearer {token}", None)
    assert run("list") == ""
    with pytest.raises(NotFound):
        run("revoke", "gateway")
