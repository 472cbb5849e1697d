"""The routes of the API: each operation under its limits, what streams, and the document that describes them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from itertools import islice
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from slmtrail.app.api import problem
from slmtrail.app.api.limits import Busy, Rate, Workers
from slmtrail.app.api.live import Live
from slmtrail.app.api.openapi import document
from slmtrail.app.api.operation import Given, Operation, read
from slmtrail.app.api.operations import OPERATIONS, asked
from slmtrail.app.api.streams import EXPORT, MAX_EXPORTED, STREAM, VERIFY
from slmtrail.app.readers.access import Access
from slmtrail.app.readers.door import reader_of
from slmtrail.app.readers.looking import Looking
from slmtrail.app.reading import Reading
from slmtrail.app.tables import FORMATS
from slmtrail.collectors.receive.door import peer_of
from slmtrail.core.errors import NotAllowed, QueryError, TrailError
from slmtrail.indexer.store.language.times import moment_ms

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 16 * 1024
BEAT_S = 15.0
EXPORTED_AT_ONCE = 500
VERIFY_S = 60.0

Answering = Callable[[Request], Awaitable[Response]]


class Api:
    """The API over an open trail."""

    def __init__(self, trail: Reading, access: Access, requests_a_minute: int) -> None:
        self._trail = trail
        self._access = access
        self._rate = Rate(requests_a_minute)
        self._workers = Workers()
        self._live = Live(trail)
        self._verifying = asyncio.Lock()

    def application(self) -> Starlette:
        """To be mounted at /api/v1, behind the door of readers."""
        routes: list[BaseRoute] = [
            Route(one.path, self._answering(one.name, partial(self._one, one)), methods=[one.method])
            for one in OPERATIONS
        ]
        streams = ((EXPORT, self._export), (STREAM, self._stream), (VERIFY, self._verify))
        routes += [Route(one.path, self._answering(one.name, answer)) for one, answer in streams]
        routes.append(Route("/openapi.json", _document))
        return Starlette(routes=routes, exception_handlers={HTTPException: _http_error, Exception: _unexpected})

    def _answering(self, name: str, answer: Answering) -> Answering:
        async def answering(request: Request) -> Response:
            reader = reader_of(request.scope)
            try:
                self._rate.take(reader.name)
                return await answer(request)
            except NotAllowed as error:
                self._access.refuse(reader, name, "not_allowed", peer_of(request.scope))
                return problem.of(error)
            except Busy as busy:
                return problem.problem(busy.status, str(busy), {"retry-after": str(busy.retry_after_s)})
            except TrailError as error:
                return problem.of(error)

        return answering

    def _looking(self, request: Request, given: Given) -> Looking:
        return Looking(
            reader_of(request.scope),
            self._trail,
            self._access,
            peer_of(request.scope),
            content=given.get("content", False),
        )

    async def _one(self, operation: Operation, request: Request) -> Response:
        given = read(operation.parameters, request.query_params, request.path_params)
        if operation.reason:
            given["reason"] = await _reason(request, required=operation.reason == "required")
        looking = self._looking(request, given)
        # Answers may be large: they are put together where they hold up nobody.
        data = await self._workers.run(lambda: orjson.dumps(operation.work(looking, given)))
        return Response(data, media_type="application/json")

    async def _export(self, request: Request) -> Response:
        given = read(EXPORT.parameters, request.query_params, request.path_params)
        looking, form = self._looking(request, given), FORMATS[given["format"]]
        found = await self._workers.run(lambda: looking.export(asked(given), MAX_EXPORTED))

        async def rows() -> AsyncIterator[bytes]:
            yield form.head()
            while True:
                made = await self._workers.run(lambda: [form.row(one) for one in islice(found, EXPORTED_AT_ONCE)])
                yield b"".join(made)
                if len(made) < EXPORTED_AT_ONCE:
                    return

        name = {"content-disposition": f'attachment; filename="records.{given["format"]}"'}
        return StreamingResponse(rows(), media_type=form.media_type, headers=name)

    async def _stream(self, request: Request) -> Response:
        given = read(STREAM.parameters, request.query_params, request.path_params)
        self._live.room()
        looking = self._looking(request, given)
        fits = await self._workers.run(lambda: looking.following(asked(given)))
        coming = self._live.follow(fits, looking.bare, BEAT_S)

        async def events() -> AsyncIterator[bytes]:
            async for one in coming:
                if one is None:
                    yield b": waiting\n\n"
                elif isinstance(one, int):
                    yield b'event: lost\ndata: {"count":%d}\n\n' % one
                else:
                    yield b"id: %s\nevent: record\ndata: %s\n\n" % (one.id.encode(), orjson.dumps(one.record))

        return StreamingResponse(events(), media_type="text/event-stream")

    async def _verify(self, request: Request) -> Response:
        given = read(VERIFY.parameters, request.query_params, request.path_params)
        looking = self._looking(request, given)
        if self._verifying.locked():
            raise Busy("the trail is being verified already: ask again in a while", 503, 10)
        async with self._verifying:
            data = await asyncio.to_thread(self._verified, looking, given)
        return Response(data, media_type="application/json")

    def _verified(self, looking: Looking, given: Given) -> bytes:
        looking.verifying()
        times = [moment_ms(given[name]) if given[name] else None for name in ("since", "until")]
        end_s = time.monotonic() + VERIFY_S

        def progress(_done: int, _all: int) -> None:
            if time.monotonic() > end_s:
                raise QueryError("this takes too long here: narrow it by since:, or run `slmtrail verify`")

        proved = self._trail.verify(given["collector"], times[0], times[1], progress)
        return orjson.dumps({"verified": not proved.faults, **_plain(proved)})


def _plain(proved: Any) -> dict[str, Any]:
    told: dict[str, Any] = orjson.loads(orjson.dumps(proved))
    return told


async def _reason(request: Request, *, required: bool) -> str:
    """The reason in a body of JSON; a page of another site can't send one without asking first."""
    length = request.headers.get("content-length", "0")
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY_BYTES or int(length or 0) > MAX_BODY_BYTES:
            raise QueryError(f"the body is larger than {MAX_BODY_BYTES} bytes")
    if not body and not required:
        return ""
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise QueryError('the body is JSON: {"reason": "…"}') from None
    reason = given.get("reason", "") if isinstance(given, dict) else None
    if not isinstance(reason, str) or (isinstance(given, dict) and given.keys() - {"reason"}):
        raise QueryError('the body is JSON: {"reason": "…"}')
    return reason


async def _document(_: Request) -> Response:
    return Response(orjson.dumps(document()), media_type="application/json")


def _http_error(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    texts = {
        404: "there is nothing at this address: see /api/v1/openapi.json",
        405: "this address takes another method",
    }
    return problem.problem(status, texts.get(status, "see /api/v1/openapi.json"), getattr(error, "headers", None))


def _unexpected(_: Request, error: Exception) -> Response:
    log.error("a request to the API failed: %s", type(error).__name__, exc_info=error)
    return problem.problem(500, "something went wrong here: the log says what")
