"""The operations whose answer comes piece by piece, or takes long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from slmtrail.app.api.operation import Parameter
from slmtrail.app.api.operations import CONTENT, SEARCH, SORT
from slmtrail.app.tables import FORMATS

MAX_EXPORTED = 10_000_000


@dataclass(frozen=True, slots=True)
class Stream:
    """One of these. media: what it answers with, and the schema of that."""

    name: str
    path: str
    summary: str
    parameters: tuple[Parameter, ...]
    media: dict[str, dict[str, Any]]


EXPORT = Stream(
    "export",
    "/export",
    "All records that fit, as a file.",
    (*SEARCH, SORT, CONTENT, Parameter("format", "What the file is.", default="ndjson", values=tuple(FORMATS))),
    {form.media_type: {"type": "string"} for form in FORMATS.values()},
)
STREAM = Stream(
    "stream",
    "/stream",
    "Records that fit, as they are stored: server-sent events `record`, and `lost` where the reader is too slow.",
    (*SEARCH, CONTENT),
    {"text/event-stream": {"type": "string"}},
)
VERIFY = Stream(
    "verify",
    "/verify",
    "Whether anything was changed, removed, inserted or reordered, in all of the trail or a part of it.",
    (
        Parameter("collector", "Only from the first to the last record of this collector."),
        Parameter("since", "Only from then on."),
        Parameter("until", "Only before then."),
    ),
    {"application/json": {"type": "object"}},
)
STREAMS = (EXPORT, STREAM, VERIFY)
