"""Other programs send to a running `slmtrail up`: instrumented clients leave the records that a sidecar makes."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from itertools import product
from typing import Any
from urllib.parse import urlsplit

import pytest

from servers.model import CALL, Model, serving
from servers.sidecars import before
from slmtrail.collectors.sidecar.options import SidecarOptions
from trails import EmbeddedTrail, eventually

CLIENT = """
import sys
import openai
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

receiver, model, instrumentation = sys.argv[1:]
provider = TracerProvider(resource=Resource.create({"service.name": instrumentation}))
exporter = OTLPSpanExporter(endpoint=receiver + "/v1/traces", compression=Compression.Gzip)
provider.add_span_processor(BatchSpanProcessor(exporter))
if instrumentation == "openinference":
    from openinference.instrumentation.openai import OpenAIInstrumentor
else:
    from opentelemetry.instrumentation.openai import OpenAIInstrumentor
OpenAIInstrumentor().instrument(tracer_provider=provider)

client = openai.OpenAI(base_url=model + "/v1", api_key="none", max_retries=0)
messages = [{"role": "system", "content": "be brief"}, {"role": "user", "content": "say one two three"}]
weather = {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}
client.chat.completions.create(model="echo", messages=messages, temperature=0.5, max_tokens=20)
list(client.chat.completions.create(
    model="echo-stream", messages=messages, stream=True, stream_options={"include_usage": True}
))
client.chat.completions.create(model="tools", messages=messages, tools=[{"type": "function", "function": weather}])
client.embeddings.create(model="echo-embed", input="a text", encoding_format="float")
try:
    client.chat.completions.create(model="error-429", messages=messages)
except openai.RateLimitError:
    pass
provider.shutdown()
"""
INSTRUMENTATIONS = ("openllmetry", "openinference")
MODELS = ("echo", "echo-stream", "tools", "echo-embed", "error-429")
SAME = (
    "slm.kind event.outcome gen_ai.operation.name gen_ai.request.model gen_ai.response.id gen_ai.request.temperature "
    "gen_ai.request.max_tokens gen_ai.usage.input_tokens gen_ai.usage.output_tokens"
).split()


@pytest.fixture(scope="module")
def model() -> Iterator[Model]:
    with serving() as made:
        yield made


@pytest.fixture(scope="module")
def trail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedTrail]:
    made = EmbeddedTrail(tmp_path_factory.mktemp("receivers"), SLMTRAIL_INGEST_SYSLOG_PORT="0")
    made.start()
    yield made
    made.stop()


def known(event: dict[str, Any]) -> dict[str, Any]:
    """What both tell alike. The conventions call an answer's end `tool_call` where the API says `tool_calls`."""
    ends = [reason.removesuffix("s") for reason in event.get("gen_ai.response.finish_reasons", [])]
    return {field: event.get(field) for field in SAME} | {"gen_ai.response.finish_reasons": ends}


def texts(event: dict[str, Any], side: str) -> list[tuple[str, list[Any]]]:
    """Who said what, and which tools were called with what."""
    return [
        (
            message["role"],
            [part.get("content") or (part["name"], json.loads(part["arguments"])) for part in message["parts"]],
        )
        for message in event.get(f"gen_ai.{side}.messages", [])
    ]


def test_instrumented_clients_leave_what_a_sidecar_sees(trail: EmbeddedTrail, model: Model) -> None:
    seen = {}
    with contextlib.ExitStack() as stack:
        sidecars = {name: stack.enter_context(before(SidecarOptions(model.url))) for name in INSTRUMENTATIONS}
        clients = {
            name: subprocess.Popen(
                [sys.executable, "-c", CLIENT, trail.address, f"http://127.0.0.1:{sidecar.port}", name],
                stderr=subprocess.PIPE,
                text=True,
            )
            for name, sidecar in sidecars.items()
        }
        for name, client in clients.items():
            _, said = client.communicate(timeout=120)
            assert (client.returncode, "export" in said.lower()) == (0, False), said
            seen[name] = {event["gen_ai.request.model"]: event for event in sidecars[name].events}

    def stored() -> list[dict[str, Any]] | None:
        records = trail.search("--kind", "inference")
        return records if len(records) == len(MODELS) * len(INSTRUMENTATIONS) else None

    records = eventually("all records are stored", stored)
    assert {(r["service.name"], r["gen_ai.request.model"]) for r in records} == set(product(INSTRUMENTATIONS, MODELS))
    for record in records:
        expected = seen[record["service.name"]][record["gen_ai.request.model"]]
        assert known(record) == known(expected)
        assert texts(record, "input") == texts(expected, "input")
        assert texts(record, "output") == texts(expected, "output")
        failed = record["gen_ai.request.model"] == "error-429"
        assert record["event.outcome"] == ("failure" if failed else "success")
    assert ("weather", CALL) in [call for r in records for _, parts in texts(r, "output") for call in parts]


def test_syslog_and_verdicts_of_other_guardrails_become_records(trail: EmbeddedTrail) -> None:
    port = int(trail.process("up").wait_for(r"taking syslog over TCP at 127.0.0.1 port (\d+)"))
    event = {"slm.kind": "auth", "event.action": "login", "event.outcome": "failure", "user.email": "alice@example.com"}
    with socket.create_connection(("127.0.0.1", port), timeout=30) as sock:
        message = f"<38>1 2026-01-02T03:04:05.678Z gate sshd 7 - - {json.dumps(event)}".encode()
        sock.sendall(b"%d %b<14>1 - gate cron 9 nightly - mail alice@example.com\n" % (len(message), message))
    address = urlsplit(trail.address)
    with contextlib.closing(http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)) as connection:
        verdict = {"answer": "unsafe\nS7", "event": {"trace.id": "t-1"}}
        connection.request("POST", "/v1/verdicts/llama_guard", json.dumps(verdict))
        assert connection.getresponse().status == 200

    def stored() -> list[dict[str, Any]] | None:
        found = [r for r in trail.search() if r["slm.kind"] in ("auth", "policy", "process")]
        return found if len(found) == 3 else None

    records = {record["slm.kind"]: record for record in eventually("all three are stored", stored)}
    assert (records["auth"]["host.name"], records["auth"]["service.name"]) == ("gate", "sshd")
    assert (records["process"]["slm.step.name"], records["policy"]["slm.guard.reasons"]) == ("nightly", ["S7"])
    assert "alice@example.com" not in str(records)
    assert trail.verify()["verified"]
