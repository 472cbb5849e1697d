"""Policy and rules that change while the stream runs."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from slmtrail.core import policy
from trails import EmbeddedTrail, eventually

RULE = """
id: names-bluebird
name: Bluebird is asked
detects: Somebody asks the model that nobody should.
reference: [OWASP LLM02:2025]
severity: high
response: Ask them.
kinds: [inference]
subject: [trace.id]
match: {trace.id: t-*, gen_ai.request.model: bluebird}
cases:
  - {name: named, fires: true, record: {slm.kind: inference, trace.id: t-1, gen_ai.request.model: bluebird}}
"""
FIRST = "version: first\nroles: {anyone: {allow: {models: ['*']}}}\n"
SECOND = FIRST.replace("first", "second")


class Lawful:
    """A trail with a policy file and a folder of rules."""

    def __init__(self, folder: Path) -> None:
        self.file, self.rules = folder / "policy.yaml", folder / "rules"
        self.rules.mkdir(parents=True)
        self.file.write_text(FIRST)
        self.trail = EmbeddedTrail(
            folder / "trail", SLMTRAIL_POLICY=str(self.file), SLMTRAIL_STREAM_RULES=str(self.rules)
        )
        self._asked = 0

    def record(self, model: str = "phi-3") -> dict[str, Any]:
        """What becomes of a question that is put now."""
        self._asked += 1
        event = {
            "slm.kind": "inference",
            "gen_ai.request.model": model,
            "trace.id": f"t-{self._asked}",
            "gen_ai.input.messages": [{"role": "user", "content": "hello"}],
        }
        assert self.trail.post([event])[0] == 200
        where = f"trace:t-{self._asked} kind:inference"
        found: list[dict[str, Any]] = eventually(f"{where} is stored", lambda: self.trail.search(where))
        return found[0]


@pytest.fixture(scope="module")
def lawful(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lawful]:
    made = Lawful(tmp_path_factory.mktemp("lawful"))
    made.trail.start()
    yield made
    made.trail.stop()


def test_a_changed_policy_is_taken_up_and_on_record_and_a_broken_one_is_not(lawful: Lawful) -> None:
    first, second = (policy.parse(text, "x").digest for text in (FIRST, SECOND))
    assert lawful.record()["slm.policy.digest"] == first
    lawful.file.write_text(SECOND)
    eventually("the second policy judges", lambda: lawful.record()["slm.policy.digest"] == second)
    lawful.file.write_text("roles: 7\n")
    process = lawful.trail.process("up")
    process.wait_for(r"(policy or rules changed and can't be used)")
    (alert,) = eventually("an alert says so", lambda: lawful.trail.search("kind:alert rule.id:rule-failed"))
    assert "roles: input should be" in alert["message"]
    assert process._process is not None
    process._process.send_signal(signal.SIGHUP)
    assert lawful.record()["slm.policy.digest"] == second
    told = lawful.trail.search("kind:config slm.config.name:'policy and rules of the stream'".replace("'", '"'))
    assert [record["slm.config.digest"] for record in sorted(told, key=lambda one: one["@timestamp"])] == [
        first,
        second,
    ]
    lawful.file.write_text(FIRST)
    eventually("the first policy judges again", lambda: lawful.record()["slm.policy.digest"] == first)
    assert lawful.trail.verify()["exit_code"] == 0


def test_a_rule_that_is_put_there_fires(lawful: Lawful) -> None:
    assert "names-bluebird" not in lawful.record("bluebird").get("slm.flags", ())
    (lawful.rules / "names-bluebird").mkdir()
    (lawful.rules / "names-bluebird" / "rule.yaml").write_text(RULE)
    eventually("the rule fires", lambda: "names-bluebird" in lawful.record("bluebird").get("slm.flags", ()))
    (lawful.rules / "bad").mkdir()
    (lawful.rules / "bad" / "rule.yaml").write_text("match: [")
    eventually("an alert names the bad one", lambda: lawful.trail.search('kind:alert "the rule bad can\'t be used"'))
