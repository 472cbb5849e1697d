"""A made-up site: its people, their hours, addresses and keys, and what they ask on good days and bad."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from typing import Any

from slmtrail.app.simulator import talk

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
MONDAY_MS = 1_790_553_600_000
"""A Monday at midnight UTC, from which all scenarios begin."""

Moment = tuple[int, dict[str, Any]]


@dataclass(slots=True)
class Person:
    """Somebody who works with a model."""

    id: str
    role: str
    ips: list[str]
    key: str
    model: str
    first_hour: float
    last_hour: float
    asks_a_day: float
    weekend: bool = False
    on_call: bool = False
    topics: str = "office"


@dataclass(slots=True)
class World:
    """The site. `moments` fills up as its days are lived."""

    rng: random.Random
    people: list[Person] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, seed: int, people: int = 12) -> World:
        """A site of so many people."""
        world = cls(random.Random(seed))  # noqa: S311
        rng = world.rng
        models = ["phi-3-mini", "qwen2.5-1.5b", "llama-3.2-3b"]
        for model in models:
            world.digests[model] = f"{rng.getrandbits(128):032x}"
        for number in range(people):
            role = rng.choices(["agent", "developer", "analyst", "lead"], [6, 3, 2, 1])[0]
            first = rng.choice([6.5, 7.5, 8, 8, 8.5, 9, 9, 10])
            office = f"203.0.113.{rng.randint(1, 4)}"
            home = f"198.51.{rng.randint(1, 250)}.{rng.randint(2, 250)}"
            world.people.append(
                Person(
                    f"{talk.name(rng)}-{number}",
                    role,
                    [office, home] if rng.random() < 0.7 else [office],
                    f"e1:{rng.getrandbits(96):024x}",
                    rng.choice(models),
                    first,
                    first + rng.uniform(7, 10),
                    rng.lognormvariate(3.0, 0.7),
                    weekend=rng.random() < 0.1,
                    on_call=role == "developer" and rng.random() < 0.25,
                    topics={"developer": "code", "analyst": "data"}.get(role, "office"),
                )
            )
        return world

    def add(self, at_ms: float, event: dict[str, Any], findings: list[dict[str, Any]] | None = None) -> None:
        """Something happens."""
        moment: dict[str, Any] = {"event": event}
        if findings:
            moment["findings"] = findings
        self.moments.append((int(at_ms), moment))

    def login(self, at_ms: float, who: Person, outcome: str = "success", **more: Any) -> None:
        """A login of somebody, from one of their addresses."""
        event = {
            "slm.kind": "auth",
            "event.action": "login",
            "event.outcome": outcome,
            "user.id": who.id,
            "source.ip": who.ips[0] if len(who.ips) == 1 else self.rng.choice(who.ips),
            "deployment.environment.name": "prod",
        }
        self.add(at_ms, event | more)

    def asked(
        self, at_ms: float, who: Person, question: str, answer: str = "", more: dict[str, Any] | None = None
    ) -> None:
        """An inference that answered; `more` are fields over the usual ones, None takes one away."""
        words = len(question.split()) + len(answer.split())
        tokens_in = int(len(question.split()) * 1.4) + self.rng.randint(20, 400)
        tokens_out = int(len(answer.split()) * 1.4) + self.rng.randint(5, 200)
        event: dict[str, Any] = {
            "slm.kind": "inference",
            "event.outcome": "success",
            "user.id": who.id,
            "slm.role": who.role,
            "source.ip": who.ips[int(at_ms // DAY_MS) % len(who.ips)],
            "slm.key.hash": who.key,
            "deployment.environment.name": "prod",
            "service.name": "assistant",
            "gen_ai.request.model": who.model,
            "slm.model.digest": self.digests.get(who.model, "0"),
            "gen_ai.usage.input_tokens": tokens_in,
            "gen_ai.usage.output_tokens": tokens_out,
            "slm.cost_usd": round((tokens_in + 3 * tokens_out) * 1e-6, 6),
            "slm.latency_ms": 150 + words * 12 + self.rng.randint(0, 300),
            "gen_ai.input.messages": [{"role": "user", "content": question}],
            "gen_ai.output.messages": [{"role": "assistant", "content": answer or talk.answer(self.rng)}],
        }
        self.add(at_ms, {name: value for name, value in (event | (more or {})).items() if value is not None})

    def lived(self, days: int, *, first_day: int = 0, busy: float = 1.0) -> None:
        """Ordinary days of everybody."""
        for day in range(first_day, first_day + days):
            for who in self.people:
                self.day(day, who, busy)

    def day(self, day: int, who: Person, busy: float = 1.0) -> None:
        """One day of somebody: none at all on most weekends, holidays and sick days."""
        rng = self.rng
        if (day % 7 >= 5 and not who.weekend) or rng.random() < 0.06:
            return
        midnight = MONDAY_MS + day * DAY_MS
        start = midnight + (who.first_hour + rng.gauss(0, 0.3)) * HOUR_MS
        self._logged_in(start, who)
        asks = rng.lognormvariate(math.log(who.asks_a_day * busy), 0.5)
        conversations = max(1, round(asks / 4))
        for _ in range(conversations):
            at_ms = midnight + rng.uniform(who.first_hour, who.last_hour) * HOUR_MS
            self._conversation(at_ms, who)
        if who.on_call and rng.random() < 0.15:
            at_ms = midnight + rng.uniform(19, 23) * HOUR_MS
            for _ in range(rng.randint(2, 9)):
                self.asked(at_ms, who, talk.question(rng, who.topics))
                at_ms += rng.uniform(20, 300) * 1000

    def _logged_in(self, at_ms: float, who: Person) -> None:
        rng = self.rng
        for _ in range(rng.choices([0, 1, 2, 3], [90, 7, 2, 1])[0]):
            self.login(at_ms, who, "failure", **{"event.reason": "wrong_password"})
            at_ms += rng.uniform(4, 40) * 1000
        self.login(at_ms, who)

    def _conversation(self, at_ms: float, who: Person) -> None:
        rng = self.rng
        turns = rng.randint(1, 8)
        session = f"s{rng.getrandbits(48):012x}"
        system = talk.SYSTEM[who.topics]
        said: list[dict[str, Any]] = []
        for _ in range(turns):
            question = talk.question(rng, who.topics)
            answer = talk.answer(rng)
            said.append({"role": "user", "content": question})
            if rng.random() < 0.12:
                said.append({"role": "tool", "tool_call_id": "c", "content": talk.document(rng)})
            times = rng.choices([1, 2, 3], [96, 3, 1])[0]
            for attempt in range(times):
                failed = attempt < times - 1
                more: dict[str, Any] = {
                    "session.id": session,
                    "gen_ai.input.messages": said[-6:],
                    "gen_ai.system_instructions": system,
                }
                if failed:
                    more |= {"event.outcome": "failure", "error.type": "timeout", "gen_ai.output.messages": None}
                self.asked(at_ms, who, question, answer, more)
                at_ms += rng.uniform(2, 8) * 1000 if failed else 0
            said.append({"role": "assistant", "content": answer})
            at_ms += rng.uniform(15, 240) * 1000
