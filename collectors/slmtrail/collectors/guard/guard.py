"""The guard: decides by role and policy whether a request may pass, and watches what is answered."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import re2

from slmtrail.collectors.guard.asked import UNKNOWN_OPERATION, Asked
from slmtrail.collectors.guard.budgets import Budgets
from slmtrail.collectors.guard.caller import Caller
from slmtrail.collectors.guard.verdict import Decision, Reason
from slmtrail.core import personal
from slmtrail.core.guards import PatternRule, Place, Verdict, compiled
from slmtrail.core.policy import Policy
from slmtrail.core.roles import Role, matches
from slmtrail.core.secrets.matcher import SecretMatcher

BYTES_A_TOKEN = 4
SURE = 0.5
"""From this score on a secret counts as one."""

_SECRETS = SecretMatcher()


@dataclass(frozen=True, slots=True)
class Closed:
    """Keys and users that a signed decision shut out, with the reason."""

    keys: dict[str, str]
    users: dict[str, str]
    roles: dict[str, str]


NOBODY_CLOSED = Closed({}, {}, {})


class Ruled:
    """One role under one policy, with what has to be looked at worked out once."""

    def __init__(self, policy: Policy, name: str, role: Role) -> None:
        self.name = name
        self.role = role
        self._guard = policy.guard
        self.policy = policy.digest
        self._patterns: dict[Place, list[tuple[str, PatternRule, re2.Pattern]]] = {}
        for rule_name, rule in policy.guard.patterns.items():
            if matches(rule.roles, name):
                for place in rule.places:
                    self._patterns.setdefault(place, []).append((rule_name, rule, compiled(rule.pattern)))

    @cached_property
    def restricts(self) -> bool:
        """Whether what the request asks for has to be known: then one that can be read in two ways is refused."""
        allow, limits = self.role.allow, self.role.limits
        return (
            allow.models != ("*",)
            or allow.tools != ("*",)
            or bool(allow.parameters or allow.system_prompts)
            or any(limit is not None for limit in (limits.messages, limits.prompt_tokens))
            or any(rule.verdict == "block" for place in ("prompt", "system", "tools") for rule in self._rules(place))
            or "block" in (self._guard.secrets.prompt, self._guard.personal.prompt)
        )

    @cached_property
    def reads_body(self) -> bool:
        """Whether a request's body has to be seen before it is sent on."""
        limits = self.role.limits
        return (
            self.restricts
            or limits.prompt_bytes is not None
            or any(self._rules(place) for place in ("prompt", "system", "tools"))
            or "flag" in (self._guard.secrets.prompt, self._guard.personal.prompt)
        )

    @cached_property
    def reads_answer(self) -> bool:
        """Whether the answer has to be looked at while it passes."""
        sensitive = (self._guard.secrets.answer, self._guard.personal.answer)
        return bool(self._patterns.get("answer")) or any(verdict != "allow" for verdict in sensitive)

    def _rules(self, place: str) -> list[PatternRule]:
        return [rule for _, rule, _ in self._patterns.get(place, ())]  # type: ignore[call-overload]

    def decision(self, reasons: list[Reason], point: str = "request") -> Decision:
        """The decision that follows from some reasons."""
        return Decision(self.policy, self.name, self.role.risk, tuple(reasons), self._guard.enforce, point)

    def on_body(self, asked: Asked) -> list[Reason]:
        """What is wrong with what is asked."""
        return [*self._shape(asked), *self._limits(asked), *self._allowed(asked), *self._contents(asked)]

    def on_text(self, text: str, place: Place) -> Iterator[Reason]:
        """What is wrong with a text in a place."""
        for name, rule, pattern in self._patterns.get(place, ()):
            if (pattern.search(text) is not None) is not rule.required:
                told = (
                    rule.message or f"the {place} {'lacks what it must hold' if rule.required else 'is not permitted'}"
                )
                yield Reason(name, told, rule.verdict)
        point = "answer" if place == "answer" else "prompt"
        secrets, people = getattr(self._guard.secrets, point), getattr(self._guard.personal, point)
        if secrets != "allow" and (
            found := {secret.rule.type for secret in _SECRETS.find(text) if secret.score >= 0.5}
        ):
            yield _sensitive("secrets", point, found, secrets)
        if people != "allow" and (types := {type_ for type_, _, _ in personal.find(text)}):
            yield _sensitive("personal", point, types, people)

    def _shape(self, asked: Asked) -> Iterator[Reason]:
        if self.restricts:
            for oddity in asked.oddities:
                text = f"the body can't be judged ({oddity.replace('_', ' ')})"
                yield Reason("unreadable-request", text, status=400)

    def _limits(self, asked: Asked) -> Iterator[Reason]:
        limits = self.role.limits
        yield from self.over(asked.body_bytes)
        for rule, used, limit, what in (
            ("messages", asked.messages, limits.messages, "messages"),
            ("prompt-tokens", -(-asked.body_bytes // BYTES_A_TOKEN), limits.prompt_tokens, "tokens, estimated"),
        ):
            if limit is not None and used > limit:
                yield Reason(rule, f"{used} {what} are over the limit of {limit}", status=413)

    def over(self, body_bytes: int) -> Iterator[Reason]:
        """What is wrong with a body of this size."""
        limit = self.role.limits.prompt_bytes
        if limit is not None and body_bytes > limit:
            yield Reason("prompt-bytes", f"{body_bytes} bytes are over the limit of {limit}", status=413)

    def _allowed(self, asked: Asked) -> Iterator[Reason]:
        allow = self.role.allow
        if allow.models != ("*",) and not (asked.model and matches(allow.models, asked.model)):
            named = f"the model {asked.model[:100]!r}" if asked.model else "a request that names no model"
            yield Reason("model-not-allowed", f"{named} is not open to the role {self.name}")
        for tool in asked.tools:
            if not matches(allow.tools, tool):
                yield Reason("tool-not-allowed", f"the tool {tool[:100]!r} is not open to the role {self.name}")
        for name, span in allow.parameters.items():
            if name in asked.parameters and not span.holds(asked.parameters[name]):
                yield Reason("parameter-not-allowed", f"the parameter {name} is outside of what this role may set")
        if allow.system_prompts and asked.operation != UNKNOWN_OPERATION:
            pinned = [hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest() for text in asked.system]
            if not pinned or any(digest not in allow.system_prompts for digest in pinned):
                yield Reason("system-prompt-not-pinned", "the system prompt is not one that this role may send")

    def _contents(self, asked: Asked) -> Iterator[Reason]:
        places: tuple[tuple[Place, str], ...] = (
            ("prompt", "\n".join(asked.prompt)),
            ("system", "\n".join(asked.system)),
            ("tools", asked.tool_text),
        )
        seen: set[str] = set()
        for place, text in places:
            for reason in self.on_text(text, place):
                if reason.rule not in seen:
                    seen.add(reason.rule)
                    yield reason


class Guard:
    """One policy in force, what it has seen of callers, and whom signed decisions shut out."""

    def __init__(self, policy: Policy) -> None:
        self.closed = NOBODY_CLOSED
        self.budgets = Budgets()
        self.use(policy)

    def use(self, policy: Policy) -> None:
        """Puts another policy in force; what callers have used stays counted."""
        self.policy = policy
        self._ruled: dict[str, Ruled] = {}
        self.idle = policy.roles == {} and policy.guard == type(policy.guard)()

    def ruled(self, caller: Caller) -> Ruled:
        """The role of a caller."""
        user, groups = (caller.user, caller.groups) if caller.verified else ("", ())
        name, role = self.policy.role(user, groups, caller.key_hash, caller.certificate)
        ruled = self._ruled.get(name)
        if ruled is None:
            ruled = self._ruled[name] = Ruled(self.policy, name, role)
        return ruled

    def on_head(self, caller: Caller, ruled: Ruled, operation: str | None, now_s: float) -> list[Reason]:
        """What is wrong with a request before its body is known. `operation` is None for what only looks."""
        reasons = [*self._shut(caller, ruled.name)]
        if self.policy.guard.identity == "required" and not self._known(caller, ruled):
            what = caller.fault.replace("_", " ") or "nobody is named who could be verified"
            reasons.append(Reason("identity-required", what, status=401))
        if operation is None:
            return reasons
        role = ruled.role
        if not matches(role.allow.operations, operation) or not role.allow.models:
            reasons.append(Reason("operation-not-allowed", f"{operation} is not open to the role {ruled.name}"))
        if not any(reason.verdict == "block" for reason in reasons):
            spent = self.budgets.take(ruled.name, caller.who, role.limits, now_s)
            if spent:
                reasons.append(spent)
        return reasons

    def _known(self, caller: Caller, ruled: Ruled) -> bool:
        return caller.verified or (bool(caller.key_hash) and caller.key_hash in ruled.role.who.keys)

    def _shut(self, caller: Caller, role: str) -> Iterator[Reason]:
        closed = self.closed
        for names, name, what in (
            (closed.keys, caller.key_hash, "key"),
            (closed.users, caller.user if caller.verified else "", "user"),
            (closed.roles, role, "role"),
        ):
            if name and name in names:
                yield Reason(f"{what}-disabled", f"this {what} was disabled: {names[name]}")


def _sensitive(rule: str, point: str, types: set[str], verdict: Verdict) -> Reason:
    return Reason(f"{rule}-in-{point}", f"the {point} holds {', '.join(sorted(types))}", verdict)
