"""Other systems' log lines, in the shapes they really have, and what becomes of them."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slmtrail.collectors.tail.formats.names import NAMES, named
from slmtrail.core.errors import SettingsError

NOW_MS = 1_700_000_000_000
FOREIGN = [name for name in NAMES if name not in ("slmtrail", "text")]

BEDROCK: dict[str, Any] = {
    "schemaType": "ModelInvocationLog",
    "schemaVersion": "1.0",
    "timestamp": "2026-01-02T03:04:05Z",
    "accountId": "123456789012",
    "region": "eu-west-1",
    "inferenceRegion": "eu-central-1",
    "requestId": "1c2b3a4d-0000-4000-8000-123456789abc",
    "operation": "Converse",
    "modelId": "anthropic.claude-3-haiku-20240307-v1:0",
    "identity": {"arn": "arn:aws:sts::123456789012:assumed-role/app/alice"},
    "requestMetadata": {"team": "support"},
    "input": {
        "inputContentType": "application/json",
        "inputBodyJson": {
            "messages": [{"role": "user", "content": [{"text": "What is our leave policy?"}]}],
            "system": [{"text": "Be brief."}],
            "inferenceConfig": {"maxTokens": 512, "temperature": 0.5, "topP": 0.9, "stopSequences": ["END"]},
        },
        "inputTokenCount": 27,
        "cacheReadInputTokenCount": 5,
    },
    "output": {
        "outputContentType": "application/json",
        "outputBodyJson": {
            "output": {"message": {"role": "assistant", "content": [{"text": "25 days."}]}},
            "stopReason": "end_turn",
            "metrics": {"latencyMs": 731},
            "usage": {"inputTokens": 27, "outputTokens": 4, "totalTokens": 31},
        },
        "outputTokenCount": 4,
    },
}
AZURE: dict[str, Any] = {
    "time": "2026-01-02T03:04:05.1234567Z",
    "resourceId": "/SUBSCRIPTIONS/0/RESOURCEGROUPS/AI/PROVIDERS/MICROSOFT.COGNITIVESERVICES/ACCOUNTS/X",
    "category": "RequestResponse",
    "operationName": "ChatCompletions_Create",
    "event": "ShoeboxCallResult",
    "resultSignature": "200",
    "durationMs": 812,
    "callerIpAddress": "192.168.10.***",
    "correlationId": "b1946ac9-2492-4d23-8f5c-aaaaaaaaaaaa",
    "location": "westeurope",
    "Tenant": "westeurope",
    "properties": json.dumps(
        {
            "apiName": "Azure OpenAI API version 2024-02-01",
            "requestTime": 638392394991234567,
            "requestLength": 310,
            "responseTime": 638392395000000000,
            "responseLength": 911,
            "objectId": "6f0a-alice",
            "modelDeploymentName": "support-gpt4o-mini",
            "modelName": "gpt-4o-mini",
            "modelVersion": "2024-07-18",
            "streamType": "Non-Streaming",
        }
    ),
}
CHAT = {"messages": [{"role": "user", "content": "Hello?"}], "temperature": 0.2, "max_tokens": 50}
ANSWER = {
    "id": "chatcmpl-1",
    "model": "gpt-4o-mini-2024-07-18",
    "choices": [
        {
            "message": {"role": "assistant", "content": "Hi."},
            "finish_reason": "stop",
            "content_filter_results": {"hate": {"filtered": False, "severity": "safe"}},
        }
    ],
    "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11},
}
GATEWAY: dict[str, Any] = {
    "time": "2026-01-02T03:04:05.1234567Z",
    "category": "GatewayLogs",
    "operationName": "Microsoft.ApiManagement/GatewayLogs",
    "callerIpAddress": "203.0.113.9",
    "correlationId": "c-1",
    "durationMs": 901,
    "properties": {
        "method": "POST",
        "url": "https://apim.example/openai/deployments/chat-mini/chat/completions?api-version=2024-02-01",
        "responseCode": 200,
        "backendResponseCode": 200,
        "backendTime": 880,
        "apiId": "openai",
        "apimSubscriptionId": "team-a",
        "requestSize": 400,
        "responseSize": 800,
        "requestBody": json.dumps(CHAT),
        "backendResponseBody": json.dumps(ANSWER),
    },
}
KONG: dict[str, Any] = {
    "started_at": 1767323045678,
    "client_ip": "198.51.100.7",
    "request": {"id": "req-1", "method": "POST", "uri": "/chat", "size": "512", "headers": {"user-agent": "curl/8"}},
    "response": {"status": 200, "size": 999, "headers": {}},
    "latencies": {"request": 1200, "proxy": 1190, "kong": 10},
    "consumer": {"id": "c-9", "username": "alice"},
    "route": {"name": "chat"},
    "service": {"name": "llm"},
    "ai": {
        "proxy": {
            "payload": {"request": json.dumps(CHAT), "response": json.dumps(ANSWER)},
            "usage": {
                "prompt_tokens": 9,
                "completion_tokens": 2,
                "total_tokens": 11,
                "cost": 0.00012345,
                "time_per_token": 22.5,
                "time_to_first_token": 310,
            },
            "meta": {
                "request_model": "mistral-tiny",
                "response_model": "mistral-tiny-2312",
                "provider_name": "mistral",
                "plugin_id": "p-1",
                "llm_latency": 1100,
                "request_mode": "oneshot",
            },
        }
    },
}
LITELLM: dict[str, Any] = {
    "id": "chatcmpl-7",
    "trace_id": "trace-7",
    "call_type": "acompletion",
    "stream": True,
    "status": "success",
    "response_cost": 0.000025,
    "total_tokens": 30,
    "prompt_tokens": 20,
    "completion_tokens": 10,
    "startTime": 1767323045.678,
    "endTime": 1767323046.928,
    "completionStartTime": 1767323045.999,
    "model": "gpt-4o-mini",
    "model_id": "m-1",
    "model_group": "small",
    "custom_llm_provider": "openai",
    "api_base": "https://api.openai.example",
    "metadata": {
        "user_api_key_hash": "88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b",
        "user_api_key_alias": "support-bot",
        "user_api_key_user_id": "alice",
        "user_api_key_team_id": "team-1",
        "applied_guardrails": ["presidio-pre"],
    },
    "guardrail_information": [
        {
            "guardrail_name": "presidio-pre",
            "guardrail_mode": "pre_call",
            "guardrail_status": "success",
            "duration": 0.012,
        }
    ],
    "cache_hit": False,
    "end_user": "customer-5",
    "requester_ip_address": "203.0.113.20",
    "messages": [{"role": "user", "content": "Hello?"}],
    "response": ANSWER,
    "error_str": None,
    "model_parameters": {"temperature": 0.7, "max_tokens": 100},
    "hidden_params": {"litellm_overhead_time_ms": 2.1},
}
ENVOY: dict[str, Any] = {
    "start_time": "2026-01-02T03:04:05.678Z",
    "method": "POST",
    "x-envoy-origin-path": "/v1/chat/completions",
    "response_code": 200,
    "duration": 1234,
    "bytes_received": 300,
    "bytes_sent": 900,
    "user-agent": "openai-python",
    "x-request-id": "5f0c",
    "x-forwarded-for": "10.9.9.9,192.0.2.4",
    "downstream_remote_address": "10.0.0.1:41234",
    "upstream_host": "10.0.0.9:443",
    "response_flags": "-",
    "gen_ai.request.model": "llama3",
    "gen_ai.response.model": "llama3-8b",
    "gen_ai.provider.name": "openai",
    "gen_ai.usage.input_tokens": 12,
    "gen_ai.usage.output_tokens": "34",
}
SAMPLES = {"bedrock": BEDROCK, "azure": AZURE, "kong": KONG, "litellm": LITELLM, "envoy": ENVOY}


def read(name: str, given: Any) -> list[dict[str, Any]]:
    taken = named(name, 1 << 20).events([orjson.dumps(given)], NOW_MS)
    assert not taken.refused, str(taken.refused[0][1])
    return [orjson.loads(line) for line in taken.lines]


def reason(name: str, given: Any) -> str:
    entry = given if isinstance(given, bytes) else orjson.dumps(given)
    taken = named(name, 1 << 20).events([entry], NOW_MS)
    assert not taken.lines
    return taken.refused[0][1].reason


def holds(event: dict[str, Any], expected: dict[str, Any]) -> None:
    assert {name: event.get(name) for name in expected} == expected


def said(event: dict[str, Any], field: str = "gen_ai.output.messages") -> list[str]:
    return [part.get("content") for message in event[field] for part in message["parts"]]


def changed(sample: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {name: value for name, value in (sample | fields).items() if value is not None}


# Bedrock


def test_bedrock_converse() -> None:
    [event] = read("bedrock", BEDROCK)
    holds(
        event,
        {
            "@timestamp": "2026-01-02T03:04:05.000Z",
            "slm.kind": "inference",
            "event.outcome": "success",
            "user.id": "arn:aws:sts::123456789012:assumed-role/app/alice",
            "gen_ai.provider.name": "aws.bedrock",
            "gen_ai.request.model": "anthropic.claude-3-haiku-20240307-v1:0",
            "gen_ai.request.stream": False,
            "gen_ai.request.temperature": 0.5,
            "gen_ai.request.max_tokens": 512,
            "gen_ai.request.stop_sequences": ["END"],
            "gen_ai.usage.input_tokens": 27,
            "gen_ai.usage.cache_read.input_tokens": 5,
            "gen_ai.usage.output_tokens": 4,
            "gen_ai.response.finish_reasons": ["end_turn"],
            "gen_ai.system_instructions": "Be brief.",
            "slm.latency_ms": 731,
        },
    )
    assert event["labels"]["region"] == "eu-west-1"
    assert said(event) == ["25 days."]
    assert said(event, "gen_ai.input.messages") == ["What is our leave policy?"]


def test_bedrock_anthropic_body_and_its_stream() -> None:
    body = {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 99,
        "messages": [{"role": "user", "content": "Hi"}],
    }
    pieces = [
        {"type": "message_start", "message": {"role": "assistant"}},
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "Hel"}},
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "lo"}},
        {"type": "message_delta", "delta": {"stop_reason": "max_tokens"}},
    ]
    [event] = read(
        "bedrock",
        changed(
            BEDROCK,
            operation="InvokeModelWithResponseStream",
            input={"inputBodyJson": body, "inputTokenCount": "3"},
            output={"outputBodyJson": pieces},
        ),
    )
    holds(event, {"gen_ai.request.stream": True, "gen_ai.request.max_tokens": 99, "gen_ai.usage.input_tokens": 3})
    assert said(event) == ["Hello"]
    assert event["gen_ai.response.finish_reasons"] == ["max_tokens"]


def test_bedrock_guardrail_and_failure() -> None:
    answer = {
        "output": {"message": {"role": "assistant", "content": [{"text": "Sorry."}]}},
        "stopReason": "guardrail_intervened",
        "trace": {"guardrail": {"inputAssessment": {"g-1": {"topicPolicy": {"topics": [{"name": "x"}]}}}}},
    }
    inference, verdict = read("bedrock", changed(BEDROCK, output={"outputBodyJson": answer}))
    holds(verdict, {"slm.kind": "policy", "slm.verdict": "block", "user.id": inference["user.id"]})
    [failed] = read("bedrock", changed(BEDROCK, errorCode="ThrottlingException", output=None))
    holds(failed, {"event.outcome": "failure", "error.type": "ThrottlingException"})


# Azure


def test_azure_request_response() -> None:
    [event] = read("azure", AZURE)
    holds(
        event,
        {
            "@timestamp": "2026-01-02T03:04:05.123Z",
            "slm.kind": "inference",
            "event.outcome": "success",
            "event.action": "ChatCompletions_Create",
            "user.id": "6f0a-alice",
            "source.ip": None,
            "gen_ai.request.model": "support-gpt4o-mini",
            "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
            "gen_ai.request.stream": False,
            "slm.latency_ms": 812,
            "http.response.status_code": 200,
            "trace.id": "b1946ac9-2492-4d23-8f5c-aaaaaaaaaaaa",
        },
    )


def test_azure_refused_and_audit() -> None:
    inference, auth = read("azure", changed(AZURE, resultSignature="401"))
    assert (inference["event.outcome"], auth["slm.kind"], auth["event.outcome"]) == ("failure", "auth", "failure")
    [listed] = read("azure", {"time": AZURE["time"], "category": "Audit", "operationName": "ListKey"})
    holds(listed, {"slm.kind": "auth", "event.action": "ListKey", "event.outcome": "unknown"})


def test_apim_gateway_logs_with_bodies() -> None:
    event, verdict = read("azure", GATEWAY)
    holds(
        event,
        {
            "gen_ai.request.model": "chat-mini",
            "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
            "gen_ai.usage.input_tokens": 9,
            "gen_ai.request.temperature": 0.2,
            "gen_ai.response.finish_reasons": ["stop"],
            "source.ip": "203.0.113.9",
            "slm.latency_ms": 901,
        },
    )
    assert said(event) == ["Hi."] and said(event, "gen_ai.input.messages") == ["Hello?"]
    holds(verdict, {"slm.kind": "policy", "slm.verdict": "allow"})


def test_apim_streamed_answer_and_content_filter() -> None:
    pieces = [
        {"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"content": text}}]} for text in ("Go", "od", "")
    ] + [{"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 1}}]
    stream = "".join(f"data: {json.dumps(piece)}\n\n" for piece in pieces) + "data: [DONE]\n\n"
    properties = GATEWAY["properties"] | {"backendResponseBody": stream}
    [event] = read("azure", changed(GATEWAY, properties=properties))
    assert said(event) == ["Good"]
    refusal = {
        "error": {
            "code": "content_filter",
            "message": "The response was filtered",
            "innererror": {"content_filter_result": {"jailbreak": {"filtered": True, "detected": True}}},
        }
    }
    properties = GATEWAY["properties"] | {"responseCode": 400, "backendResponseBody": json.dumps(refusal)}
    event, verdict = read("azure", changed(GATEWAY, properties=json.dumps(properties)))
    holds(event, {"event.outcome": "failure", "error.type": "content_filter"})
    holds(verdict, {"slm.verdict": "block", "slm.guardrail.name": "azure.content_filter"})


# Kong


@pytest.mark.parametrize("dotted", [False, True])
def test_kong(dotted: bool) -> None:
    given = KONG
    if dotted:
        given = {name: value for name, value in KONG.items() if name != "ai"}
        for part, values in KONG["ai"]["proxy"].items():
            given |= {f"ai.proxy.{part}.{name}": value for name, value in values.items()}
    [event] = read("kong", given)
    holds(
        event,
        {
            "@timestamp": "2026-01-02T03:04:05.678Z",
            "user.id": "alice",
            "source.ip": "198.51.100.7",
            "gen_ai.request.model": "mistral-tiny",
            "gen_ai.response.model": "mistral-tiny-2312",
            "gen_ai.provider.name": "mistral",
            "gen_ai.usage.input_tokens": 9,
            "gen_ai.usage.output_tokens": 2,
            "slm.cost_usd": 0.0001,
            "slm.latency_ms": 1100,
            "slm.time_to_first_token_ms": 310,
            "gen_ai.request.stream": False,
            "slm.request_bytes": 512,
        },
    )
    assert said(event) == ["Hi."]


def test_kong_guards_and_refusals() -> None:
    guards = {
        "sanitizer": {"pii_identified": 2, "pii_sanitized": 2, "duration": 15},
        "azure-content-safety": {"mode": "request", "input_block_reason": "hate", "input_faulty_prompt": "raw text"},
        "aws-guardrails": {"mode": "request", "guards_triggered_count": 0},
    }
    events = read("kong", changed(KONG, ai=guards | KONG["ai"]))
    assert {event.get("slm.guardrail.name"): event.get("slm.verdict") for event in events[1:]} == {
        "sanitizer": "flag",
        "azure-content-safety": "block",
        "aws-guardrails": "allow",
    }
    [blocked] = [event for event in events if event.get("slm.verdict") == "block"]
    assert blocked["event.reason"] == "hate"
    assert "raw text" not in str({name: value for name, value in blocked.items() if name != "slm.attributes"})
    beside = {"lakera-guard": {"input_processing_latency": 72}, "guardrail_triggered": {"blocked_content": "raw text"}}
    inference, passed = read("kong", changed(KONG, ai={"proxy": KONG["ai"]["proxy"] | beside}))
    holds(passed, {"slm.verdict": "allow", "slm.guardrail.name": "lakera-guard", "slm.latency_ms": 72})
    assert "raw text" not in str([inference, passed])
    [refused] = read("kong", changed(KONG, ai=None, response={"status": 401}))
    holds(refused, {"slm.kind": "auth", "event.outcome": "failure"})
    assert reason("kong", changed(KONG, ai=None)) == "no_model"


# LiteLLM


def test_litellm() -> None:
    event, verdict = read("litellm", LITELLM)
    holds(
        event,
        {
            "@timestamp": "2026-01-02T03:04:05.678Z",
            "event.outcome": "success",
            "user.id": "alice",
            "enduser.pseudo.id": "customer-5",
            "source.ip": "203.0.113.20",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o-mini",
            "gen_ai.response.id": "chatcmpl-7",
            "gen_ai.usage.input_tokens": 20,
            "gen_ai.usage.output_tokens": 10,
            "gen_ai.request.temperature": 0.7,
            "slm.latency_ms": 1250,
            "slm.time_to_first_token_ms": 321,
            "gen_ai.request.stream": True,
        },
    )
    assert event["labels"]["key_alias"] == "support-bot"
    assert said(event) == ["Hi."]
    holds(verdict, {"slm.verdict": "allow", "slm.guardrail.name": "presidio-pre", "slm.latency_ms": 12})


@pytest.mark.parametrize(
    ("status", "verdict"),
    [("guardrail_intervened", "block"), ("guardrail_failed_to_respond", "flag"), ("new_word", "flag")],
)
def test_litellm_verdicts(status: str, verdict: str) -> None:
    told = {"guardrail_name": "g", "guardrail_status": status}
    assert read("litellm", changed(LITELLM, guardrail_information=told))[1]["slm.verdict"] == verdict


def test_litellm_failure_and_refused_key() -> None:
    fault = {"error_code": "401", "error_class": "AuthenticationError"}
    inference, auth = read(
        "litellm",
        changed(
            LITELLM,
            status="failure",
            error_information=fault,
            error_str="bad key",
            response=None,
            guardrail_information=None,
        ),
    )
    holds(inference, {"event.outcome": "failure", "error.type": "AuthenticationError", "error.message": "bad key"})
    holds(auth, {"slm.kind": "auth", "event.outcome": "failure", "user.id": "alice"})


# Envoy AI Gateway


def test_envoy() -> None:
    [event] = read("envoy", ENVOY)
    holds(
        event,
        {
            "@timestamp": "2026-01-02T03:04:05.678Z",
            "gen_ai.request.model": "llama3",
            "gen_ai.response.model": "llama3-8b",
            "gen_ai.usage.output_tokens": 34,
            "source.ip": "192.0.2.4",
            "slm.latency_ms": 1234,
            "trace.id": "5f0c",
            "event.outcome": "success",
        },
    )


def test_envoy_refusals() -> None:
    inference, auth = read("envoy", changed(ENVOY, response_code=403, response_flags="UAEX"))
    assert (inference["event.outcome"], auth["slm.kind"]) == ("failure", "auth")
    policy = read("envoy", changed(ENVOY, response_code=429, response_flags="RL"))[1]
    holds(policy, {"slm.kind": "policy", "slm.verdict": "block", "event.action": "rate_limit"})
    assert reason("envoy", {"start_time": ENVOY["start_time"], "response_code": 200}) == "no_model"


# All of them


@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_something_else_is_refused(name: str) -> None:
    assert reason(name, b"[1]") == "not_an_object"
    assert reason(name, b"{") == "not_json"
    assert reason(name, {}) in ("another_format", "no_model")


JUNK = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**63),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=8),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["delta", "text", "role", "content", "usage", "choices", "error"]), inner),
    ),
    max_leaves=6,
)


@pytest.mark.parametrize("name", FOREIGN)
@given(data=st.data())
def test_missing_extra_and_absurd_fields_never_break_it(name: str, data: st.DataObject) -> None:
    """A line becomes events or a refusal, whatever stands in the place of any of its values."""
    sample = json.loads(json.dumps(SAMPLES[name] if data.draw(st.booleans()) or name != "azure" else GATEWAY))
    place: Any = sample
    while True:
        key = data.draw(st.sampled_from(sorted(place)))
        if isinstance(place[key], dict) and place[key] and data.draw(st.booleans()):
            place = place[key]
            continue
        place[key] = data.draw(JUNK)
        break
    taken = named(name, 1 << 20).events([orjson.dumps(sample | {"some_new_field": 1})], NOW_MS)
    assert bool(taken.lines) != bool(taken.refused)


# Text

PATTERN = (
    r"(?P<source_ip>\S+) (?P<user_id>\S+) \[(?P<timestamp>[^]]+)\] (?P<gen_ai_request_model>\S+) "
    r"(?P<slm_latency_ms>\d+)ms (?P<team>\S+)(?: temperature=(?P<gen_ai_request_temperature>\S+))?"
)


def test_text() -> None:
    form = named("text", 9999, PATTERN, {"slm.kind": "inference", "event.outcome": "success"}, "%d/%b/%Y:%H:%M:%S %z")
    lines = [b"192.0.2.1 alice [02/Jan/2026:04:04:05 +0100] phi-3 17ms red temperature=0.25\r", b"other", b"\xff"]
    taken = form.events([*lines, lines[0].replace(b"Jan", b"Foo"), lines[0].replace(b"192.0.2.1", b"host")], NOW_MS)
    assert [orjson.loads(line) for line in taken.lines] == [
        {
            "@timestamp": "2026-01-02T03:04:05.000Z",
            "event.outcome": "success",
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "phi-3",
            "gen_ai.request.temperature": 0.25,
            "labels": {"team": "red"},
            "slm.kind": "inference",
            "slm.latency_ms": 17,
            "source.ip": "192.0.2.1",
            "user.id": "alice",
        }
    ]
    reasons = [(index, error.reason) for index, error in taken.refused]
    assert reasons == [(1, "no_match"), (2, "not_utf8"), (3, "bad_time"), (4, "invalid")]


@pytest.mark.parametrize(
    ("name", "given", "text"),
    [
        ("text", {}, "needs a pattern"),
        ("text", {"pattern": "("}, "no regular expression"),
        ("text", {"pattern": "x"}, "no named group"),
        ("text", {"pattern": "(?P<message>.*)"}, "which kind"),
        ("text", {"pattern": "(?P<message>.*)", "fixed": {"user.idd": "x"}}, "no such field"),
        ("kong", {"pattern": "(?P<message>.*)"}, "shape of its own"),
        ("splunk", {}, "no such format"),
    ],
)
def test_what_can_not_be_is_said(name: str, given: dict[str, Any], text: str) -> None:
    with pytest.raises(SettingsError, match=text):
        named(name, 9999, **given)
