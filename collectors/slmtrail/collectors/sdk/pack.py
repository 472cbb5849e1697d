"""From what was handed over to the line that is sent: merged, flat, with no more content than may be kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from slmtrail.collectors.sdk import ids, plain
from slmtrail.collectors.sdk.here import CAPTURE, merged, stricter
from slmtrail.core.fields import CONTENT, FIELDS

MAX_EVENT_BYTES = 900_000
"""Below what a collector takes by default, with room for what it adds; longer texts are cut."""

EXCHANGE = "slm.exchange.id"
_GROUPS = frozenset(name[:end] for name in FIELDS for end in range(len(name)) if name[end] == ".")


Item = tuple[int, dict[str, Any], Mapping[str, Any], int | str]
"""An event as it waits: when it was handed over, what it says, where, and its id or the number of it."""


class Made(dict[str, Any]):
    """An event that the SDK made: its values are fitted to their fields before it is sent."""

    later: Callable[[], dict[str, Any]] | None = None
    """What is left to find out, in the packing thread."""


@dataclass(frozen=True, slots=True)
class Frozen:
    """A value as it was when it was handed over, as JSON."""

    text: bytes


def freeze(value: Any) -> Any:
    """`value`, safe from what its owner does to it later."""
    if value is None or type(value) in (str, int, float, bool):
        return value
    return Frozen(plain.dumps(value, MAX_EVENT_BYTES))


def read(event: dict[str, Any]) -> dict[str, Any]:
    """What an event says, by the names of fields. Raises where nothing can be made of it."""
    if isinstance(event, Made):
        from slmtrail.collectors.sdk.fitted import fitted

        return fitted(event)
    return _flat(event)


def line(item: Item, shared: Mapping[str, Any]) -> bytes:
    """The event's JSON; `shared` says what the event does not. Raises where nothing can be made of it."""
    at_ns, event, here, exchange = item
    whole = merged(merged(shared, here), event)
    if EXCHANGE not in event:
        whole[EXCHANGE] = ids.text(exchange) if isinstance(exchange, int) else exchange
    whole.setdefault("@timestamp", at_ns // 1_000_000)
    if level := stricter(None, whole.get(CAPTURE)):
        whole[CAPTURE] = level
    if level == "metadata":
        whole = {name: value for name, value in whole.items() if name not in CONTENT}
    return plain.dumps(whole, MAX_EVENT_BYTES)


def _flat(event: dict[str, Any]) -> dict[str, Any]:
    """`event` with the names that the collector knows where it is nested: a default would else be given twice."""
    if not any(key in _GROUPS and isinstance(value, dict) for key, value in event.items()):
        return event
    flat: dict[str, Any] = {}
    pending: list[tuple[str, Mapping[str, Any]]] = [("", event)]
    while pending:
        prefix, level = pending.pop()
        for key, value in level.items():
            name = f"{prefix}{key}"
            if name not in FIELDS and name in _GROUPS and isinstance(value, dict):
                pending.append((f"{name}.", value))
            elif name in flat:
                raise ValueError(f"{name} is given twice, once nested and once dotted")
            else:
                flat[name] = value
    return flat
