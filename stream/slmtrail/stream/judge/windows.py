"""The memory of judgement: what was seen of each subject, and the alerts that are open about it.

Fed with signals in order, it gives alerts; the same signals from the same state give the same alerts, wherever the
batches are cut. Its state is plain data in shards: those that changed are kept on the bus beside what was published,
so that a restart goes on from there. Memory is bounded by the policy: of too many subjects the busiest are kept.
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import Any

import orjson
import zstandard

from slmtrail.stream.judge import alerts
from slmtrail.stream.judge.alerts import Alert
from slmtrail.stream.judge.folds import short
from slmtrail.stream.judge.hit import Hit
from slmtrail.stream.judge.judge import RULE_FAILED, Judge, Terms
from slmtrail.stream.judge.rule import Rule
from slmtrail.stream.judge.signal import Saying, Signals, hit_of, saying

log = logging.getLogger(__name__)

SHARDS = 1024
"""Into so many pieces the state is cut; a batch writes only those it touched."""
MAX_RECENT = 10
DAY_MS = 86_400_000
SILENT = "silent-collector"
"""The rule that fires when nothing comes."""
_VERSION = 1


class Windows:
    """The windows and open alerts of all subjects that are sent here. One thread at a time."""

    def __init__(self, judge: Judge, max_subjects: int | None = None) -> None:
        """max_subjects: in the place of what the policy says, for windows that see a share of the subjects."""
        self.judge = judge
        self._max_subjects = max_subjects or judge.policy.windows.max_subjects
        self._shards: dict[int, dict[str, Any]] = {}
        self._changed: set[int] = set()
        self._open: dict[tuple[str, str], int] = {}
        """When each open alert is over, if nothing more comes."""
        self._next_over_ms = 2**62
        self._subjects = 0
        self.clock_ms = 0

    def take(self, told: Iterable[Signals]) -> list[Alert]:
        """Looks at signals in order; the alerts they open or change."""
        made: list[Alert] = []
        for signals in told:
            if signals.clock_ms > self.clock_ms:
                self.clock_ms = signals.clock_ms
                if self.clock_ms >= self._next_over_ms:
                    made += self._close()
            in_force = self.judge.in_force(signals.role, signals.risk)
            if heard := [one for one in signals.sayings if one[0] in in_force]:
                memories = self._known(signals)["rules"]
                for one in heard:
                    made += self._one(*in_force[one[0]], signals, one, memories)
        return made

    def tick(self, clock_ms: int) -> list[Alert]:
        """Time has passed and nothing may have come: alerts that are over, collectors that are silent."""
        self.clock_ms = max(self.clock_ms, clock_ms)
        return [*self._close(), *self._silent(clock_ms)]

    def forget(self, person: Collection[str]) -> None:
        """Forgets a person, by all spellings: its own windows, and of others those that hold something of it."""
        marks = [mark for spelling in person for mark in (orjson.dumps(spelling), short(spelling).encode())]
        for number, shard in self._shards.items():
            for subject, known in list(shard.items()):
                own = subject.partition(":")[2] in person
                gone = [rule for rule, memory in known["rules"].items() if own or _holds(memory, marks)]
                for rule in gone:
                    del known["rules"][rule]
                    self._open.pop((rule, subject), None)
                    self._changed.add(number)
                if not known["rules"]:
                    del shard[subject]
                    self._subjects -= 1

    def moved(self) -> bool:
        """Whether anything changed since this was last asked, for who keeps all of it in one piece."""
        moved = bool(self._changed)
        self._changed.clear()
        return moved

    def changed(self) -> dict[str, bytes]:
        """The shards that changed since this was last asked, by name; to be kept where `restore` finds them."""
        pieces = {}
        for number in sorted(self._changed):
            content = {"version": _VERSION, "clock": self.clock_ms, "subjects": self._shards.get(number, {})}
            pieces[str(number)] = _packed(content)
        self._changed.clear()
        return pieces

    def snapshot(self) -> bytes:
        """All of it in one piece."""
        content = {str(number): self._shards[number] for number in sorted(self._shards)}
        return _packed({"version": _VERSION, "clock": self.clock_ms, "shards": content})

    def restore(self, snapshot: bytes) -> None:
        """Goes on from a snapshot, in the place of what was known."""
        if given := _unpacked(snapshot):
            self._use({int(number): shard for number, shard in given["shards"].items()}, given["clock"])

    def restore_shards(self, pieces: Mapping[str, bytes]) -> None:
        """Goes on from the newest of each shard that `changed` gave."""
        shards, clock_ms = {}, 0
        for number, data in pieces.items():
            if given := _unpacked(data):
                shards[int(number)] = given["subjects"]
                clock_ms = max(clock_ms, given["clock"])
        self._use(shards, clock_ms)

    @property
    def subjects(self) -> int:
        """How many subjects are remembered."""
        return self._subjects

    def _use(self, shards: dict[int, dict[str, Any]], clock_ms: int) -> None:
        self._shards, self.clock_ms = shards, clock_ms
        self._changed.clear()
        self._subjects = sum(map(len, shards.values()))
        self._open = {
            (rule, subject): memory["alert"]["touched"] + self._quiet_ms(rule)
            for shard in shards.values()
            for subject, known in shard.items()
            for rule, memory in known["rules"].items()
            if "alert" in memory and rule in self.judge.rules
        }
        self._next_over_ms = min(self._open.values(), default=2**62)

    def _one(
        self, rule: Rule, terms: Terms, signals: Signals, one: Saying, memories: dict[str, dict[str, Any]]
    ) -> list[Alert]:
        fold, memory = rule.fold, memories.get(rule.id)
        if memory is None:
            memory = memories[rule.id] = {"recent": [], "state": {}} if fold else {}
        if fold is None:
            return self._fired(rule, signals, hit_of(one), memory, [])
        try:
            seen = fold(memory["state"], signals.at_ms, one[1], terms.about.parameters)
        except Exception as error:
            # What it remembers does not fit it any more (another version of the rule), or it is wrong.
            log.error("the window of rule %s failed and begins anew: %s", rule.id, type(error).__name__)
            memory |= {"recent": [], "state": {}}
            return self._failed(rule, signals, error)
        recent: list[str] = memory["recent"]
        made: list[Alert] = []
        if seen:
            told = hit_of(one)
            found = Hit(seen.why or told.why, seen.excerpt or told.excerpt, seen.observed, seen.baseline)
            made = self._fired(rule, signals, found, memory, recent)
        if signals.record_id:
            recent.append(signals.record_id)
            if len(recent) > MAX_RECENT:
                del recent[0]
        if rule.id == SILENT:
            memory["last"] = {"clock": signals.clock_ms, "seed": signals.seed, "carried": signals.carried}
        return made

    def _failed(self, rule: Rule, signals: Signals, error: Exception) -> list[Alert]:
        teller = self.judge.rules.get(RULE_FAILED)
        if teller is None or rule is teller:
            return []
        why = f"the window of the rule {rule.id} failed ({type(error).__name__}) and begins anew"
        one = saying(RULE_FAILED, Hit(why))
        told = signals._replace(subject=f"rule.id:{rule.id}", role="", risk="", carried={}, sayings=[one])
        terms = self.judge.terms(RULE_FAILED, "", "")
        return self._one(teller, terms, told, one, self._known(told)["rules"]) if terms.enabled else []

    def _fired(
        self, rule: Rule, signals: Signals, found: Hit, memory: dict[str, Any], recent: list[str]
    ) -> list[Alert]:
        made: list[Alert] = []
        severity = self.judge.terms(rule.id, signals.role, signals.risk).severity
        quiet_ms = self._quiet_ms(rule.id)
        state = memory.get("alert")
        if state and signals.at_ms > state["until"] + quiet_ms:
            made += self._over(rule, signals.subject, memory)
            state = None
        late = state is not None and signals.at_ms < state["since"] - quiet_ms
        if state is None or late:
            state = alerts.opened(rule.id, signals, recent, severity, quiet_ms)
            if not late:
                memory["alert"] = state
        if alerts.grown(state, signals, found, severity):
            made.append(self._told(rule, signals.subject, state))
        if not late:
            over_ms = signals.clock_ms + quiet_ms
            self._open[rule.id, signals.subject] = over_ms
            self._next_over_ms = min(self._next_over_ms, over_ms)
        return made

    def _told(self, rule: Rule, subject: str, state: dict[str, Any]) -> Alert:
        environment = state["carried"].get("deployment.environment.name", "")
        suppressed = next(
            (
                f"{name}: {one.reason}"
                for name, one in self.judge.policy.suppress.items()
                if one.holds(rule.id, subject, environment, state["until"])
            ),
            "",
        )
        parameters = dict(self.judge.terms(rule.id, state["role"], state["risk"]).about.parameters)
        return alerts.told(state, rule.manifest, subject, parameters, suppressed)

    def _over(self, rule: Rule, subject: str, memory: dict[str, Any]) -> list[Alert]:
        """Ends the open alert; what it grew by since it was last told is told once more."""
        state = memory.pop("alert")
        self._open.pop((rule.id, subject), None)
        return [self._told(rule, subject, state)] if state["count"] > state["told"] else []

    def _close(self) -> list[Alert]:
        made = []
        for rule_id, subject in sorted(key for key, over_ms in self._open.items() if over_ms <= self.clock_ms):
            number = _shard(subject)
            memory = self._shards[number][subject]["rules"][rule_id]
            self._changed.add(number)
            made += self._over(self.judge.rules[rule_id], subject, memory)
        self._next_over_ms = min(self._open.values(), default=2**62)
        return made

    def _silent(self, clock_ms: int) -> list[Alert]:
        """Collectors of which nothing has come for too long, though they had not said that they close."""
        rule = self.judge.rules.get(SILENT)
        if rule is None:
            return []
        made = []
        known_ones = [
            (subject, memory)
            for shard in self._shards.values()
            for subject, known in shard.items()
            if (memory := known["rules"].get(SILENT)) is not None
        ]
        for subject, memory in sorted(known_ones, key=lambda pair: pair[0]):
            state, terms = memory["state"], self.judge.terms(SILENT, "", "")
            if state.get("closed") or state.get("told") or not terms.enabled:
                continue
            last = memory["last"]
            silent_ms = clock_ms - last["clock"]
            if silent_ms >= terms.about.parameters["after_ms"]:
                state["told"] = True
                self._changed.add(_shard(subject))
                why = f"nothing has come from it for {silent_ms // 1000} s, and it had not said that it closes"
                recent = list(memory["recent"])
                record_id = recent[-1] if recent else ""
                signals = Signals(
                    subject, state["last"], self.clock_ms, record_id, last["seed"], carried=last["carried"]
                )
                limit = terms.about.parameters["after"]
                found = Hit(why, observed=f"{silent_ms // 1000}s", baseline=limit)
                made += self._fired(rule, signals, found, memory, recent)
        return made

    def _known(self, signals: Signals) -> dict[str, Any]:
        """What is remembered of a subject, which one more record is about; of one that is new, nothing."""
        number = _shard(signals.subject)
        self._changed.add(number)
        shard = self._shards.setdefault(number, {})
        known = shard.get(signals.subject)
        if known is None:
            if self._subjects >= self._max_subjects:
                self._forget()
            known = self._shards.setdefault(number, {})[signals.subject] = {"weight": 0.0, "clock": 0, "rules": {}}
            self._subjects += 1
        idle_ms = max(0, signals.clock_ms - known["clock"]) if known["clock"] else 0
        known["weight"] = round(_aged(known["weight"], idle_ms) + 1, 3)
        known["clock"] = max(known["clock"], signals.clock_ms)
        return known

    def _forget(self) -> None:
        """Drops the tenth of the subjects that weighs least; one with an open alert weighs more."""
        weighed = sorted(
            (
                any("alert" in memory for memory in known["rules"].values()),
                _aged(known["weight"], max(0, self.clock_ms - known["clock"])),
                subject,
                number,
            )
            for number, shard in self._shards.items()
            for subject, known in shard.items()
        )
        for _, _, subject, number in weighed[: max(1, len(weighed) // 10)]:
            for rule in self._shards[number].pop(subject)["rules"]:
                self._open.pop((rule, subject), None)
            self._changed.add(number)
            self._subjects -= 1

    def _quiet_ms(self, rule: str) -> int:
        return self.judge.rules[rule].quiet_ms


def _packed(content: dict[str, Any]) -> bytes:
    return zstandard.compress(orjson.dumps(content), 1)


def _unpacked(data: bytes) -> dict[str, Any] | None:
    """What was kept; None where another version of slmtrail kept it in its own way."""
    try:
        given: dict[str, Any] = orjson.loads(zstandard.decompress(data))
    except zstandard.ZstdError:
        return None
    return given if given["version"] == _VERSION else None


def _holds(memory: Mapping[str, Any], marks: Collection[bytes]) -> bool:
    """Whether one of `marks`, names as JSON or their hashes, is in what a rule remembers."""
    carried = [memory[part]["carried"] for part in ("alert", "last") if part in memory]
    text = orjson.dumps([memory.get("state"), carried])
    return any(mark in text for mark in marks)


@lru_cache(65_536)
def _shard(subject: str) -> int:
    return zlib.crc32(subject.encode("utf-8", "surrogatepass")) % SHARDS


def _aged(weight: float, idle_ms: int) -> float:
    if idle_ms < DAY_MS // 24:
        return weight
    return float(weight * 0.5 ** (idle_ms / DAY_MS))
