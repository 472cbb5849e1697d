"""All scenarios of a seed: each attack within the ordinary days of a small site, and benign weeks of larger ones."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from slmtrail.app.evaluation.scenarios import Expected, Scenario
from slmtrail.app.simulator import talk
from slmtrail.app.simulator.attacks import PLANS, ROLES, Plan, Stage
from slmtrail.app.simulator.mess import MESS
from slmtrail.app.simulator.patient import PATIENT
from slmtrail.app.simulator.world import DAY_MS, HOUR_MS, MONDAY_MS, World

BENIGN_USERS = 25
BENIGN_DAYS = 21
MESS_USERS = 15


def scenarios(seed: int, *, held_out: bool = False, times: int = 2) -> Iterator[Scenario]:
    """The attacks, each strength `times` times in another world, and the benign stories. `held_out` takes phrases
    and disguises that rules were not made with."""
    for plan in (*PLANS, *PATIENT):
        for strength in range(plan[1]):
            for again in range(times):
                yield _attacked(plan, strength, again, seed, held_out)
    for number, story in enumerate((_weeks, _launch, _bad_days, _changes)):
        yield story(seed * 100 + number)
    for life in MESS:
        world = World.of(_number(seed, life.__name__), MESS_USERS)
        life(world)
        yield _benign(f"benign-{life.__name__}", world)


def _attacked(plan: Plan, strength: int, again: int, seed: int, held_out: bool) -> Scenario:
    attack, _, days, policy = plan
    name = f"{attack.__name__}-{strength}-{again}"
    world = World.of(_number(seed, name), people=6)
    world.lived(days + 1)
    rng = random.Random(_number(seed, name + "!"))  # noqa: S311
    # On the afternoon of a working day.
    day = days if days % 7 < 5 else days + (7 - days % 7)
    who = next(person for person in [*rng.sample(world.people, len(world.people))] if not person.on_call)
    at_ms = MONDAY_MS + day * DAY_MS + int(rng.uniform(who.first_hour + 2, who.first_hour + 5) * HOUR_MS)
    scenario = Scenario(name, policy, len(world.people))
    scenario.expected = attack(Stage(world, rng, who, at_ms, strength, held_out))
    scenario.moments = sorted(world.moments, key=lambda moment: moment[0])
    return scenario


def _number(seed: int, name: str) -> int:
    return random.Random(f"{seed} {name}").getrandbits(48)  # noqa: S311


def _benign(name: str, world: World, expected: list[Expected] | None = None) -> Scenario:
    moments = sorted(world.moments, key=lambda moment: moment[0])
    return Scenario(name, ROLES, len(world.people), True, moments, expected or [])


def _weeks(seed: int) -> Scenario:
    """Weeks as they come: a nightly batch, on-call nights, somebody who travels."""
    world = World.of(seed, BENIGN_USERS)
    world.lived(BENIGN_DAYS)
    for day in range(BENIGN_DAYS):
        _batch(world, day)
    traveller, away = world.people[0], range(8, 11)
    # Who is away is not in the office as well.
    world.moments = [
        (at_ms, moment)
        for at_ms, moment in world.moments
        if (at_ms - MONDAY_MS) // DAY_MS not in away or moment["event"].get("user.id") != traveller.id
    ]
    for day in away:
        for number in range(10):
            at_ms = MONDAY_MS + day * DAY_MS + (traveller.first_hour + 1) * HOUR_MS + number * 700_000
            where = {"source.ip": "100.64.7.9"}
            world.asked(at_ms, traveller, talk.question(world.rng, traveller.topics), more=where)
    return _benign("benign-weeks", world)


def _batch(world: World, day: int) -> None:
    """A job of every night: hundreds of questions of one make, by a service."""
    who = world.people[1]
    fields: dict[str, Any] = {
        "user.id": "svc-classifier",
        "slm.role": None,
        "source.ip": "10.0.0.9",
        "slm.key.hash": None,
    }
    for number in range(260):
        at_ms = MONDAY_MS + day * DAY_MS + 3 * HOUR_MS + number * 9_000
        text = f"Classify the ticket {day * 1000 + number} as complaint, question or praise: {talk.document(world.rng)}"
        world.asked(at_ms, who, text, more=fields)


def _launch(seed: int) -> Scenario:
    """A launch: an afternoon with three times the traffic, and new people."""
    world = World.of(seed, BENIGN_USERS)
    world.lived(15)
    world.lived(2, first_day=15, busy=3.0)
    world.lived(4, first_day=17)
    return _benign("benign-launch", world)


def _bad_days(seed: int) -> Scenario:
    """A model that fails for an hour, a login service that is down for everybody in the office."""
    world = World.of(seed, BENIGN_USERS)
    world.lived(12)
    rng = world.rng
    outage_ms = MONDAY_MS + 9 * DAY_MS + 10 * HOUR_MS
    for who in world.people:
        session = f"outage-{who.id}"
        for number in range(rng.randint(2, 6)):
            at_ms = outage_ms + rng.uniform(0, HOUR_MS) + number * rng.uniform(20, 90) * 1000
            more = {"event.outcome": "failure", "error.type": "unavailable", "gen_ai.output.messages": None}
            world.asked(at_ms, who, talk.question(rng, who.topics), more={**more, "session.id": session})
    down_ms = MONDAY_MS + 10 * DAY_MS + 8 * HOUR_MS
    for who in world.people:
        for number in range(rng.randint(1, 4)):
            at_ms = down_ms + rng.uniform(0, 1800) * 1000 + number * 20_000
            more = {"source.ip": "203.0.113.1", "event.reason": "identity provider unavailable"}
            world.login(at_ms, who, "failure", **more)
    return _benign("benign-bad-days", world)


def _changes(seed: int) -> Scenario:
    """Releases that are announced, configuration that becomes stricter, collectors that are restarted in order."""
    world = World.of(seed, BENIGN_USERS)
    world.lived(6)
    for model in world.digests:
        world.digests[model] = f"{world.rng.getrandbits(128):032x}"
        event = {
            "slm.kind": "config",
            "event.action": "released",
            "slm.config.name": f"model/{model}",
            "slm.config.digest": world.digests[model],
            "deployment.environment.name": "prod",
        }
        world.add(MONDAY_MS + 6 * DAY_MS - 60_000, event)
    shield = {"slm.config.name": "guardrail/prompt-shield", "slm.config.values": {"mode": "block", "threshold": 0.7}}
    world.add(MONDAY_MS + 3 * DAY_MS, {"slm.kind": "config", "event.action": "changed"} | shield)
    world.lived(6, first_day=6)
    for minute in range(0, 12 * 24 * 60, 1):
        at_ms = MONDAY_MS + minute * 60_000
        if minute % 1440 == 1200:
            world.moments.append((at_ms, {"frame": {"collector": "edge-1", "kind": "close"}}))
        elif minute % 1440 < 1200:
            world.moments.append((at_ms, {"frame": {"collector": "edge-1"}}))
        world.moments.append((at_ms, {"frame": {"collector": "edge-2"}}))
    return _benign("benign-changes", world)
