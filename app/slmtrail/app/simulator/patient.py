"""Attacks that take their time, come from everywhere, or stay just below what a limit of an hour would tell."""

from __future__ import annotations

from typing import Any

from slmtrail.app.evaluation.scenarios import Expected
from slmtrail.app.simulator import talk
from slmtrail.app.simulator.attacks import Plan, Stage
from slmtrail.app.simulator.world import DAY_MS, HOUR_MS
from slmtrail.core.policy import Policy

_MINUTE_MS = 60_000
_KEY = "e1:" + "8" * 24


def spray_for_days(stage: Stage) -> list[Expected]:
    """One account every half hour, and slower."""
    every_min = [30, 45, 60][stage.strength % 3]
    for number in range(60):
        fields = {"user.id": f"acct-{number}", "source.ip": "192.0.2.88", "event.reason": "invalid_credentials"}
        stage.world.login(stage.at_ms + number * every_min * _MINUTE_MS, stage.who, "failure", **fields)
    return [stage.expect("login-spraying", "source.ip:192.0.2.88")]


def stuffing(stage: Stage) -> list[Expected]:
    """Stolen passwords, each from another address; some of them still open an account."""
    every_s = [20, 70, 150][stage.strength % 3]
    for number in range(60):
        outcome = "success" if number % 20 == 7 else "failure"
        fields = {"user.id": f"customer-{number}", "source.ip": _anywhere(stage)}
        stage.world.login(stage.at_ms + number * every_s * 1000, stage.who, outcome, **fields)
    return [stage.expect("login-stuffing")]


def guess_from_everywhere(stage: Stage) -> list[Expected]:
    """Passwords of one account, each from another network, at a pace that no limit of an hour sees."""
    every_min = [4, 15, 40][stage.strength % 3]
    for number in range(30):
        at_ms = stage.at_ms + number * every_min * _MINUTE_MS
        stage.world.login(at_ms, stage.who, "failure", **{"source.ip": _anywhere(stage)})
    return [stage.expect("login-failures", stage.user)]


def probing_slowly(stage: Stage) -> list[Expected]:
    """One tool after the other, for most of a day."""
    every_min = [20, 50, 90][stage.strength % 3]
    for number in range(14):
        stage.event(
            "policy",
            number * every_min * _MINUTE_MS,
            slm__verdict="block",
            user__id=stage.who.id,
            slm__guard__reasons=["tool-not-allowed"],
            event__reason=f"the tool 'tool_{number}' is not open to the role agent",
        )
    return [stage.expect("role-probing", stage.user)]


def below_the_limit(stage: Stage) -> list[Expected]:
    """As much in an hour as is not told of, for a day and a night."""
    ways: list[tuple[str, dict[str, Any]]] = [
        ("cost-burst", {"slm.cost_usd": 0.22}),
        ("token-burst", {"gen_ai.usage.input_tokens": 2700}),
    ]
    rule, usage = ways[stage.strength % 2]
    for number in range(20 * 20):
        text = talk.question(stage.rng, stage.who.topics)
        stage.world.asked(stage.at_ms + number * 3 * _MINUTE_MS, stage.who, text, more=usage)
    others = [stage.expect(name, optional=True) for name in ("outside-hours", "model-extraction")]
    return [stage.expect(rule, stage.user), *others]


def leaked(stage: Stage) -> list[Expected]:
    """The key of a service that has one home, or a few, in the hands of many."""
    homes = [["203.0.113.9"], ["3.120.1.4", "18.184.7.3", "35.156.2.2"]][stage.strength % 2]
    _serviced(stage, homes, days=4)
    for number in range(60):
        _keyed(stage, stage.at_ms + number * _MINUTE_MS, _anywhere(stage))
    others = [stage.expect(rule, optional=True) for rule in ("two-places", "key-new-network")]
    return [stage.expect("shared-key", f"slm.key.hash:{_KEY}"), *others]


def stolen_from_a_pool(stage: Stage) -> list[Expected]:
    """The key of a service with several networks, or pods, now and then from one that is none of them."""
    pool = [["3.120.1.4", "18.184.7.3", "35.156.2.2", "52.28.1.9"], ["10.1.4.2", "10.7.9.9", "10.30.1.8"]]
    _serviced(stage, pool[stage.strength % 2], days=8)
    for number in range(6):
        _keyed(stage, stage.at_ms + number * 2 * HOUR_MS, "192.0.2.44")
    return [stage.expect("key-new-network", f"slm.key.hash:{_KEY}")]


def beside_its_owner(stage: Stage) -> list[Expected]:
    """A session in two hands, both at work: as fast as its owner, or much slower."""
    every_s = [60, 150, 300][stage.strength % 3]
    for moment in stage.world.moments:
        if moment[1]["event"].get("user.id") == stage.who.id:
            moment[1]["event"]["source.ip"] = "203.0.113.1"
    for ip, seconds in (("203.0.113.1", 50), ("192.0.2.61", every_s)):
        at_ms: float = stage.at_ms
        while at_ms < stage.at_ms + HOUR_MS:
            stage.world.asked(at_ms, stage.who, talk.question(stage.rng, stage.who.topics), more={"source.ip": ip})
            at_ms += seconds * stage.rng.uniform(0.8, 1.2) * 1000
    subject = f"slm.key.hash:{stage.who.key}"
    return [stage.expect("two-places", subject), stage.expect("key-new-network", subject, optional=True)]


def paraphrasing(stage: Stage) -> list[Expected]:
    """Questions at a pace that somebody could keep up, but nobody all day."""
    for number in range(750):
        first, second = talk.question(stage.rng, "office"), talk.question(stage.rng, "data")
        stage.world.asked(stage.at_ms + number * 40_000, stage.who, f"{first} {second} ({number})")
    others = [stage.expect(name, optional=True) for name in ("outside-hours", "token-burst")]
    return [stage.expect("model-extraction", stage.user), *others]


def _anywhere(stage: Stage) -> str:
    return f"{stage.rng.randint(20, 95)}.{stage.rng.randint(1, 250)}.2.{stage.rng.randint(2, 250)}"


def _serviced(stage: Stage, homes: list[str], days: int) -> None:
    for number in range(days * 24):
        _keyed(stage, stage.at_ms - days * DAY_MS + number * HOUR_MS, homes[number % len(homes)])


def _keyed(stage: Stage, at_ms: float, ip: str) -> None:
    fields: dict[str, Any] = {"source.ip": ip, "user.id": None, "slm.role": None, "slm.key.hash": _KEY}
    stage.world.asked(at_ms, stage.who, talk.question(stage.rng, "code"), more=fields)


PATIENT: list[Plan] = [
    (spray_for_days, 3, 1, Policy()),
    (stuffing, 3, 1, Policy()),
    (guess_from_everywhere, 3, 1, Policy()),
    (probing_slowly, 3, 1, Policy()),
    (below_the_limit, 2, 16, Policy()),
    (leaked, 2, 1, Policy()),
    (paraphrasing, 1, 1, Policy()),
    (stolen_from_a_pool, 2, 1, Policy()),
    (beside_its_owner, 3, 3, Policy()),
]
