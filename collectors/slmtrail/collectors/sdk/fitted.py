"""Values that the SDK or its adapters found, made to fit their fields: no event is refused for the shape of one."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from slmtrail.collectors.sdk import plain
from slmtrail.collectors.sdk.kinds import takes
from slmtrail.collectors.sdk.pack import MAX_EVENT_BYTES, Frozen, Made
from slmtrail.collectors.sdk.quiet import told
from slmtrail.collectors.sidecar.fit import fitting, without_blobs
from slmtrail.core.fields import FIELDS, MAX_KEYWORD_CHARS

MAX_LABELS = 64
UNKNOWN = "unknown"

_FAULT = ("event.outcome", "error.type", "error.message")
_NAMED_BY = {
    "inference": "gen_ai.request.model",
    "process": "slm.step.name",
    "upstream": "slm.upstream.name",
    "config": "slm.config.name",
}
"""What an event of a kind can't be without."""

_LABEL = re.compile(r"[A-Za-z0-9_.\-]{1,64}")


def fitted(event: Made) -> dict[str, Any]:
    """The event, or context, with values that its fields take; what does not fit the field of its name becomes an
    attribute."""
    given = {name: _thawed(value) for name, value in event.items()}
    if event.later:
        given = _completed(given, event.later)
    attributes = {name: _thawed(note) for name, note in (given.pop("slm.attributes", None) or {}).items()}
    kind = given.get("slm.kind")
    fit: dict[str, Any] = {}
    for name, value in given.items():
        made, rest = _fit(name, value, kind if isinstance(kind, str) else "")
        fit |= made
        attributes |= rest
    if attributes:
        fit["slm.attributes"] = plain.dumps(attributes, MAX_EVENT_BYTES).decode()
    if needed := _NAMED_BY.get(kind or ""):
        fit.setdefault(needed, UNKNOWN)
    return fit


def _thawed(value: Any) -> Any:
    return plain.loads(value.text) if isinstance(value, Frozen) else value


def _fit(name: str, value: Any, kind: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The field, or else the attribute."""
    if value is None:
        return {}, {}
    try:
        fits = _FITS.get(FIELDS[name].type)
        if not takes(kind, name):
            return {}, {name: value}
        return fits(name, value) if fits else fitting({name: without_blobs(value)})
    except Exception:  # no such field, no such address, an integer beyond all bounds, a lone surrogate
        return {}, {name: value}


def _labels(name: str, value: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    texts = {key: one if isinstance(one, str) else plain.dumps(one, MAX_EVENT_BYTES).decode()
             for key, one in value.items()}  # fmt: skip
    fit = [key for key, text in texts.items() if _LABEL.fullmatch(key) and len(text) <= MAX_KEYWORD_CHARS][:MAX_LABELS]
    rest = {key: one for key, one in value.items() if key not in fit}
    return ({name: {key: texts[key] for key in fit}} if fit else {}), ({name: rest} if rest else {})


def _address(name: str, value: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    return {name: str(ipaddress.ip_address(value.partition("%")[0]))}, {}


def _date(name: str, value: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    if isinstance(value, str):
        datetime.fromisoformat(value)
        return {name: value}, {}
    datetime.fromtimestamp(value / 1000)  # noqa: DTZ006 - only whether there is such a time
    return {name: int(value)}, {}


_FITS: dict[str, Callable[[str, Any], tuple[dict[str, Any], dict[str, Any]]]] = {
    "labels": _labels,
    "ip": _address,
    "date": _date,
}


def _completed(given: dict[str, Any], later: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """With what was left to find out. A fault that was seen at once stands."""
    try:
        found = later()
    except Exception as error:
        told("something of an answer", error)
        return given
    notes = {**given.pop("slm.attributes", {}), **found.pop("slm.attributes", {})}
    if given.get("event.outcome") != "success":
        found = {name: value for name, value in found.items() if name not in _FAULT}
    return {**given, **found, **({"slm.attributes": notes} if notes else {})}
