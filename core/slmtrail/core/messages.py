"""Chat messages in OpenTelemetry's shape: a role and parts."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from slmtrail.core.shapes import json_text

MAX_ITEMS = 10_000
"""Messages of one event, and parts of one message."""

JsonText = Annotated[str, BeforeValidator(json_text)]


class Part(BaseModel):
    """A piece of a message. What has no name here is kept as JSON text in `extra`."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)

    type: Annotated[str, Field(max_length=64)]
    content: str | None = None
    id: str | None = None
    name: str | None = None
    arguments: JsonText | None = None
    result: JsonText | None = None
    uri: str | None = None
    mime_type: str | None = None
    modality: str | None = None
    extra: JsonText | None = None


Parts = Annotated[list[Part], Field(max_length=MAX_ITEMS)]


class Message(BaseModel):
    """What one side said in one turn."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)

    role: Annotated[str, Field(max_length=64)]
    parts: Parts
    name: str | None = None
    finish_reason: str | None = None
