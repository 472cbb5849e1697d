"""Events that are canonical already, as a collector's frames hold them: checked in one pass, without making a model.

What is taken here, `events.parse` would give back just so. What is not taken may be an event all the same: it says.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, get_args, get_type_hints

import orjson
from pydantic import BaseModel, TypeAdapter
from pydantic_core import CoreConfig, CoreSchema, SchemaValidator, core_schema

from slmtrail.core import canonical, events
from slmtrail.core.messages import MAX_ITEMS, JsonText, Message, Part, Parts

_TIME = re.compile(r"\d{4}-\d\d-\d\dT([01]\d|2[0-3]):\d\d:\d\d\.\d{3}Z", re.ASCII)
_MODELS = frozenset({"gen_ai.request.model", "gen_ai.response.model"})


def event(line: bytes) -> dict[str, Any] | None:
    """The event in `line`, where it is canonical and of a kind that is collected."""
    try:
        given = orjson.loads(line)
        made: dict[str, Any] = _CHECKS[given["slm.kind"]].validate_python(given)
    except (ValueError, KeyError, TypeError):
        return None
    return None if made["slm.kind"] == "inference" and _MODELS.isdisjoint(made) else made


def _time(text: str) -> str:
    if not _TIME.fullmatch(text):
        raise ValueError("is not in its canonical form")
    datetime.fromisoformat(text)
    return text


def _dict(model: type[BaseModel]) -> CoreSchema:
    """The dict that such a model is written as: nothing in it is null, and what has a default is there."""
    hints = get_type_hints(model, include_extras=True)
    fields = {
        field.alias or name: core_schema.typed_dict_field(_schema(hints[name]), required=field.default is not None)
        for name, field in model.model_fields.items()
    }
    return core_schema.typed_dict_schema(fields, extra_behavior="forbid")


def _schema(hint: Any) -> CoreSchema:
    if type(None) in get_args(hint):
        (hint,) = (one for one in get_args(hint) if one is not type(None))
    return next((schema for known, schema in _SIMPLER if known == hint), None) or TypeAdapter(hint).core_schema


_SIMPLER: list[tuple[Any, CoreSchema]] = []
"""What is left to check of types that take more than their canonical form."""
_SIMPLER += [
    (events.Timestamp, core_schema.no_info_after_validator_function(_time, core_schema.str_schema())),
    (events.Integer, core_schema.int_schema(ge=-canonical.MAX_INTEGER, le=canonical.MAX_INTEGER)),
    (events.Json, core_schema.str_schema(max_length=events.MAX_TEXT_CHARS)),
    (JsonText, core_schema.str_schema()),
]
_SIMPLER.append((Parts, core_schema.list_schema(_dict(Part), max_length=MAX_ITEMS)))
_SIMPLER.append((events.Messages, core_schema.list_schema(_dict(Message), max_length=MAX_ITEMS)))

_CHECKS = {
    kind: SchemaValidator(_dict(events.KINDS[kind]), CoreConfig(strict=True)) for kind in sorted(events.COLLECTED_KINDS)
}
