"""Two networks in turn."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from slmtrail.stream.judge.folds import DAY_MS, HOUR_MS, latest, short
from slmtrail.stream.judge.hit import About, Hit
from slmtrail.stream.judge.networks import place

_MAX_NETWORKS = 32
_MAX_SAID = 4
_AT_HOME_MS = 12 * HOUR_MS
_LONG_STAY = 2
_MIN_CHARS = 16
"""What is shorter, anybody may have said."""


def judge(record: dict[str, Any], _: About) -> Hit | None:
    """Where from, what was asked, and what had been asked before in the same conversation, for the window."""
    where = place(record)
    if where is None:
        return None
    return Hit("", value=[where, *islice(_questions(record), 2)])


def _questions(record: dict[str, Any]) -> Iterator[int]:
    """The questions of a conversation, the newest first, so that they can be told apart and not be read."""
    for message in reversed(record.get("gen_ai.input.messages", ())):
        if message["role"] == "user":
            text = "".join([part.get("content", "") for part in message["parts"]])
            yield zlib.crc32(text.encode("utf-8", "surrogatepass")) if len(text) >= _MIN_CHARS else 0


def fold(state: dict[str, Any], at_ms: int, value: Any, p: Mapping[str, Any]) -> Hit | None:
    """Fires when the network switched too often in too short a time, unless both have been in use for a day.

    Of two networks it is told for an hour: by then somebody knows, or it is how this person works. Where one
    conversation goes on from both, they are of one client, and nothing is told.

    A stranger beside somebody at home shows soon. Where nothing is known it takes twice as much: an office and its VPN,
    or Wi-Fi and a phone, look the same on the first day. A machine may have addresses of both kinds, so an address of
    the other kind is a stranger's only where the subject has had its own of that kind.
    """
    where, *questions = value
    last, switches = state.get("last"), state.setdefault("switches", [])
    networks = state.setdefault("networks", {})
    state["last"] = where
    seen = latest(networks, short(where), _MAX_NETWORKS)
    seen["since"] = min(at_ms, seen.get("since", at_ms))
    seen["v6"] = ":" in where
    if questions:
        said: list[int] = seen.setdefault("said", [])
        said.append(questions[0])
        del said[:-_MAX_SAID]
    stay, state["stay"] = state.get("stay", 1), 1
    if last is None or last == where:
        state["stay"] = stay + 1
        return None
    other = networks[short(last)]
    pair = short("|".join(sorted((last, where))))
    if len(questions) > 1 and questions[1] and questions[1] in other.get("said", ()):
        latest(state.setdefault("one", {}), pair, _MAX_NETWORKS)["client"] = True
    newer, older = sorted((seen, other), key=lambda one: -one["since"])
    if stay > _LONG_STAY and other is newer:
        # Who asks that much from there in one go has moved there, and now back.
        if switches and switches[-1][1] == pair:
            switches.pop()
        return None
    switches.append([at_ms, pair])
    del switches[:-32]
    if pair in state.get("one", ()):
        return None
    if at_ms - newer["since"] > DAY_MS:
        return None
    if newer["v6"] != older.get("v6", newer["v6"]) and not any(
        one.get("v6") == newer["v6"] and at_ms - one["since"] > _AT_HOME_MS for one in networks.values()
    ):
        return None
    at_least = p["switches"] * (2 if at_ms - older["since"] < _AT_HOME_MS else 1)
    near = [both for at, both in switches if abs(at_ms - at) <= p["within_ms"]]
    recent = near.count(pair)
    # A service goes round among many.
    if recent < at_least or 2 * recent < len(near):
        return None
    if at_ms - latest(state.setdefault("told", {}), pair, _MAX_NETWORKS).setdefault("since", at_ms) > HOUR_MS:
        return None
    return Hit(f"{recent} switches between {last} and {where} within {p['within']}", observed=recent, baseline=at_least)
