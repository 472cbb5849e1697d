"""deploy/audit.py: what slmtrail brings along may be passed on, and what is known against it is said."""

from __future__ import annotations

import importlib.util
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from tree import ROOT


@pytest.fixture(scope="module")
def audit() -> Any:
    spec = importlib.util.spec_from_file_location("audit", ROOT / "deploy/audit.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def answering(known: dict[str, list[str]]) -> Iterator[str]:
    """A server of advisories."""

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))["queries"]
            names = [each["package"]["name"] for each in asked]
            results = [{"vulns": [{"id": id_} for id_ in known[name]]} if name in known else {} for name in names]
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"results": results}).encode())

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def run(audit: Any, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["audit.py", *arguments])
    return int(audit.main())


def test_all_that_comes_with_it_may_be_passed_on(audit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(audit, monkeypatch, "--licences") == 0
    found = audit.licences()
    assert {"cryptography", "faust-streaming", "elasticsearch", "jinja2", "uvicorn"} <= found.keys()
    assert "pytest" not in found


@pytest.mark.parametrize(
    ("said", "may"),
    [
        ("MIT", True),
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", True),
        ("GPL-3.0-only OR MIT", True),
        ("MIT AND GPL-3.0-only", False),
        ("AGPL-3.0-or-later", False),
        ("MIT License Copyright", False),
        ("", False),
    ],
)
def test_a_licence_that_is_unknown_or_copyleft_is_a_fault(audit: Any, said: str, may: bool) -> None:
    assert audit.allowed(said) == may


def test_an_old_name_of_a_licence_is_known(audit: Any) -> None:
    about = Message()
    about["Classifier"] = "License :: OSI Approved :: Apache Software License"
    assert audit.licence(about) == "Apache-2.0"
    about["License-Expression"] = "ISC"
    assert audit.licence(about) == "ISC"


def test_an_advisory_fails_and_silence_is_no_answer(
    audit: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with answering({}) as url:
        assert run(audit, monkeypatch, "--advisories", url) == 0
    with answering({"aiokafka": ["GHSA-made-up"]}) as url:
        assert run(audit, monkeypatch, "--advisories", url) == 1
    assert f"aiokafka {audit.locked()['aiokafka']}: GHSA-made-up" in capsys.readouterr().out
    assert run(audit, monkeypatch, "--advisories", url) == os.EX_TEMPFAIL
    assert "not looked at" in capsys.readouterr().out
