"""Many different questions of one make: what is the same in them is their form, what differs a piece of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from slmtrail.stream.judge.folds import DAY_MS, count, distinct, latest, short
from slmtrail.stream.judge.hit import About, Hit
from slmtrail.stream.judge.networks import NETWORK
from slmtrail.stream.judge.texts import asked_last

_VARIABLE = re.compile(r"\b[^\W\d]*\d\w*|\"[^\"]{1,80}\"|'[^']{1,80}'|<[^>]{1,60}>")
_VARIABLE_OR_ADDRESS = re.compile(rf"{_VARIABLE.pattern}|\S+@\S+")
_DIGIT = re.compile(r"\d")
_HEAD_WORDS = 5
_MAX_FORMS = 24
_MAX_CALLERS = 64
_CALLER = ("user.id", "slm.key.hash", "session.id")
_RECENT_TEXTS = 400
_ANY_FORM = "*"
_HABIT_DAYS = 35
_KNOWN_DAYS = 5


def judge(record: dict[str, Any], about: About) -> Hit | None:
    """The form and the whole of what was asked, neither of which can be read, and of a network who, for the window."""
    found = _question(asked_last(record))
    if found is None or not about.subject.endswith(NETWORK):
        return found
    caller = next((record[name] for name in _CALLER if name in record), None)
    return Hit("", found.excerpt, value=[*found.value, short(caller)]) if caller else None


@lru_cache(1)
def _question(asked: str) -> Hit | None:
    """The same for two rules, one after the other."""
    words = asked.casefold().split()
    text = " ".join(words)
    if len(text) < 8:
        return None
    alike = _alike(words, text)
    form = f"{' '.join(alike[:_HEAD_WORDS])} {len(alike) // 6}"
    return Hit("", text[:160], value=[short(form), short(text)])


def _alike(words: list[str], text: str) -> list[str]:
    """The words of a text, with one mark for each number, quotation and address, at its head at least."""
    variable = _VARIABLE_OR_ADDRESS if "@" in text else _VARIABLE
    if '"' in text or "<" in text or text.count("'") > 1:
        return variable.sub("_", text).split()
    # Nothing goes over several words, so the rest of them only have to be counted.
    head = " ".join(words[:_HEAD_WORDS])
    if "@" in head or _DIGIT.search(head):
        return [*variable.sub("_", head).split(), *words[_HEAD_WORDS:]]
    return words


def fold(state: dict[str, Any], at_ms: int, value: Any, p: Mapping[str, Any]) -> Hit | None:
    """Fires where too many questions differ, or too many are alike without being the same."""
    if len(value) == 3:
        return _together(state, at_ms, value, p)
    form, text = value
    asked = latest(state.setdefault("forms", {}), form, _MAX_FORMS)
    alike = distinct(asked, at_ms, text, {**p, "at_least": p["alike"], "at_most": 2 * p["alike"]})
    # In one text: as a map they would take twenty times the memory, of every user.
    recent: str = state.get("texts", "")
    many, today, alike_today = None, 0, 0
    if text not in recent:
        state["texts"] = f"{recent} {text}"[-_RECENT_TEXTS * (len(text) + 1) :]
        many = count(state, at_ms, None, {**p, "at_least": p["different"]})
        today, alike_today = _today(state, at_ms), _today(asked, at_ms)
    if alike and not _habit(state, form, at_ms):
        why = f"{alike.observed} questions of one make within {p['within']}, each with another piece changed"
        return Hit(why, observed=alike.observed, baseline=p["alike"])
    if many and not _habit(state, _ANY_FORM, at_ms):
        why = f"{many.observed} different questions within {p['within']}"
        return Hit(why, observed=many.observed, baseline=p["different"])
    if alike_today >= p["patient"] // 3 and not _habit(state, form, at_ms):
        why = f"{alike_today} questions of one make in a day, each with another piece changed"
        return Hit(why, observed=alike_today, baseline=p["patient"] // 3)
    if today >= p["patient"] and not _habit(state, _ANY_FORM, at_ms):
        return Hit(f"{today} different questions in a day", observed=today, baseline=p["patient"])
    return None


def _today(state: dict[str, Any], at_ms: int) -> int:
    """How many there were on this day, with this one."""
    today: list[int] = state.setdefault("today", [0, 0])
    day = at_ms // DAY_MS
    if today[0] < day:
        today[:] = [day, 0]
    today[1] += 1
    return today[1]


def _together(state: dict[str, Any], at_ms: int, value: Any, p: Mapping[str, Any]) -> Hit | None:
    """Fires where several callers of a network ask what would be too much for one.

    Of the different questions only those beyond a number that each may ask count, twice as many of who is known for
    days: an office asks much, but each in it little. And of nobody more than a third of what is too much count: one who
    asks that alone is told of by name.
    """
    form, text, caller = value
    made = latest(state.setdefault("forms", {}), form, _MAX_FORMS)
    at_least = 2 * p["alike"]
    latest(made.setdefault("callers", {}), caller, _MAX_CALLERS)["last"] = at_ms
    alike = distinct(made, at_ms, text, {**p, "at_least": at_least, "at_most": 2 * at_least})
    if alike and (who := _callers(made, at_ms, p)) and not _habit(state, form, at_ms):
        why = f"{who} callers of one network asked {alike.observed} questions of one make within {p['within']}"
        return Hit(why, observed=alike.observed, baseline=at_least)
    asked = latest(state.setdefault("callers", {}), caller, _MAX_CALLERS)
    # Somebody who has worked here for days may ask more: a launch is busy, and throw-away names are new.
    known = at_ms - asked.setdefault("first", at_ms) >= _KNOWN_DAYS * DAY_MS
    each = 2 * p["each"] if known else p["each"]
    beyond = count(asked, at_ms, None, {**p, "at_least": each + 1})
    if not beyond or not isinstance(beyond.observed, int) or beyond.observed > p["each"] + p["different"] // 3:
        return None
    asked["last"] = at_ms
    many = count(state, at_ms, None, {**p, "at_least": p["different"]})
    if many and (who := _callers(state, at_ms, p)) and not _habit(state, _ANY_FORM, at_ms):
        why = f"{who} callers of one network asked {many.observed} questions beyond what each may ask"
        return Hit(f"{why} within {p['within']}", observed=many.observed, baseline=p["different"])
    return None


def _callers(state: dict[str, Any], at_ms: int, p: Mapping[str, Any]) -> int:
    """How many callers asked of late, where they are enough."""
    recent = sum(1 for one in state["callers"].values() if abs(at_ms - one.get("last", 0)) < p["within_ms"])
    return recent if recent >= p["callers"] else 0


def _habit(state: dict[str, Any], form: str, at_ms: int) -> bool:
    """Whether this was told of on another day of the week before: a job of every night is told of once."""
    days: dict[str, list[int]] = state.setdefault("days", {})
    told = days.setdefault(form, [])
    day = at_ms // DAY_MS
    habit = any(0 < day - other <= _HABIT_DAYS for other in told)
    if day not in told:
        told.append(day)
        del told[:-2]
    while len(days) > _MAX_FORMS:
        del days[min(days, key=lambda name: (days[name][-1], name))]
    return habit
