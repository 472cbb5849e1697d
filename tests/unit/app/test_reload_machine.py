"""Policy and rules that change on disk in any way: in force is what a fresh start would take, or what was before."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from builders import NoRedaction
from slmtrail.app import parts
from slmtrail.app.running import law, reload
from slmtrail.core import policy
from slmtrail.core.errors import SettingsError
from slmtrail.core.settings import Settings, StreamSettings
from slmtrail.core.trust import Trust
from slmtrail.stream.process import Desk

EXAMPLES = int(os.environ.get("SLMTRAIL_FAULT_ROUNDS", "1")) * 15
POLICY = "version: '{}'\nroles: {{anyone: {{allow: {{models: ['{}']}}}}}}\n"
RULE = """
id: names-{0}
name: Somebody asks {0}
detects: Somebody asks the model that nobody should.
reference: [OWASP LLM02:2025]
severity: high
response: Ask them.
kinds: [inference]
subject: [user.id]
match: {{gen_ai.request.model: {0}}}
cases:
  - {{name: named, fires: true, record: {{slm.kind: inference, user.id: u, gen_ai.request.model: {1}}}}}
"""
MODELS = st.sampled_from(["phi", "qwen", "gemma"])
texts = st.one_of(
    st.builds(POLICY.format, st.sampled_from("abc"), MODELS),
    st.sampled_from(["", "roles: 7\n", "roles: {anyone", "- a list\n", "version: \x00\n", "a: &a [*a]\n"]),
)


class Office(RuleBasedStateMachine):
    """A policy file, a folder of rules, and the stream that looks at them."""

    def __init__(self) -> None:
        super().__init__()
        self.folder, self.patch, self.runner = TemporaryDirectory(), pytest.MonkeyPatch(), asyncio.Runner()
        self.file, self.rules = Path(self.folder.name, "policy.yaml"), Path(self.folder.name, "rules")
        self.rules.mkdir()
        self.file.write_text(POLICY.format("first", "phi"))
        self.settings = Settings(policy=self.file, stream=StreamSettings(rules=self.rules))
        rules, judge = self.fresh()
        trust = Trust(Path(self.folder.name, "trust.json"))
        self.desk = Desk(trust, X25519PrivateKey.generate(), NoRedaction(), judge, rules)
        self.patch.setattr(reload, "LOOK_S", 0)
        self.looks = 0

        def counted(given: Settings) -> law.Stamp:
            self.looks += 1
            return law.stamp(given)

        self.patch.setattr(reload, "stamp", counted)
        self.lawbook = reload.Lawbook(self.settings)
        self.renewing: asyncio.Task[Desk] | None = None

    def fresh(self) -> tuple[policy.Policy, Any]:
        """What a stream that starts now would take."""
        rules = policy.load(self.settings.policy)
        return rules, parts.open_judge(self.settings, rules)

    @rule(text=texts, at_once=st.booleans())
    def write(self, text: str, at_once: bool) -> None:
        if at_once:
            other = self.file.with_suffix(".new")
            other.write_text(text)
            other.replace(self.file)
        else:
            self.file.write_text(text)

    @rule()
    def write_slowly(self) -> None:
        """It is looked at while half of it is there."""
        text = POLICY.format("slow", "phi")
        with self.file.open("w") as file:
            for piece in (text[:9], text[9:40], text[40:]):
                file.write(piece)
                file.flush()
                self.look(1)

    @rule()
    def remove(self) -> None:
        self.file.unlink(missing_ok=True)

    @rule(name=MODELS, cased=MODELS)
    def put_rule(self, name: str, cased: str) -> None:
        """One whose case is of another model does not do what it says, and is refused."""
        (self.rules / name).mkdir(exist_ok=True)
        (self.rules / name / "rule.yaml").write_text(RULE.format(name, cased))

    @rule(name=MODELS)
    def remove_rule(self, name: str) -> None:
        (self.rules / name / "rule.yaml").unlink(missing_ok=True)

    @rule()
    def come_to_rest(self) -> None:
        self.look(4)
        now = self.digests()
        assert (self.desk.policy.digest, self.desk.judge.digest) == now or now is None

    def digests(self) -> tuple[str, str] | None:
        """Of policy and rules as they lie there; None where they can't be used."""
        try:
            rules, judge = self.fresh()
        except SettingsError:
            return None
        return rules.digest, judge.digest

    def look(self, times: int) -> None:
        """Lets it look at the files so many times after it last took them up."""

        async def looking() -> bool:
            renewing = self.renewing = self.renewing or asyncio.ensure_future(self.lawbook.renewed(self.desk))
            end = self.looks + times
            while self.looks < end and not renewing.done():  # noqa: ASYNC110
                await asyncio.sleep(0)
            return renewing.done()

        while self.runner.run(looking()):
            assert self.renewing is not None
            self.desk, self.renewing = self.renewing.result(), None

    def teardown(self) -> None:
        try:
            self.come_to_rest()
        finally:
            if self.renewing is not None:
                self.renewing.cancel()
            self.runner.close()
            self.patch.undo()
            self.folder.cleanup()


Office.TestCase.settings = settings(max_examples=EXAMPLES, stateful_step_count=15, deadline=None)
TestReload: Any = Office.TestCase
