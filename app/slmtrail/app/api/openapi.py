"""The OpenAPI document, made from the operations."""

from __future__ import annotations

from functools import cache
from importlib import metadata
from typing import Any

from slmtrail.app.api.operation import Parameter
from slmtrail.app.api.operations import OPERATIONS
from slmtrail.app.api.problem import MEDIA_TYPE
from slmtrail.app.api.streams import STREAMS
from slmtrail.app.readers.looking import MAX_REASON_CHARS

_PROBLEM = {"$ref": "#/components/responses/problem"}
_FAULTS = dict.fromkeys(("400", "401", "403", "404", "421", "429", "503"), _PROBLEM)
_PLAIN = r"^[^\x00-\x1f\x7f]+$"
"""Of a part of a path: what holds a line's end is no address."""

_REASON = {"type": "string", "maxLength": MAX_REASON_CHARS}


@cache
def document() -> dict[str, Any]:
    """The document, in OpenAPI 3.1."""
    paths: dict[str, Any] = {}
    for one in OPERATIONS:
        made = _operation(one.name, one.summary, one.parameters, {"application/json": one.answer})
        if one.reason:
            needed = {"required": ["reason"]} if one.reason == "required" else {}
            schema = {"type": "object", "additionalProperties": False, "properties": {"reason": _REASON}, **needed}
            made["requestBody"] = {
                "required": one.reason == "required",
                "content": {"application/json": {"schema": schema}},
            }
        paths[one.path] = {one.method.lower(): made}
    for stream in STREAMS:
        paths[stream.path] = {"get": _operation(stream.name, stream.summary, stream.parameters, stream.media)}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "slmtrail",
            "version": metadata.version("slmtrail"),
            "description": "Find, understand and prove the records of an audit trail. What is given out is what the "
            "reader may see; that they looked is itself recorded.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/api/v1"}],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "responses": {
                "problem": {
                    "description": "What was wrong, and what to do.",
                    "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/problem"}}},
                }
            },
            "schemas": {
                "problem": {
                    "type": "object",
                    "required": ["type", "title", "status", "detail"],
                    "properties": {
                        "type": {"type": "string"},
                        "title": {"type": "string"},
                        "status": {"type": "integer"},
                        "detail": {"type": "string"},
                        "at": {"type": "integer", "description": "The character of the search, counted from 1."},
                    },
                }
            },
        },
    }


def _operation(name: str, summary: str, parameters: tuple[Parameter, ...], media: dict[str, Any]) -> dict[str, Any]:
    answered = {kind.partition(";")[0]: {"schema": dict(schema)} for kind, schema in media.items()}
    return {
        "operationId": name,
        "summary": summary,
        "parameters": [_parameter(parameter) for parameter in parameters],
        "responses": {"200": {"description": "The answer.", "content": answered}, **_FAULTS},
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": parameter.type}
    if parameter.type == "integer":
        schema |= {"minimum": parameter.least, "maximum": parameter.most}
    elif parameter.values:
        schema["enum"] = list(parameter.values)
    elif parameter.type == "string":
        schema |= {"minLength": parameter.least, "maxLength": parameter.most}
    if parameter.in_path:
        schema["pattern"] = _PLAIN
    if parameter.many:
        schema = {"type": "array", "items": schema, "minItems": 1, "maxItems": parameter.most}
    if not parameter.required and parameter.default != "":
        schema["default"] = parameter.default
    return {
        "name": parameter.name,
        "in": "path" if parameter.in_path else "query",
        "required": parameter.required,
        "description": parameter.description,
        "schema": schema,
    }
