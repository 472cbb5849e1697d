"""The guard as its operator has it: a policy file that changes, decisions that reach every sidecar, records of both."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from certificates import certificate
from servers.model import Model, serving
from servers.sidecars import before
from slmtrail.collectors.guard.gate import Gate
from slmtrail.collectors.guard.identity import Identifier, IdentityOptions
from slmtrail.collectors.sidecar.options import SidecarOptions
from slmtrail.core import policy
from trails import EmbeddedTrail, Trail, eventually

KEY = "sk-helpdesk-0123456789"
OBEYED_S = 5
FIRST = "version: first\nroles: {anyone: {allow: {models: [echo]}}}\n"
SECOND = "version: second\nroles: {anyone: {allow: {models: [think]}}}\n"


@pytest.fixture(scope="module")
def model() -> Iterator[Model]:
    with serving() as made:
        yield made


class Guarded:
    """A trail, and the port of an enrolled sidecar beside a model."""

    def __init__(self, gateway: EmbeddedTrail, file: Path, port: int) -> None:
        self.gateway, self.file, self.port = gateway, file, port

    def ask(self, model: str) -> tuple[int, Any]:
        """Status and body of a chat."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        body = json.dumps({"model": model, "messages": [{"role": "user", "content": "tell me more"}]})
        connection.request("POST", "/v1/chat/completions", body, {"authorization": f"Bearer {KEY}"})
        answer = connection.getresponse()
        data = json.loads(answer.read())
        connection.close()
        return answer.status, data

    def until(self, model: str, status: int) -> float:
        """How many seconds pass until the answer is of that status."""
        began = time.monotonic()
        eventually(f"{model} is answered with {status}", lambda: self.ask(model)[0] == status)
        return time.monotonic() - began

    def records(self, *arguments: str) -> list[dict[str, Any]]:
        """What a search finds, as soon as it finds something."""
        found: list[dict[str, Any]] = eventually(f"{arguments} is found", lambda: self.gateway.search(*arguments))
        return found


@pytest.fixture(scope="module")
def trail(tmp_path_factory: pytest.TempPathFactory, model: Model) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("guard")
    gateway = EmbeddedTrail(folder / "gateway")
    token = gateway.run("enrol-token", "--environment", "prod").stdout.strip()
    gateway.start()
    file = folder / "policy.yaml"
    file.write_text(FIRST)
    pod = Trail(
        folder / "pod",
        SLMTRAIL_COLLECTOR_NAME="pod-1",
        SLMTRAIL_BUS_URL=f"sqlite:{gateway.data / 'bus.sqlite'}",
        SLMTRAIL_ENROLMENT_TOKEN=token,
        SLMTRAIL_POLICY=str(file),
    )
    try:
        enrolled = pod.run("enrol", "--at", gateway.address)
        assert enrolled.returncode == 0, enrolled.stderr
        sidecar = pod.process("sidecar", "sidecar", "--port", "0", "--upstream", model.url)
        sidecar.start()
        yield Guarded(gateway, file, int(sidecar.wait_for(r"recording at http://127\.0\.0\.1:(\d+)")))
    finally:
        pod.stop()
        gateway.stop()


def test_what_the_policy_forbids_is_refused_and_on_record(trail: Guarded, model: Model) -> None:
    assert trail.ask("echo")[0] == 200
    served = model.served
    status, answer = trail.ask("think")
    assert (status, answer["error"]["code"]) == (403, "model-not-allowed")
    assert model.served == served
    (verdict,) = (one for one in trail.records("--kind", "policy") if one["slm.verdict"] == "block")
    assert verdict["rule.id"] == "model-not-allowed"
    assert verdict["slm.guard.policy"] == policy.parse(FIRST, "first").digest
    (login,) = trail.records("--kind", "auth")
    assert login["slm.key.hash"] == verdict["slm.key.hash"]
    assert {one["slm.collector.id"] for one in trail.records("--kind", "config")} >= {"pod-1"}


def test_a_changed_policy_is_followed_and_a_broken_one_is_not(trail: Guarded) -> None:
    trail.file.write_text(SECOND)
    trail.until("think", 200)
    assert trail.ask("echo")[0] == 403
    trail.file.write_text("roles: 7\n")
    refused = eventually(
        "the broken policy is on record",
        lambda: [one for one in trail.gateway.search("--kind", "config") if one["event.action"] == "policy_refused"],
    )
    assert "roles" in refused[0]["event.reason"]
    assert trail.ask("think")[0] == 200
    trail.file.write_text(FIRST)
    trail.until("echo", 200)


def test_a_key_that_is_shut_out_is_refused_within_seconds(trail: Guarded) -> None:
    hashed = trail.records("--kind", "auth")[0]["slm.key.hash"]
    closed = trail.gateway.run("control", "close", f"key:{hashed}", "--reason", "leaked")
    assert closed.returncode == 0, closed.stderr
    assert trail.until("echo", 403) < OBEYED_S * 4  # seconds are promised for a machine that is not so busy
    assert "leaked" in trail.ask("echo")[1]["error"]["message"]
    trail.gateway.run("control", "open", f"key:{hashed}")
    trail.until("echo", 200)
    assert trail.gateway.verify()["exit_code"] == 0


def test_a_client_is_known_by_its_certificate(tmp_path: Path, model: Model) -> None:
    ours, theirs = certificate(tmp_path, "server", server=True), certificate(tmp_path, "helpdesk")
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(ours.chain, ours.key)
    server.load_verify_locations(theirs.chain)
    server.verify_mode = ssl.CERT_OPTIONAL
    stranger, client = (ssl.create_default_context(cafile=ours.chain) for _ in range(2))
    client.load_cert_chain(theirs.chain, theirs.key)
    text = "version: '1'\nroles:\n  known: {who: {certificates: ['CN=help*']}}\n  anyone: {allow: {models: []}}\n"
    gate = Gate(policy.parse(text, "x"), Identifier(IdentityOptions(b"s" * 32)))
    body = json.dumps({"model": "echo", "messages": [{"role": "user", "content": "hi"}]})
    with before(SidecarOptions(model.url, client_tls=server), gate=gate) as made:
        for context, status in ((client, 200), (stranger, 403)):
            connection = http.client.HTTPSConnection("localhost", made.port, timeout=20, context=context)
            connection.request("POST", "/v1/chat/completions", body)
            assert connection.getresponse().status == status
            connection.close()
        event = made.event(lambda event: event.get("slm.identity.method") == "certificate")
        assert (event["user.id"], event["slm.identity.verified"]) == ("CN=helpdesk", True)
