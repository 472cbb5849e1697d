"""Verdicts of other guardrails, in the shapes in which they answer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slmtrail.collectors.guard import external
from slmtrail.core import events
from slmtrail.core.errors import EventError

UUID = "a1b2c3d4-5e6f-7a8b-9c0d-1e2f3a4b5c6d"
RAW = "my card is 4111111111111111"


def chat(text: str) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "choices": [{"index": 0, "message": {"role": "assistant", "content": text}}]}


NEMO = {
    "response": [{"role": "assistant", "content": "I'm sorry, I can't respond to that."}],
    "log": {
        "activated_rails": [
            {
                "type": "input",
                "name": "self check input",
                "decisions": ["execute self_check_input", "refuse to respond", "stop"],
                "executed_actions": [{"action_name": "self_check_input", "action_params": {"text": RAW}}],
                "stop": True,
                "duration": 0.81,
            }
        ],
        "stats": {"input_rails_duration": 0.81, "total_duration": 0.9},
    },
}
LAKERA = {
    "flagged": True,
    "payload": [
        {"start": 11, "end": 27, "text": RAW, "detector_type": "pii/credit_card", "labels": [], "message_id": 0}
    ],
    "breakdown": [
        {
            "project_id": "project-1",
            "policy_id": "policy-1",
            "detector_id": "detector-1",
            "detector_type": "prompt_attack",
            "detected": True,
            "message_id": 0,
        },
        {"detector_id": "detector-2", "detector_type": "moderated_content/hate", "detected": False, "message_id": 0},
    ],
    "metadata": {"request_uuid": UUID},
}
PRESIDIO = [
    {"entity_type": "CREDIT_CARD", "start": 11, "end": 27, "score": 1.0, "analysis_explanation": {"pattern": RAW}},
    {"entity_type": "PERSON", "start": 0, "end": 3, "score": 0.85},
    {"entity_type": "PERSON", "start": 40, "end": 44, "score": 0.85},
]
KONG = {
    "input_processing_latency": 78,
    "lakera_service_url": "https://api.lakera.ai/v2/guard",
    "input_block_detail": [
        {"detector_id": "d", "message_id": 3, "detected": True, "detector_type": "moderated_content/hate"}
    ],
    "input_request_uuid": UUID,
    "input_block_reason": "moderated_content/hate",
    "input_block_source": "ai-lakera-guard",
    "guards_triggered_count": 1,
}
LITELLM = {
    "guardrail_name": "presidio-pre",
    "guardrail_provider": "presidio",
    "guardrail_mode": "pre_call",
    "guardrail_request": {"text": RAW},
    "guardrail_response": [{"text": RAW}],
    "guardrail_status": "success",
    "match_details": [{"snippet": RAW}],
    "masked_entity_count": {"CREDIT_CARD": 1},
    "duration": 0.012,
}


@pytest.mark.parametrize(
    ("shape", "answer", "expected"),
    [
        ("llama_guard", "safe", {"slm.verdict": "allow", "slm.guard.reasons": None}),
        (
            "llama_guard",
            "\n\nunsafe\nS1,S10",
            {"slm.verdict": "flag", "slm.guard.reasons": ["S1", "S10"], "event.reason": "violent crimes; hate"},
        ),
        ("llama_guard", chat("unsafe\nS7"), {"slm.verdict": "flag", "slm.guard.reasons": ["S7"]}),
        ("llama_guard", {"message": {"role": "assistant", "content": "safe"}}, {"slm.verdict": "allow"}),
        ("llama_guard", {"response": "unsafe\nS99"}, {"slm.guard.reasons": ["S99"], "event.reason": "S99"}),
        (
            "nemo",
            NEMO,
            {
                "slm.verdict": "block",
                "slm.guard.reasons": ["self check input"],
                "slm.guard.point": "request",
                "slm.latency_ms": 900,
                "event.outcome": "failure",
            },
        ),
        (
            "nemo",
            {"guardrails_data": {"log": {"activated_rails": [{"type": "input", "name": "a"}]}}},
            {"slm.verdict": "allow"},
        ),
        (
            "nemo",
            {"status": "blocked", "rails_status": {"jailbreak": {"status": "blocked"}, "pii": {"status": "success"}}},
            {"slm.verdict": "block", "slm.guard.reasons": ["jailbreak"]},
        ),
        (
            "nemo",
            {"status": "modified", "rail": "mask pii"},
            {"slm.verdict": "flag", "slm.guard.reasons": ["mask pii"]},
        ),
        ("nemo", {"status": "success", "rails_status": {}}, {"slm.verdict": "allow"}),
        (
            "lakera",
            LAKERA,
            {
                "slm.verdict": "flag",
                "slm.guard.reasons": ["prompt_attack", "pii/credit_card"],
                "event.outcome": "success",
            },
        ),
        ("lakera", {"flagged": False, "metadata": {"request_uuid": UUID}}, {"slm.verdict": "allow"}),
        ("presidio", PRESIDIO, {"slm.verdict": "flag", "slm.guard.reasons": ["CREDIT_CARD", "PERSON"]}),
        ("presidio", [], {"slm.verdict": "allow", "slm.attributes": None}),
        ("presidio", [PRESIDIO, []], {"slm.verdict": "flag"}),
        (
            "presidio",
            {"text": RAW, "items": [{"entity_type": "PERSON", "text": RAW}]},
            {"slm.guard.reasons": ["PERSON"]},
        ),
        (
            "kong",
            KONG,
            {
                "slm.verdict": "block",
                "slm.guard.reasons": ["moderated_content/hate"],
                "slm.guard.point": "request",
                "slm.latency_ms": 78,
            },
        ),
        (
            "kong",
            {"output_processing_latency": 7, "mode": "BOTH"},
            {"slm.verdict": "allow", "slm.guard.point": "answer"},
        ),
        ("kong", {"pii_identified": 2, "duration": 15}, {"slm.verdict": "flag", "slm.latency_ms": 15}),
        (
            "litellm",
            LITELLM,
            {
                "slm.verdict": "flag",
                "slm.guard.reasons": ["CREDIT_CARD"],
                "slm.guard.point": "request",
                "slm.guardrail.name": "presidio-pre",
                "slm.latency_ms": 12,
            },
        ),
        (
            "litellm",
            {"guardrail_name": "g", "guardrail_status": "guardrail_intervened", "guardrail_mode": "post_call"},
            {"slm.verdict": "block", "slm.guard.point": "answer", "event.reason": "guardrail_intervened"},
        ),
        (
            "litellm",
            {"guardrail_name": "g", "guardrail_status": "guardrail_failed_to_respond"},
            {"slm.verdict": "flag", "event.outcome": "failure", "error.type": "guardrail_failed_to_respond"},
        ),
    ],
)
def test_shapes(shape: str, answer: Any, expected: dict[str, Any]) -> None:
    event = events.parse(external.fields(shape, {"answer": answer}), 0)
    assert event["slm.kind"] == "policy"
    assert {name: event.get(name) for name in expected} == expected
    assert RAW not in json.dumps(event)


def test_what_kong_was_told_to_log_goes_where_it_is_redacted() -> None:
    event = external.kong({**KONG, "input_faulty_prompt": RAW}, "lakera-guard")
    assert event["slm.attributes"].pop("input_faulty_prompt") == RAW
    assert RAW not in str(event)


def test_fields_of_whom_it_is_about_go_along_and_say_what_came_of_it() -> None:
    about = {"trace.id": "t", "user": {"id": "alice"}, "slm.verdict": "block", "slm.kind": "auth"}
    event = events.parse(external.fields("lakera", {"answer": LAKERA, "event": about}), 0)
    assert (event["slm.kind"], event["slm.verdict"], event["user.id"], event["trace.id"]) == (
        "policy",
        "block",
        "alice",
        "t",
    )


@pytest.mark.parametrize(
    ("shape", "given_json"),
    [
        ("llama_guard", {"answer": "I can't say"}),
        ("llama_guard", {"answer": None}),
        ("nemo", {"answer": {"response": "hi"}}),
        ("lakera", {"answer": {"flagged": "yes"}}),
        ("presidio", {"answer": {"text": "x"}}),
        ("presidio", {"answer": [{"start": 1}]}),
        ("kong", {"answer": "blocked"}),
        ("litellm", {"answer": {}}),
        ("lakera", LAKERA),
        ("lakera", {"answer": LAKERA, "event": []}),
        ("lakera", []),
    ],
    ids=range(11),
)
def test_what_is_no_verdict_is_refused(shape: str, given_json: Any) -> None:
    with pytest.raises(EventError) as refused:
        external.fields(shape, given_json)
    assert refused.value.reason == "not_a_verdict"


KEYS = st.sampled_from(
    "choices message content response log activated_rails stats total_duration status rails_status rail name type stop "
    "flagged payload breakdown detected detector_type metadata items entity_type score input_block_reason mode "
    "input_block_detail output_masked guards_triggered_count guardrail_name guardrail_status masked_entity_count "
    "rails".split()
)
ANSWERS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["unsafe", "blocked"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None, max_examples=100)
@given(st.sampled_from(sorted(external.SHAPES)), ANSWERS)
def test_any_answer_is_an_event_or_refused(shape: str, answer: Any) -> None:
    try:
        made = external.fields(shape, {"answer": answer})
    except EventError as error:
        assert error.reason == "not_a_verdict"
    else:
        events.parse(made, 0)
