"""Records as lines of a file: NDJSON with ECS names as they are, or CSV for a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass

import orjson

from slmtrail.core.ports import Sealed
from slmtrail.indexer.export import LEAF, LEDGER, line

COLUMNS = (
    "@timestamp",
    "event.id",
    "slm.kind",
    "event.action",
    "event.outcome",
    "event.reason",
    "deployment.environment.name",
    "service.namespace",
    "service.name",
    "host.name",
    "user.id",
    "user.name",
    "slm.role",
    "session.id",
    "trace.id",
    "source.ip",
    "gen_ai.operation.name",
    "gen_ai.request.model",
    "gen_ai.response.model",
    "slm.model.version",
    "slm.latency_ms",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "http.response.status_code",
    "slm.verdict",
    "rule.id",
    "slm.alert.severity",
    "slm.flags",
    "slm.findings.types",
    "message",
    "gen_ai.system_instructions",
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "slm.collector.id",
    LEDGER,
    LEAF,
)
"""The columns of a table: what people ask for. A field that is none of them is in the NDJSON."""

_RUNS = r"[=+\-@\uff1d\uff0b\uff0d\uff20]"
_FORMULA = re.compile(rf"\s*{_RUNS}|[\t\r\n]")
_FORMULA_WITHIN = re.compile(rf"(?<=[;\t])(?={_RUNS})")
"""Where a spreadsheet takes semicolons or tabs for what parts cells."""


@dataclass(frozen=True, slots=True)
class Format:
    """How records are written."""

    media_type: str
    head: Callable[[], bytes]
    row: Callable[[Sealed], bytes]


def _head() -> bytes:
    return _written([*COLUMNS])


def _row(sealed: Sealed) -> bytes:
    record = {**sealed.record, LEDGER: sealed.ledger, LEAF: sealed.leaf}
    return _written([_cell(record.get(name)) for name in COLUMNS])


def _cell(value: object) -> str:
    """A value as text; what a spreadsheet would run as a formula gets a quote in front."""
    if value is None:
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        value = " ".join(value)
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    text = _FORMULA_WITHIN.sub("'", text)
    return f"'{text}" if _FORMULA.match(text) else text


def _written(cells: list[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue().encode()


FORMATS = {
    "ndjson": Format("application/x-ndjson", lambda: b"", line),
    "csv": Format("text/csv; charset=utf-8", _head, _row),
}
