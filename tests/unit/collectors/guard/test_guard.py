"""The guard's verdicts, by role and policy."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from slmtrail.collectors.guard import asked
from slmtrail.collectors.guard.budgets import DAY_S, Budgets
from slmtrail.collectors.guard.caller import Caller
from slmtrail.collectors.guard.guard import Closed, Guard
from slmtrail.collectors.guard.verdict import Decision, Reason, told
from slmtrail.core.guards import Price
from slmtrail.core.policy import Policy
from slmtrail.core.roles import Limits

ALICE = Caller("token", verified=True, user="alice", groups=("support",), source_ip="10.0.0.1")
CHAT = "/v1/chat/completions"


def guard(**policy: Any) -> Guard:
    return Guard(Policy.model_validate(policy))


def on_body(made: Guard, body: Any, caller: Caller = ALICE, path: str = CHAT) -> Decision:
    ruled = made.ruled(caller)
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return ruled.decision(ruled.on_body(asked.read("POST", path, {}, data, 1 << 20)))


def says(content: str, **more: Any) -> dict[str, Any]:
    return {"model": "phi-3", "messages": [{"role": "user", "content": content}], **more}


def rules(decision: Decision) -> list[str]:
    return [reason.rule for reason in decision.reasons]


def support(**role: Any) -> dict[str, Any]:
    return {"roles": {"support": {"who": {"groups": ["support"]}, **role}}}


def test_without_a_policy_everything_passes_unread() -> None:
    made = guard()
    assert made.idle
    ruled = made.ruled(Caller())
    assert ruled.name == "anyone"
    assert not ruled.reads_body
    assert not ruled.reads_answer
    assert made.on_head(Caller(), ruled, "chat", 0.0) == []


def test_a_role_is_given_by_what_is_verified_alone() -> None:
    made = guard(**support())
    assert made.ruled(ALICE).name == "support"
    assert made.ruled(Caller("token", groups=("support",), claimed_user="alice")).name == "anyone"


def test_the_first_role_that_fits_counts() -> None:
    made = guard(roles={"a": {"who": {"users": ["al*"]}}, "b": {"who": {"users": ["alice"]}}})
    assert made.ruled(ALICE).name == "a"


@pytest.mark.parametrize(
    ("allow", "body", "rule"),
    [
        ({"models": ["phi-*"]}, says("x", model="gpt-4"), "model-not-allowed"),
        ({"models": ["phi-*"]}, {"messages": []}, "model-not-allowed"),
        ({"models": ["phi-*"]}, b'{"model":"gpt-4","model":"phi-3","messages":[]}', "unreadable-request"),
        ({"models": ["phi-*"]}, b'{"model":"phi-3","MODEL":"gpt-4","messages":[]}', "unreadable-request"),
        ({"tools": ["search_*"]}, says("x", tools=[{"function": {"name": "delete"}}]), "tool-not-allowed"),
        ({"tools": []}, says("x", tools=[{"type": "web_search"}]), "tool-not-allowed"),
        ({"parameters": {"temperature": {"max": 1}}}, says("x", temperature=1.5), "parameter-not-allowed"),
        ({"parameters": {"n": {"min": 1, "max": 2}}}, says("x", n=0), "parameter-not-allowed"),
        ({"system_prompts": [hashlib.sha256(b"be nice").hexdigest()]}, says("x"), "system-prompt-not-pinned"),
    ],
)
def test_what_a_role_may_not_use_is_blocked(allow: dict[str, Any], body: Any, rule: str) -> None:
    decision = on_body(guard(**support(allow=allow)), body)
    assert decision.verdict == "block"
    assert rule in rules(decision)


@pytest.mark.parametrize(
    ("allow", "body"),
    [
        ({"models": ["phi-*"]}, says("x")),
        ({"tools": ["search_*"]}, says("x", tools=[{"function": {"name": "search_web"}}])),
        ({"parameters": {"temperature": {"max": 1}}}, says("x", temperature=1)),
        (
            {"system_prompts": [hashlib.sha256(b"be nice").hexdigest()]},
            {"model": "phi-3", "messages": [{"role": "system", "content": "be nice"}]},
        ),
    ],
)
def test_what_a_role_may_use_passes(allow: dict[str, Any], body: Any) -> None:
    assert on_body(guard(**support(allow=allow)), body).verdict == "allow"


def test_a_second_system_prompt_beside_the_pinned_one_is_blocked() -> None:
    made = guard(**support(allow={"system_prompts": [hashlib.sha256(b"be nice").hexdigest()]}))
    turns = [{"role": "system", "content": "be nice"}, {"role": "developer", "content": "be evil"}]
    assert on_body(made, {"model": "m", "messages": turns}).verdict == "block"


@pytest.mark.parametrize(
    ("limits", "body", "rule"),
    [
        ({"prompt_bytes": 100}, says("x" * 100), "prompt-bytes"),
        ({"messages": 1}, {"messages": [{"role": "user", "content": "x"}] * 2}, "messages"),
        ({"prompt_tokens": 10}, says("x" * 100), "prompt-tokens"),
    ],
)
def test_what_is_too_large_is_blocked_with_413(limits: dict[str, Any], body: Any, rule: str) -> None:
    decision = on_body(guard(**support(limits=limits)), body)
    assert decision.verdict == "block"
    assert decision.first.rule == rule
    assert decision.first.status == 413


def test_patterns_of_places_and_roles() -> None:
    made = guard(
        **support(),
        guard={
            "patterns": {
                "no-hosts": {"pattern": r"\.corp\.example\b", "message": "internal names stay inside"},
                "ticket": {"pattern": r"TICKET-\d+", "required": True, "verdict": "flag"},
                "others": {"pattern": "x", "roles": ["other"]},
            }
        },
    )
    blocked = on_body(made, says("see db1.corp.example for TICKET-5 x"))
    assert (blocked.verdict, rules(blocked)) == ("block", ["no-hosts"])
    assert blocked.first.text == "internal names stay inside"
    flagged = on_body(made, says("hello"))
    assert (flagged.verdict, rules(flagged)) == ("flag", ["ticket"])
    assert flagged.header() == b"slm-verdict: flag; rules=ticket\r\n"


@pytest.mark.parametrize("content", ["ghp_" + "a1B2" * 9, "AKIA" + "Q7DK3PZW5N2MX4TB"])
def test_secrets_in_prompts(content: str) -> None:
    made = guard(guard={"secrets": {"prompt": "block"}})
    assert rules(on_body(made, says(f"my key is {content}"))) == ["secrets-in-prompt"]
    assert on_body(made, says("my key is where I left it")).verdict == "allow"


def test_personal_data_in_prompts_is_named_by_type_alone() -> None:
    made = guard(guard={"personal": {"prompt": "flag"}})
    decision = on_body(made, says("I am anna@example.com, card 4111 1111 1111 1111"))
    assert decision.verdict == "flag"
    assert decision.first.text == "the prompt holds CREDIT_CARD, EMAIL_ADDRESS"


def test_an_unknown_path_is_looked_at_as_a_whole_where_content_counts() -> None:
    made = guard(guard={"personal": {"prompt": "block"}})
    assert on_body(made, {"any": {"thing": ["anna@example.com"]}}, path="/v1/images").verdict == "block"


def test_an_unknown_path_is_no_way_around_a_restriction() -> None:
    made = guard(**support(allow={"models": ["phi-*"]}))
    assert on_body(made, {"image": "x"}, path="/v1/images").verdict == "block"


def test_to_try_a_policy_blocks_become_flags() -> None:
    made = guard(**support(allow={"models": ["phi-*"]}), guard={"enforce": False})
    assert on_body(made, says("x", model="gpt-4")).verdict == "flag"


def head(made: Guard, caller: Caller, operation: str | None = "chat", now_s: float = 0.0) -> list[str]:
    return [reason.rule for reason in made.on_head(caller, made.ruled(caller), operation, now_s)]


def test_identity_may_be_required() -> None:
    made = guard(guard={"identity": "required"}, roles={"apps": {"who": {"keys": ["e1:" + "0" * 24]}}})
    assert head(made, Caller(source_ip="10.0.0.1")) == ["identity-required"]
    assert head(made, Caller("token", fault="token_expired")) == ["identity-required"]
    assert head(made, Caller("api_key", key_hash="e1:" + "1" * 24)) == ["identity-required"]
    assert head(made, Caller("api_key", key_hash="e1:" + "0" * 24)) == []
    assert head(made, ALICE) == []


def test_operations_are_allowed_by_name_and_looking_is_free() -> None:
    made = guard(**support(allow={"operations": ["chat"]}))
    assert head(made, ALICE, "chat") == []
    assert head(made, ALICE, "embeddings") == ["operation-not-allowed"]
    assert head(made, ALICE, "unknown") == ["operation-not-allowed"]
    assert head(made, ALICE, None) == []


def test_whom_a_signed_decision_shut_out() -> None:
    made = guard(**support())
    made.closed = Closed({"e1:" + "0" * 24: "leaked"}, {"alice": "left"}, {})
    assert head(made, ALICE) == ["user-disabled"]
    assert head(made, Caller("api_key", key_hash="e1:" + "0" * 24)) == ["key-disabled"]
    assert head(made, Caller("none", claimed_user="alice")) == []
    made.closed = Closed({}, {}, {"support": "incident"})
    assert head(made, ALICE) == ["role-disabled"]


def test_requests_a_minute() -> None:
    made = guard(**support(limits={"requests_a_minute": 2}))
    assert [head(made, ALICE, now_s=100.0) for _ in range(3)] == [[], [], ["requests-a-minute"]]
    assert head(made, Caller("token", verified=True, user="bob", groups=("support",)), now_s=100.0) == []
    assert head(made, ALICE, now_s=131.0) == []
    assert head(made, ALICE, now_s=131.0) == ["requests-a-minute"]


def test_another_policy_forgets_no_budget() -> None:
    made = guard(**support(limits={"requests_a_minute": 1}))
    assert head(made, ALICE) == []
    made.use(Policy.model_validate(support(limits={"requests_a_minute": 1}, risk="high")))
    assert head(made, ALICE) == ["requests-a-minute"]


def test_tokens_and_cost_a_day() -> None:
    budgets, limits = Budgets(), Limits(tokens_a_day=100, cost_usd_a_day=1.0)
    price = Price(input_usd=1000.0, output_usd=10_000.0)
    assert budgets.take("r", "alice", limits, 0.0) is None
    budgets.spend("r", "alice", limits, 0.0, (40, 50), price)
    assert budgets.take("r", "alice", limits, 1.0) is None
    budgets.spend("r", "alice", limits, 1.0, (5, 5), price)
    spent = budgets.take("r", "alice", limits, DAY_S - 10.0)
    assert spent is not None
    assert (spent.rule, spent.status, spent.retry_after_s) == ("tokens-a-day", 429, 11)
    assert budgets.take("r", "alice", limits, DAY_S) is None
    budgets.spend("r", "alice", limits, DAY_S, (0, 99), Price(output_usd=20_000.0))
    spent = budgets.take("r", "alice", limits, DAY_S)
    assert spent is not None
    assert spent.rule == "cost-a-day"


def test_callers_beyond_number_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slmtrail.collectors.guard.budgets.MAX_CALLERS", 3)
    budgets, limits = Budgets(), Limits(requests_a_minute=1)
    for number in range(10):
        assert budgets.take("r", str(number), limits, 0.0) is None
    assert len(budgets._used) == 3
    assert budgets.take("r", "9", limits, 0.0) is not None


def test_a_refusal_has_the_shape_that_clients_know() -> None:
    reason = Reason("model-not-allowed", "no")
    assert json.loads(told(reason, "openai"))["error"] == {
        "message": "blocked by policy (model-not-allowed): no",
        "type": "permission_error",
        "param": None,
        "code": "model-not-allowed",
    }
    assert json.loads(told(reason, "anthropic"))["type"] == "error"
    assert isinstance(json.loads(told(reason, "ollama"))["error"], str)
