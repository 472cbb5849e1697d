"""A site's own rules: what is taken, what is refused and how that is said, and what a bad one costs the others."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pytest

from slmtrail.core.errors import SettingsError
from slmtrail.core.policy import Policy
from slmtrail.stream.judge.judge import Judge
from slmtrail.stream.judge.own import own_rules
from slmtrail.stream.judge.rule import built_in
from slmtrail.stream.judge.signal import hit_of
from slmtrail.stream.judge.windows import Windows

HEAD = """
id: {id}
name: Something of ours
detects: What we look for.
reference: [OWASP LLM01:2025]
severity: low
response: Call us.
kinds: [inference]
subject: [user.id]
"""
CASES = """
cases:
  - {name: yes, fires: true, record: {gen_ai.request.model: secret-model, user.id: a}}
  - {name: no, fires: false, record: {gen_ai.request.model: phi, user.id: a}}
"""
CASES = CASES.replace("yes", '"yes"').replace("no,", '"no",')
MATCH = "match: {gen_ai.request.model|startswith: secret}\nwhy: '{gen_ai.request.model} was used'\n"
CODE = (
    'def judge(record, about):\n    return "ours" if record.get("gen_ai.request.model") == "secret-model" else None\n'
)


def rule(folder: Path, name: str, body: str = MATCH + CASES, code: str = "") -> None:
    place = folder / name
    place.mkdir(parents=True)
    (place / "rule.yaml").write_text(HEAD.format(id=name) + body)
    if code:
        (place / "rule.py").write_text(textwrap.dedent(code))


def record(**fields: Any) -> dict[str, Any]:
    named = {"slm.kind": "inference", "@timestamp": "2026-01-01T00:00:00.000Z", "event.id": "0" * 32, "user.id": "a"}
    return {**named, **fields}


def test_conditions_and_code_are_taken(tmp_path: Path) -> None:
    rule(tmp_path, "by-fields")
    rule(tmp_path, "by-code", CASES, CODE)
    own = own_rules(tmp_path)
    assert own.refused == {}
    judged = Judge(Policy(), [*built_in(), *own.rules]).judge(record(**{"gen_ai.request.model": "secret-model"}))
    assert {"by-fields", "by-code"} <= set(judged.flags)
    assert "secret-model was used" in [hit_of(one).why for signals in judged.signals for one in signals.sayings]


@pytest.mark.parametrize(
    ("body", "code", "says"),
    [
        ("match: {gen_ai.request.model|re: '(a+)+(?=b)'}\n" + CASES, "", "no expression of RE2"),
        ("match: {no.such.field: 1}\n" + CASES, "", "no such field"),
        ("match: {gen_ai.request.model|like: 1}\n" + CASES, "", "no such modifier"),
        ("match: {gen_ai.request.model: x}\n" + CASES, "", "case 'yes': it should fire"),
        ("window: {kind: count}\n" + MATCH + CASES, "", "needs 'at_least'"),
        ("window: {kind: own}\n" + MATCH + CASES, CODE, "needs a function `fold`"),
        (CASES, "", "match: is missing"),
        (MATCH + "severity: terrible\n" + CASES, "", "rule.yaml:12:1: not YAML: a key is given twice"),
        (MATCH + "respond: x\nneed: [a]\n" + CASES, "", "rule.yaml:13:1: need: no such key; did you mean needs?"),
        (MATCH, "", "cases: is missing"),
        ("match: [", "", "rule.yaml:"),
        (CASES, "import nothing_like_this\n", "ModuleNotFoundError"),
        (CASES, "def judge(record, about):\n    return 1 / 0\n", "rule.py:2: ZeroDivisionError"),
        (CASES, "x = 1\ndef judge(record, about)\n    return 1\n", "rule.py:2: is no Python"),
        (CASES, "def look(record, about): return 1\n", "has no function `judge(record, about)`"),
        (CASES, "def judge(record, about):\n    while True: pass\n", "no answer within"),
        (CASES, "import os\ndef judge(record, about): os._exit(3)\n", "no answer within"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name_and_the_rest_goes_on(
    tmp_path: Path, body: str, code: str, says: str
) -> None:
    rule(tmp_path, "a-bad-one", body, code)
    rule(tmp_path, "good")
    own = own_rules(tmp_path, deadline_s=0.3)
    assert [one.id for one in own.rules] == ["good"]
    assert says in own.refused["a-bad-one"]
    judge = Judge(Policy(), [*built_in(), *own.rules], own.refused)
    (alert,) = Windows(judge).take(judge.refused(1_790_000_000_000))
    assert (alert.event["rule.id"], alert.event["slm.alert.subject"]) == ("rule-failed", "rule.id:a-bad-one")
    assert says in alert.event["message"]


def test_a_rule_that_hangs_on_some_record_is_named_and_soon_not_asked_any_more(tmp_path: Path) -> None:
    code = CODE.replace("    return", '    while record["event.id"][0] == "f": pass\n    return', 1)
    rule(tmp_path, "hangs", CASES, code)
    own = own_rules(tmp_path, deadline_s=0.2)
    judge = Judge(Policy(), [*built_in(), *own.rules])

    def failures(event_id: str) -> list[str]:
        judged = judge.judge(record(**{"event.id": event_id}))
        return [signals.subject for signals in judged.signals if signals.sayings[0][0] == "rule-failed"]

    assert [failures("f" * 32) for _ in range(4)] == [["rule.id:hangs"]] * 4
    assert failures("0" * 32) == ["rule.id:hangs"], "it was stopped"


def test_a_rule_may_not_take_the_place_of_another(tmp_path: Path) -> None:
    rule(tmp_path, "prompt-injection")
    assert "id of another rule" in own_rules(tmp_path).refused["prompt-injection"]


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="name a folder of rules"):
        own_rules(tmp_path / "none")
