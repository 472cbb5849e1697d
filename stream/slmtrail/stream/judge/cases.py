"""Runs a rule's own cases, whether it came with slmtrail or is a user's."""

from __future__ import annotations

from typing import Any

from slmtrail.core.events import timestamp_text
from slmtrail.core.judging import RulePolicy
from slmtrail.core.policy import Policy
from slmtrail.core.roles import Role
from slmtrail.core.spans import span_ms
from slmtrail.stream.judge.judge import Judge
from slmtrail.stream.judge.manifest import Case
from slmtrail.stream.judge.rule import Rule
from slmtrail.stream.judge.windows import Windows

START_MS = 1_790_000_000_000


def fires(rule: Rule, case: Case) -> bool:
    """Whether `rule` raises an alert on the records of `case`."""
    roles = {"case": Role.model_validate(case.role)} if case.role is not None else {}
    changes = RulePolicy(parameters=case.parameters)
    judge = Judge(Policy(roles=roles, rules={rule.id: changes}), [rule])
    windows = Windows(judge)
    raised = False
    for number, record in enumerate(_records(rule, case)):
        named = {**record, "event.id": f"{number:032x}"}
        if case.role is not None:
            named.setdefault("slm.role", "case")
        # Asked once more by itself, so that a rule that fails says so here.
        rule.look(named, judge.terms(rule.id, named.get("slm.role", ""), "").about)
        raised = bool(windows.take(judge.judge(named).signals)) or raised
    return raised


def _records(rule: Rule, case: Case) -> list[dict[str, Any]]:
    common = {"slm.kind": rule.manifest.kinds[0], "@timestamp": timestamp_text(START_MS)}
    if case.record is not None:
        return [{**common, **case.record}]
    made, at_ms = [], START_MS
    for step in case.steps:
        at_ms += span_ms(step.after)
        for number in range(step.times):
            values = {name: _numbered(value, number) for name, value in step.record.items()}
            made.append({**common, "@timestamp": timestamp_text(at_ms), **values})
            at_ms += span_ms(step.every)
    return made


def _numbered(value: Any, number: int) -> Any:
    """`#` in a text of a step stands for the number of the repetition."""
    if isinstance(value, str):
        return value.replace("#", str(number))
    if isinstance(value, list):
        return [_numbered(item, number) for item in value]
    if isinstance(value, dict):
        return {name: _numbered(item, number) for name, item in value.items()}
    return value
