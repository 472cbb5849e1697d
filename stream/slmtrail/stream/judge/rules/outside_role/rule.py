"""What was used against what the policy opens to the role."""

from __future__ import annotations

from typing import Any

from slmtrail.core.roles import Allowed, matches
from slmtrail.stream.judge.hit import About

_ANYTHING = Allowed()


def judge(record: dict[str, Any], about: About) -> str | None:
    """What the role may not do and did, or None."""
    if about.role is None or about.role.allow == _ANYTHING or record.get("event.outcome") == "failure":
        return None
    allow, role = about.role.allow, record["slm.role"]
    model = record.get("gen_ai.request.model") or record.get("gen_ai.response.model", "")
    if record["slm.kind"] == "inference" and not matches(allow.models, model):
        return f"the model {model[:80]} is not open to the role {role}"
    operation = record.get("gen_ai.operation.name", "")
    if record["slm.kind"] == "inference" and operation and not matches(allow.operations, operation):
        return f"{operation[:80]} is not open to the role {role}"
    tool = record.get("gen_ai.tool.name", "")
    if tool and not matches(allow.tools, tool):
        return f"the tool {tool[:80]} is not open to the role {role}"
    for name, span in allow.parameters.items():
        value = record.get(f"gen_ai.request.{name}")
        if isinstance(value, int | float) and not span.holds(value):
            return f"{name} {value} is outside of what the role {role} may set"
    return None
