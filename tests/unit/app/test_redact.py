"""`slmtrail redact` as its user meets it: a look at one text, a corpus run through it, a corpus measured."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from slmtrail.app.cli import app
from slmtrail.app.evaluation.findings import scored
from slmtrail.stream.redact.finding import Finding

COMMAND = [sys.executable, "-m", "slmtrail.app.cli"]


def ran(folder: Path, *arguments: str, stdin: str = "") -> Any:
    return CliRunner().invoke(app, ["--data", str(folder / "data"), "redact", *arguments], input=stdin)


def test_each_line_is_answered_before_the_next_is_written(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*COMMAND, "--data", str(tmp_path / "data"), "redact", "--jsonl", "--workers", "2", "--types", "EMAIL_ADDRESS"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin
        assert process.stdout

        def answer(line: str) -> Any:
            process.stdin.write(line.encode() + b"\n")  # type: ignore[union-attr]
            process.stdin.flush()  # type: ignore[union-attr]
            return json.loads(process.stdout.readline())  # type: ignore[union-attr]

        assert answer('{"text": "write to anna@example.com or 212-555-0199"}') == {
            "findings": [{"type": "EMAIL_ADDRESS", "start": 9, "end": 25, "score": 1.0}],
            "text": "write to <EMAIL_1> or 212-555-0199",
        }
        assert "line 2: not JSON" in answer("{")["error"]
        assert answer('{"text": "\\ud800 a@example.com"}')["text"] == "\ud800 <EMAIL_1>"
        assert 'line 4: no object with a string under "text"' in answer('["text"]')["error"]
        process.stdin.close()
        assert process.wait(60) == 2


def test_a_text_is_explained(tmp_path: Path) -> None:
    text = tmp_path / "letter.txt"
    text.write_text("my phone number is +49 30 9018200, password=hunter2!\n")
    told = json.loads(ran(tmp_path, str(text), "--json", "--explain").stdout)
    assert told["text"] == "my phone number is <PHONE_1>, password=<ASSIGNED_SECRET_1>\n"
    phone, secret = told["findings"]
    assert phone | {"version": ""} == {
        "type": "PHONE_NUMBER",
        "start": 19,
        "end": 33,
        "score": 0.75,
        "version": "",
        "rule": "PhoneRecognizer/phonenumbers",
        "context": "phone",
    }
    assert phone["version"].startswith("presidio-")
    assert secret["rule"] == "assigned-secret"
    assert told["names"] is False
    assert all(cost >= 0 for cost in told["cost_us"].values())
    shown = ran(tmp_path, "-", "--explain", stdin=text.read_text())
    assert shown.exit_code == 0
    assert "PhoneRecognizer/phonenumbers" in shown.output
    assert "Names of people and places are not looked for" in shown.output


def test_precision_and_recall_by_type(tmp_path: Path) -> None:
    corpus = tmp_path / "labelled.jsonl"
    lines = [
        {"text": "a@example.com", "labels": [{"type": "EMAIL_ADDRESS", "start": 0, "end": 13}]},
        {"text": "call Anna", "labels": [{"type": "EMAIL_ADDRESS", "start": 5, "end": 9}]},
        {"text": "b@example.com", "labels": []},
    ]
    corpus.write_text("".join(json.dumps(line) + "\n" for line in lines))
    asked = ("--evaluate", str(corpus), "--types", "EMAIL_ADDRESS")
    measured = json.loads(ran(tmp_path, *asked, "--json").stdout)
    assert measured["texts"] == 3
    assert measured["types"] == {
        "EMAIL_ADDRESS": {"labels": 2, "found": 2, "precision": 0.5, "recall": 0.5, "f2": 0.5},
    }
    assert measured["worst_misses"] == [{"type": "EMAIL_ADDRESS", "text": "call Anna", "line": 2, "missed": 1}]


def test_f2_counts_recall_twice() -> None:
    labelled = [("ab cd", [("A", 0, 2), ("A", 3, 5)])]
    scores, misses = scored(labelled, [[Finding("A", 0, 2, 1.0), Finding("B", 3, 5, 1.0)]])
    assert (scores["A"].precision, scores["A"].recall, scores["A"].f2) == (1.0, 0.5, 0.5556)
    assert (scores["B"].precision, scores["B"].recall, scores["B"].f2) == (0.0, None, None)
    assert [(miss.type, miss.line) for miss in misses] == [("A", 1)]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("no-such-file",), "no-such-file: can't be read"),
        (("--types", "NOPE"), "nothing here finds NOPE"),
        (("--threshold", "7"), "threshold"),
        (("--languages", "English"), "is not a language code"),
        (("--registry", "none.yaml"), "there is no file none.yaml"),
    ],
)
def test_what_can_not_be_done_is_told(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    result = ran(tmp_path, *arguments, stdin="text")
    assert result.exit_code != 0
    assert said in result.output
