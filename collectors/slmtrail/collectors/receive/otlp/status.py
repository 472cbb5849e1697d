"""Answers of OTLP over HTTP that say no: a google.rpc.Status in the encoding of the request."""

from __future__ import annotations

from collections.abc import Mapping

import orjson
from starlette.responses import Response

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
PATHS = frozenset(("/v1/traces", "/v1/logs", "/v1/metrics"))

_CODES = {400: 3, 401: 16, 403: 7, 408: 4, 413: 3, 415: 3, 429: 8, 503: 14}
"""What gRPC calls these."""


def media_type(headers: Mapping[str, str]) -> str:
    """The encoding of a request; empty where it is none of OTLP's."""
    given = headers.get("content-type", "").partition(";")[0].strip().lower()
    return {PROTOBUF: PROTOBUF, "application/protobuf": PROTOBUF, JSON: JSON}.get(given, "")


def failed(headers: Mapping[str, str], status: int, text: str, retry_after_s: int | None = None) -> Response:
    """The answer that a client of OTLP understands; with a time where it may try again."""
    more = {"retry-after": str(retry_after_s)} if retry_after_s else {}
    if media_type(headers) == JSON:
        return Response(orjson.dumps({"code": _CODES[status], "message": text}), status, more, media_type=JSON)
    said = text.encode()[:1000]
    body = bytes((0x08, _CODES[status], 0x12)) + _varint(len(said)) + said
    return Response(body, status, more, media_type=PROTOBUF)


def _varint(number: int) -> bytes:
    return bytes([number]) if number < 0x80 else bytes([number & 0x7F | 0x80, number >> 7])
