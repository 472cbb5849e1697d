"""A request to a model and its answer, as bytes; another thread makes fields of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from slmtrail.collectors.sdk import plain
from slmtrail.collectors.sdk.quiet import quiet
from slmtrail.collectors.sdk.span import LEFT
from slmtrail.collectors.sdk.spans import Inference
from slmtrail.collectors.sidecar import streams
from slmtrail.collectors.sidecar.apis.api import Api, Joined, Json, mapping, text

MAX_BODY_BYTES = 4 * 1024 * 1024
"""Kept of each side; what is longer passes, and the event says that it was cut."""

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.\-]{0,63}")


class Exchange:
    """What is seen of one call."""

    def __init__(self, span: Inference, api: Api, asked: bytes) -> None:
        self.span = span
        self.status = 0
        self.content_type = ""
        self._api = api
        self._asked = asked
        self._pieces: list[tuple[int, bytes]] = []
        self._bytes = 0
        self._reading = False
        self._over = False
        self._left = False
        span.begin()

    @quiet
    def goes_to(self, host: str, port: int | None) -> None:
        """Where the model is."""
        self.span.set("server.address", host)
        self.span.set("server.port", port)

    @quiet
    def take(self, piece: bytes) -> None:
        """The next bytes of the answer."""
        if self._bytes < MAX_BODY_BYTES:
            self._pieces.append((self.span.passed_ms(), piece))
        self._bytes += len(piece)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """While the caller waits for bytes: a close in here is that of an answer that came to its end."""
        self._reading = True
        try:
            yield
        finally:
            self._reading = False

    def closed(self) -> None:
        """The answer is closed: if that is not its end, it will not be read to it."""
        if not self._reading:
            self.end(GeneratorExit())

    def end(self, error: BaseException | None = None) -> None:
        """Nothing more comes. Only the first call counts."""
        if not self._over:
            self._over = True
            self._left = isinstance(error, GeneratorExit)
            self.span.set("slm.request_bytes", len(self._asked))
            self.span.set("slm.response_bytes", self._bytes)
            self.span.end(None if self._left else error, later=self._fields)

    def _fields(self) -> Json:
        asked = _object(self._asked[:MAX_BODY_BYTES])
        notes: Json = {}
        fields: Json = {"gen_ai.operation.name": self._api.operation, "gen_ai.provider.name": self._api.provider}
        if self.status:
            fields["http.response.status_code"] = self.status
        if max(len(self._asked), self._bytes) > MAX_BODY_BYTES:
            notes["cut"] = True
        body: Json
        if self.status == 200 and self._streams(asked):
            joined, done = self._joined()
            body = joined.body
            fields["gen_ai.request.stream"] = True
            if joined.token_ms:
                fields["slm.time_to_first_token_ms"] = joined.token_ms[0]
                notes["pieces"] = len(joined.token_ms)
        else:
            body = _object(b"".join(piece for _, piece in self._pieces))
            done = bool(body) or self.status != 200
        if self._left and not done:
            fields |= {"event.outcome": "unknown", "event.reason": LEFT}
        elif not done and not notes.get("cut"):
            fields |= _failed("incomplete_stream" if "gen_ai.request.stream" in fields else "malformed_response_body")
        fields = {**self._api.request(asked), **self._api.answer(body), **fields, **_error(self.status, body)}
        return fields | ({"slm.attributes": notes} if notes else {})

    def _streams(self, asked: Json) -> bool:
        if self._api.ndjson:
            return "ndjson" in self.content_type and asked.get("stream") is not False
        return "event-stream" in self.content_type

    def _joined(self) -> tuple[Joined, bool]:
        stream = (streams.lines if self._api.ndjson else streams.server_sent)(self._pieces)
        joined = self._api.join(stream.values)
        return joined, joined.complete or stream.done


def _object(data: bytes) -> Json:
    try:
        return mapping(plain.loads(data))
    except ValueError:
        return {}


def _failed(kind: str) -> Json:
    return {"event.outcome": "failure", "error.type": kind}


def _error(status: int, body: Json) -> Json:
    """What the server says went wrong."""
    error = body.get("error")
    if status < 400 and not error:
        return {}
    words = (text(mapping(error).get("type")), text(mapping(error).get("code")), str(status))
    message = text(mapping(error).get("message")) or text(error)
    failed: Json = _failed(next(word for word in words if _WORD.fullmatch(word) or word.isdigit()))
    return failed | ({"error.message": message} if message else {})
