"""Real life, of which much looks like an attack: where people and machines come from, and days on which logins fail."""

from __future__ import annotations

from collections.abc import Callable

from slmtrail.app.simulator import talk
from slmtrail.app.simulator.world import DAY_MS, HOUR_MS, MONDAY_MS, Person, World

DAYS = 6
_MINUTE_MS = 60_000
_MACHINES_DAYS = 4


def networks(world: World) -> None:
    """The first day of a VPN that is on and off, telephones, machines with addresses of both kinds, a day's travel."""
    world.lived(DAYS)
    rng, people = world.rng, world.people
    third = len(people) // 3
    _come_from(world, people[:third], 3, lambda ip, _: rng.choice([ip, "198.18.0.9"]))
    pools = ("80.187", "109.41", "46.114")
    phones = people[third : 2 * third]
    _come_from(world, phones, 0, lambda _, __: f"{rng.choice(pools)}.{rng.randint(1, 250)}.{rng.randint(2, 250)}")
    both = people[2 * third : -1]
    _come_from(world, both, 2, lambda ip, _: rng.choice([ip, f"2001:db8:7:1::{rng.randint(1, 9)}"]))
    hops = ("185.60.1.2", "80.187.3.4", "8.37.4.4", "12.7.9.9")
    _come_from(world, people[-1:], 4, lambda _, at_ms: hops[at_ms // (3 * HOUR_MS) % len(hops)])


def machines(world: World) -> None:
    """Pods that each have an inner network, a service behind several gateways, jobs that run wherever there is room."""
    world.lived(_MACHINES_DAYS)
    rng = world.rng
    gateways = ("3.120.1.4", "18.184.7.3", "35.156.2.2", "52.28.1.9", "54.93.7.1", "63.33.2.2")
    for number in range(_MACHINES_DAYS * 24 * 12):
        at_ms = MONDAY_MS + number * 5 * _MINUTE_MS
        _serviced(world, at_ms, "1", f"10.{rng.randint(1, 20)}.{rng.randint(0, 60)}.{rng.randint(2, 250)}")
        _serviced(world, at_ms, "2", rng.choice(gateways))
    for day in range(_MACHINES_DAYS):
        for job in range(6):
            ip = f"{rng.choice((4, 13, 20, 40, 52))}.{rng.randint(1, 250)}.9.9"
            for number in range(5):
                at_ms = MONDAY_MS + day * DAY_MS + 2 * HOUR_MS + job * 5 * _MINUTE_MS + number * 40_000
                _serviced(world, at_ms, "3", ip)


def logins(world: World) -> None:
    """A login service that does not answer, a day on which passwords are changed, and clients that keep an old one."""
    world.lived(DAYS)
    rng = world.rng
    for who in world.people:
        where = {"source.ip": who.ips[-1]}
        at_ms = MONDAY_MS + DAY_MS + 9 * HOUR_MS + rng.uniform(0, 10) * _MINUTE_MS
        for _ in range(rng.randint(3, 8)):
            world.login(at_ms, who, "failure", **where, **{"event.reason": "identity provider did not respond"})
            at_ms += rng.uniform(10, 100) * 1000
        at_ms = MONDAY_MS + 2 * DAY_MS + who.first_hour * HOUR_MS
        for _ in range(rng.randint(1, 4)):
            world.login(at_ms, who, "failure", **where, **{"event.reason": "wrong_password"})
            at_ms += rng.uniform(5, 50) * 1000
        world.login(at_ms, who, **where)
    for who in world.people[:3]:
        for number in range(60):
            at_ms = MONDAY_MS + 3 * DAY_MS + 8 * HOUR_MS + number * 5 * _MINUTE_MS
            world.login(at_ms, who, "failure", **{"source.ip": who.ips[-1], "event.reason": "invalid_credentials"})


def rights(world: World) -> None:
    """A client with a wrong model name, words of every login that sound like more rights, and a very long day."""
    world.lived(DAYS)
    who = world.people[0]
    for number in range(60):
        refused = {
            "slm.kind": "policy",
            "slm.verdict": "block",
            "user.id": who.id,
            "slm.guard.reasons": ["model-not-allowed"],
            "event.reason": "gpt-4o is not open to the role agent",
        }
        world.add(MONDAY_MS + 2 * DAY_MS + 9 * HOUR_MS + number * _MINUTE_MS, refused)
    for day in range(DAYS):
        for person in world.people:
            at_ms = MONDAY_MS + day * DAY_MS + person.first_hour * HOUR_MS
            for action in ("access_granted", "permissions_listed", "role_selected"):
                said = {"slm.kind": "auth", "event.action": action, "event.outcome": "success", "user.id": person.id}
                world.add(at_ms, said)


def _come_from(world: World, people: list[Person], since_day: int, where: Callable[[str, int], str]) -> None:
    """From that day on, `people` come from where `where` says of an address and a time."""
    ids = {person.id for person in people}
    for at_ms, moment in world.moments:
        event = moment["event"]
        if event.get("user.id") in ids and at_ms >= MONDAY_MS + since_day * DAY_MS:
            event["source.ip"] = where(event["source.ip"], at_ms)


def _serviced(world: World, at_ms: float, mark: str, ip: str) -> None:
    fields = {"user.id": None, "slm.role": None, "slm.key.hash": "e1:" + mark * 24, "source.ip": ip}
    world.asked(at_ms, world.people[0], talk.question(world.rng, "data"), more=fields)


MESS = (networks, machines, logins, rights)
