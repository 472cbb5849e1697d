"""Which rules a record is shown to: leaving the others out changes nothing of what is said of it."""

from __future__ import annotations

from typing import Any

import pytest

from slmtrail.core.policy import Policy
from slmtrail.core.roles import Role
from slmtrail.stream.judge.judge import Judge
from slmtrail.stream.judge.manifest import Case, Manifest
from slmtrail.stream.judge.rule import Rule, built_in, made

ALWAYS = {"slm.kind", "@timestamp", "event.id", "event.outcome", "event.action", "slm.verdict", "slm.config.name"}


def records(rule: Rule, case: Case) -> list[dict[str, Any]]:
    head = {"slm.kind": rule.manifest.kinds[0], "@timestamp": "2026-01-01T00:00:00.000Z", "event.id": "0" * 32}
    given = [case.record] if case.record is not None else [step.record for step in case.steps]
    return [{"event.outcome": "unknown", "event.action": "x", **head, **one} for one in given]


@pytest.mark.parametrize("rule", built_in(), ids=lambda rule: rule.id)
def test_a_rule_says_nothing_of_records_it_is_not_shown(rule: Rule) -> None:
    judge = Judge(Policy(roles={"some": Role()}))
    for case in rule.manifest.cases:
        for whole in records(rule, case):
            for left_out in [set[str](), *({name} for name in whole), set(whole)]:
                record = {name: value for name, value in whole.items() if name in ALWAYS or name not in left_out}
                if not rule.concerns(record.keys()):
                    assert rule.look(record, judge.terms(rule.id, "some", "").about) is None, (case.name, left_out)


def manifest(**more: Any) -> dict[str, Any]:
    head = {"id": "ours", "name": "n", "detects": "d", "reference": ["r"], "severity": "low", "response": "r"}
    case = {"name": "c", "fires": True, "record": {}}
    return {**head, "kinds": ["inference"], "subject": ["user.id"], "cases": [case], **more}


@pytest.mark.parametrize(
    ("more", "shown", "not_shown"),
    [
        ({"match": {"user.id": "a", "service.name": "b"}}, {"user.id", "service.name"}, {"user.id"}),
        ({"match": [{"user.id": "a"}, {"service.name": "b"}]}, {"service.name"}, {"session.id"}),
        ({"match": {"user.id|exists": False, "service.name": "b"}}, {"service.name"}, {"user.id"}),
        ({"match": {"user.id": "a"}, "needs": ["error.type", "session.id"]}, {"user.id", "session.id"}, {"user.id"}),
        (
            {"window": {"kind": "sum", "value": "slm.cost_usd"}, "parameters": {"at_least": 1, "within": "1h"}},
            {"slm.cost_usd"},
            {"user.id"},
        ),
    ],
)
def test_conditions_and_windows_say_what_they_need(more: dict[str, Any], shown: set[str], not_shown: set[str]) -> None:
    rule = made("", "", None, None, manifest(**more))
    assert rule.concerns(shown)
    assert not rule.concerns(not_shown)


def test_what_a_rule_needs_is_a_field() -> None:
    with pytest.raises(ValueError, match=r"needs: no\.such: no such field"):
        Manifest.model_validate(manifest(needs=["no.such"], match={"user.id": "a"}))
