"""Runs the rules over one record: which fire at once (flags), and what the windows are to see (signals).

A rule that fails is named in an alert of its own and costs the record nothing else.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from slmtrail.core import canonical
from slmtrail.core.errors import SettingsError
from slmtrail.core.events import canonical_ms
from slmtrail.core.judging import RulePolicy, Severity, merged
from slmtrail.core.policy import Policy
from slmtrail.core.spans import span_ms
from slmtrail.stream.judge.hit import About, Hit
from slmtrail.stream.judge.networks import NETWORK, network_of
from slmtrail.stream.judge.rule import Judges, Rule, built_in
from slmtrail.stream.judge.signal import MAX_SEEN_AHEAD_MS, Saying, Signals, saying

log = logging.getLogger(__name__)

_MAX_PLANS = 2000
_MAX_ROLES = 300

_Told = tuple[int, int, str, str, str, str]

_MAX_TOLD_CHARS = 1000

LAW = "policy and rules of the stream"
"""By this name records and alerts speak of them."""
RULE_FAILED = "rule-failed"
"""The rule that tells of rules which failed."""

_CARRIED = (
    "deployment.environment.name",
    "service.namespace",
    "service.name",
    "slm.identity.groups",
    "user.id",
    "user.name",
    "user.email",
    "enduser.pseudo.id",
    "slm.key.hash",
    "slm.role",
    "slm.risk",
    "session.id",
    "trace.id",
    "gen_ai.request.model",
    "gen_ai.conversation.id",
)
"""What an alert repeats of its record, so that it can be found the same way."""


@dataclass(frozen=True, slots=True)
class Terms:
    """A rule as it stands for one role: asked or not, how bad, and with which parameters."""

    enabled: bool
    severity: Severity
    about: About


@dataclass(frozen=True, slots=True)
class Judged:
    """What the rules say of one record."""

    flags: list[str]
    """The rules that fire on this record alone."""
    signals: list[Signals]


class _Asked(NamedTuple):
    """A rule that is asked of records with some fields, as it stands for their role."""

    id: str
    rule: Rule
    look: Judges
    about: About
    flags: bool


class _Plan(NamedTuple):
    """What is done with records that have the same fields."""

    carried: tuple[str, ...]
    subjects: list[tuple[str, list[_Asked]]]
    """Which rules are asked, by the field that names whom they are about."""


class Judge:
    """The rules in force. Raises SettingsError for a policy that changes what is not there."""

    def __init__(
        self, policy: Policy, rules: Sequence[Rule] | None = None, refused: Mapping[str, str] | None = None
    ) -> None:
        self.policy = policy
        self._refused = {
            f"rule.id:{name}": f"the rule {name} can't be used: {why}" for name, why in (refused or {}).items()
        }
        self.rules = {rule.id: rule for rule in (built_in() if rules is None else rules)}
        self._terms: dict[tuple[str, str, str], Terms] = {}
        self._in_force: dict[tuple[str, str], dict[str, tuple[Rule, Terms]]] = {}
        self._plans: dict[tuple[str, ...], _Plan] = {}
        """By kind, role and risk of a record, and the names of its fields."""
        for name, change in policy.rules.items():
            self._check(name, change)
        self._by_kind: dict[str, list[Rule]] = {}
        for rule in sorted(self.rules.values(), key=lambda rule: rule.id):
            for kind in rule.manifest.kinds:
                self._by_kind.setdefault(kind, []).append(rule)
        listed = [
            [rule.id, rule.digest, policy.rules[rule.id].model_dump(mode="json") if rule.id in policy.rules else None]
            for rule in sorted(self.rules.values(), key=lambda rule: rule.id)
        ]
        self.digest = hashlib.sha256(canonical.dumps(listed)).hexdigest()

    def judge(self, record: dict[str, Any], seed: str = "", clock_ms: int | None = None) -> Judged:
        """What the rules say of `record`; `seed` and `clock_ms` come from its frame."""
        flags: list[str] = []
        signals: list[Signals] = []
        at_ms = canonical_ms(record["@timestamp"])
        told = _told(record, seed, at_ms, at_ms if clock_ms is None else clock_ms)
        plan = self._plan_of(record)
        carried = {name: record[name] for name in plan.carried}
        for subject, rules in plan.subjects:
            each: list[Saying] = []
            for name, rule, look, about, fires in rules:
                try:
                    found = look(record, about)
                except Exception as error:
                    signals += self._failed(rule, record, error, told)
                    continue
                if found is None:
                    continue
                if fires:
                    flags.append(name)
                each.append(saying(name, Hit(found) if isinstance(found, str) else found))
            if each:
                signals.append(Signals(_subject(subject, record), *told, carried, each))
        flags.sort()
        return Judged(flags, signals)

    def refuse(self, why: str) -> None:
        """Notes that a policy or rules came which can't be used, for the windows to be told."""
        text = f"policy or rules changed and can't be used; those in force stay: {why}"
        self._refused[f"slm.config.name:{LAW}"] = text[:_MAX_TOLD_CHARS]

    def refuse_as(self, newer: Judge) -> None:
        """The same for the rules that `newer`, which has no others in force, can't use."""
        self._refused |= newer._refused

    def refused(self, clock_ms: int) -> list[Signals]:
        """What the windows are to be told of rules and policies that can't be used: each once."""
        told, self._refused = self._refused, {}
        return [
            Signals(subject, clock_ms, clock_ms, sayings=[saying(RULE_FAILED, Hit(why))])
            for subject, why in told.items()
            if RULE_FAILED in self.rules
        ]

    def terms(self, rule_id: str, role: str, risk: str) -> Terms:
        """How a rule stands for records of a role and risk."""
        key = (rule_id, role, risk)
        found = self._terms.get(key)
        if found is None:
            manifest = self.rules[rule_id].manifest
            change = self.policy.rules.get(rule_id, RulePolicy())
            by_risk = change.by_risk.get(risk)  # type: ignore[call-overload]
            enabled, severity, changed = merged(change, by_risk, change.by_role.get(role))
            parameters = manifest.parameters | changed
            for name in [name for name in parameters if name in ("within", "after")]:
                parameters[f"{name}_ms"] = span_ms(parameters[name])
            if len(self._terms) > _MAX_ROLES * len(self.rules):
                self._terms.clear()
            found = self._terms[key] = Terms(
                enabled, severity or manifest.severity, About(parameters, self.policy.roles.get(role))
            )
        return found

    def in_force(self, role: str, risk: str) -> dict[str, tuple[Rule, Terms]]:
        """The rules that are asked of records of a role and risk, by id, and how each stands for them."""
        found = self._in_force.get((role, risk))
        if found is None:
            if len(self._in_force) >= _MAX_ROLES:
                self._in_force.clear()
            each = {name: (rule, self.terms(name, role, risk)) for name, rule in self.rules.items()}
            found = {name: one for name, one in each.items() if one[1].enabled}
            self._in_force[role, risk] = found
        return found

    def _plan_of(self, record: dict[str, Any]) -> _Plan:
        """The rules that may have something to say of a record with these fields."""
        role, risk = record.get("slm.role", ""), record.get("slm.risk", "")
        key = (record["slm.kind"], role, risk, *record)
        plan = self._plans.get(key)
        if plan is None:
            if len(self._plans) >= _MAX_PLANS:
                self._plans.clear()
            by_subject: dict[str, list[_Asked]] = {}
            in_force = self.in_force(role, risk)
            for rule in self._by_kind.get(record["slm.kind"], ()):
                if rule.id in in_force and rule.concerns(record.keys()):
                    about = in_force[rule.id][1].about
                    for subject in _subject_fields(rule, record):
                        asked = _Asked(rule.id, rule, rule.asks, replace(about, subject=subject), rule.fold is None)
                        by_subject.setdefault(subject, []).append(asked)
            carried = tuple(name for name in _CARRIED if name in record)
            plan = self._plans[key] = _Plan(carried, sorted(by_subject.items()))
        return plan

    def _check(self, name: str, change: RulePolicy) -> None:
        if name not in self.rules:
            raise SettingsError(f"policy: rules.{name}: there is no rule of this id; docs/rules.md lists them")
        known = self.rules[name].manifest.parameters
        for part in (change, *change.by_role.values(), *change.by_risk.values()):
            for parameter, value in part.parameters.items():
                if parameter not in known:
                    listed = ", ".join(sorted(known)) or "none"
                    raise SettingsError(f"policy: rules.{name}: no parameter {parameter!r}; it has {listed}")
                try:
                    if parameter in ("within", "after"):
                        span_ms(value)
                    elif isinstance(known[parameter], int | float) and not isinstance(value, int | float):
                        raise ValueError("should be a number")
                except ValueError as error:
                    raise SettingsError(f"policy: rules.{name}.parameters.{parameter}: {error}") from None

    def _failed(self, rule: Rule, record: dict[str, Any], error: Exception, told: _Told) -> list[Signals]:
        log.error("rule %s failed on %s: %s", rule.id, record["event.id"], type(error).__name__)
        teller = self.rules.get(RULE_FAILED)
        if teller is None:
            return []
        why = f"the rule {rule.id} failed ({type(error).__name__}): nothing can be said of this record by it"
        about = {**record, "rule.id": rule.id}
        subject = _subject(subject_field(teller, about), about)
        return [Signals(subject, *told, sayings=[saying(teller.id, Hit(why))])]


def subject_field(rule: Rule, record: Collection[str]) -> str:
    """The field that names whom an alert of `rule` on `record` is about."""
    return next((name for name in rule.manifest.subject if name in record), "slm.collector.id")


def _subject_fields(rule: Rule, record: Collection[str]) -> list[str]:
    """That field, and the one of its second subject where the record has it."""
    besides = [name for name in rule.manifest.besides if name.removesuffix(NETWORK) in record]
    return [subject_field(rule, record), *besides[:1]]


def _subject(name: str, record: dict[str, Any]) -> str:
    field = name.removesuffix(NETWORK)
    value = record.get(field, "")
    return f"{field}:{value if field == name else network_of(value) or value}"


def _told(record: dict[str, Any], seed: str, at_ms: int, clock_ms: int) -> _Told:
    """What all signals of a record say of it."""
    at_ms = min(at_ms, clock_ms + MAX_SEEN_AHEAD_MS)
    return at_ms, clock_ms, record["event.id"], seed, record.get("slm.role", ""), record.get("slm.risk", "")
