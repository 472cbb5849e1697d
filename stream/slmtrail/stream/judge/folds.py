"""Windows: what is remembered of one subject under one rule, and when it is too much.

A fold takes the state (plain JSON, changed in place), the time and value of one observation, and the rule's
parameters; it answers what it observed where that is past the threshold. Time is the event's, so events may come
late by `lateness_ms`. The size of every state is bounded, whatever comes.
"""

from __future__ import annotations

import hashlib
from bisect import insort
from collections.abc import Callable, Mapping
from typing import Any

from slmtrail.stream.judge.hit import Hit

State = dict[str, Any]
Fold = Callable[[State, int, Any, Mapping[str, Any]], Hit | None]

STEPS = 30
"""Into so many steps a window is cut: it is exact to that fraction of its length."""
LATENESS_MS = 600_000
MAX_DISTINCT = 512
MAX_KNOWN = 64
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
WEEK_HOURS = 168
_SOME_HOURS = 6
_SOME_DAYS = 5
_HOURS_A_DAY = 4
"""So many hours at the least that may tell are a day that may."""


def short(value: Any) -> str:
    """A value by which it can be told from others and not be read."""
    return hashlib.blake2b(str(value).encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def latest(states: dict[str, Any], name: str, at_most: int) -> State:
    """The state of that name, which is the newest now; of more than so many states the oldest goes."""
    found: State = states.pop(name, {})
    states[name] = found
    if len(states) > at_most:
        del states[next(iter(states))]
    return found


def count(state: State, at_ms: int, _: Any, p: Mapping[str, Any]) -> Hit | None:
    """How many there were within `within_ms`; fires from `at_least` on."""
    return total(state, at_ms, 1, p)


def total(state: State, at_ms: int, value: Any, p: Mapping[str, Any]) -> Hit | None:
    """The sum of their values within `within_ms`; fires from `at_least` on."""
    if not isinstance(value, int | float):
        return None
    steps: list[list[Any]] = state.setdefault("steps", [])
    step_ms = max(1, p["within_ms"] // STEPS)
    step = at_ms // step_ms
    newest = steps[-1][0] if steps else step
    oldest = max(step, newest) - STEPS - LATENESS_MS // step_ms
    if step < oldest:
        return None
    if steps and steps[-1][0] == step:
        steps[-1][1] += value
    else:
        for pair in steps:
            if pair[0] == step:
                pair[1] += value
                break
        else:
            insort(steps, [step, value])
            while steps[0][0] < oldest:
                del steps[0]
    most = sum([amount for at, amount in steps if step - STEPS < at <= step])
    if step < steps[-1][0]:
        # One that came late also counts in the windows that ended after it.
        ends = [end for end, _ in steps if step < end < step + STEPS]
        most = max([most, *(sum([amount for at, amount in steps if end - STEPS < at <= end]) for end in ends)])
    return Hit(observed=round(most, 4), baseline=p["at_least"]) if most >= p["at_least"] else None


def distinct(state: State, at_ms: int, value: Any, p: Mapping[str, Any]) -> Hit | None:
    """How many different values within `within_ms`; fires from `at_least` on. No more are counted than `at_most`."""
    seen: dict[str, int] = state.setdefault("seen", {})
    name = short(value)
    seen[name] = max(seen.get(name, 0), at_ms)
    if len(seen) < p["at_least"]:
        return None
    newest = max(seen.values())
    for known in [known for known, last in seen.items() if last < newest - p["within_ms"] - LATENESS_MS]:
        del seen[known]
    while len(seen) > p.get("at_most", MAX_DISTINCT):
        del seen[min(seen, key=lambda known: (seen[known], known))]
    found = sum(1 for last in seen.values() if at_ms - p["within_ms"] < last <= at_ms + p["within_ms"])
    return Hit(observed=found, baseline=p["at_least"]) if found >= p["at_least"] else None


def change(state: State, at_ms: int, value: Any, p: Mapping[str, Any]) -> Hit | None:
    """A value that was not there before, once `learn` observations were made; then it is known."""
    known: dict[str, int] = state.setdefault("known", {})
    state["n"] = state.get("n", 0) + 1
    name = short(value)
    new = name not in known
    known[name] = max(known.get(name, 0), at_ms)
    while len(known) > MAX_KNOWN:
        del known[min(known, key=lambda other: (known[other], other))]
    return Hit(observed=str(value)[:80]) if new and state["n"] > p.get("learn", 1) else None


def rise(state: State, at_ms: int, value: Any, p: Mapping[str, Any]) -> Hit | None:
    """The sum of an hour against what that hour of the week usually has, for this subject.

    Usual is a robust moving average (each hour moves it by at most `clip` deviations), by hour of the week once there
    are two weeks of history, over all busy hours before. Fires above `at_least`, `factor` times the usual and
    `deviations` above it; in the first week above `unknown`, or, after a day, `factor` times the busiest
    hour. After some days it also fires where a whole day is `factor` times the busiest before.
    """
    if not isinstance(value, int | float):
        return None
    hour = at_ms // HOUR_MS
    if "hour" not in state:
        state |= {"hour": hour, "sum": 0, "first": hour, "all": None, "week": {}, "busy": 0, "most": 0}
    if hour < state["hour"]:
        return None
    if hour > state["hour"]:
        _learn(state, p)
        state |= {"hour": hour, "sum": 0}
    state["sum"] += value
    if much := _day(state, hour // 24, value, p):
        return much
    usual = _usual(state, hour)
    if usual is None:
        level = None
        limit = p["unknown"]
        if state["busy"] >= _SOME_HOURS and hour - state["first"] >= 24:
            # Too little for a habit, enough to know what much is.
            limit = min(limit, max(2 * p["at_least"], p["factor"] * state["most"]))
    else:
        level, spread = usual
        limit = max(p["at_least"], level * p["factor"], level + p["deviations"] * spread)
    if state["sum"] <= limit:
        return None
    return Hit(observed=round(state["sum"], 4), baseline=round(level or limit, 4))


def _day(state: State, day: int, value: float, p: Mapping[str, Any]) -> Hit | None:
    """The sum of a day against the busiest before, once there were some: so that nobody stays just below for hours."""
    today: list[float] = state.setdefault("day", [day, 0, 0, 0])
    if today[0] < day:
        today[:] = [day, 0, max(today[2], today[1]), today[3] + 1]
    today[1] += value
    limit = max(_HOURS_A_DAY * p["at_least"], p["factor"] * today[2])
    if today[3] < _SOME_DAYS or today[1] <= limit:
        return None
    why = "{observed} within the day, against {baseline} on the busiest day before"
    return Hit(why, observed=round(today[1], 4), baseline=round(today[2], 4))


def _usual(state: State, hour: int) -> list[float] | None:
    slot = state["week"].get(str(hour % WEEK_HOURS))
    overall: list[float] | None = state["all"]
    # A whole week, so that nights are not what a morning is held against.
    if overall is None or state["busy"] < 12 or hour - state["first"] < WEEK_HOURS:
        return None
    if slot is None or hour - state["first"] < 2 * WEEK_HOURS:
        return overall
    # The busier of the two: a launch on a quiet evening is not yet an attack.
    return slot if slot[0] > overall[0] else overall


def _learn(state: State, p: Mapping[str, Any]) -> None:
    slots: dict[str, list[float]] = state["week"]
    name = str(state["hour"] % WEEK_HOURS)
    state["busy"] += 1
    state["most"] = max(state["most"], state["sum"])
    state["all"] = _moved(state["all"], state["sum"], 0.05, p)
    slots[name] = _moved(slots.get(name), state["sum"], 0.3, p)


def _moved(usual: list[float] | None, value: float, rate: float, p: Mapping[str, Any]) -> list[float]:
    if usual is None:
        return [float(value), abs(value) * 0.5]
    level, spread = usual
    off = value - level
    room = max(p.get("clip", 3) * spread, 0.2 * abs(level), 1e-9)
    off = max(-room, min(room, off))
    return [round(level + rate * off, 6), round(spread + rate * (abs(off) - spread), 6)]


FOLDS: dict[str, Fold] = {"count": count, "sum": total, "distinct": distinct, "change": change, "rise": rise}
