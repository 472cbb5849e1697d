"""The formats by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from slmtrail.collectors.tail.formats import azure, bedrock, envoy, kong, litellm, text
from slmtrail.collectors.tail.formats.format import EachEntry, Format
from slmtrail.collectors.tail.formats.own import OwnFormat
from slmtrail.core.errors import SettingsError

_READERS: dict[str, Callable[[bytes], list[dict[str, Any]]]] = {
    "bedrock": bedrock.read,
    "azure": azure.read,
    "kong": kong.read,
    "litellm": litellm.read,
    "envoy": envoy.read,
}
NAMES = ("slmtrail", "text", *_READERS)


def named(
    name: str, max_event_bytes: int, pattern: str = "", fixed: Mapping[str, str] | None = None, time_format: str = ""
) -> Format:
    """The format `name`. `pattern`, `fixed` and `time_format` are for text alone."""
    if name == "text":
        if not pattern:
            raise SettingsError("text needs a pattern: a regular expression with named groups")
        return EachEntry(text.reader(pattern, fixed or {}, time_format), max_event_bytes)
    if pattern or fixed or time_format:
        raise SettingsError(f"a pattern, values and a form of time are for text; {name} has a shape of its own")
    if name == "slmtrail":
        return OwnFormat(max_event_bytes)
    if name not in _READERS:
        raise SettingsError(f"{name}: no such format; there are {', '.join(NAMES)}")
    return EachEntry(_READERS[name], max_event_bytes)
