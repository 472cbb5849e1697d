"""The HTTP endpoint of a collector: what it takes, from whom, how much at once, and over which TLS."""

from __future__ import annotations

import contextlib
import logging
import ssl
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from slmtrail.app import parts
from slmtrail.app.running import monitor
from slmtrail.app.running.serve import listen
from slmtrail.app.running.tls import serving
from slmtrail.collectors.collector import Collector
from slmtrail.collectors.enrolling import enrolment_routes
from slmtrail.collectors.ingest import ingest_routes
from slmtrail.collectors.receive import senders
from slmtrail.collectors.receive.door import Door
from slmtrail.collectors.receive.otlp.routes import otlp_routes
from slmtrail.collectors.receive.pressure import LEAST_BYTES, Pressure, Room
from slmtrail.collectors.receive.syslog.server import SyslogOptions, listening
from slmtrail.core import canonical, events
from slmtrail.core.errors import SettingsError
from slmtrail.core.settings import IngestSettings, Settings

log = logging.getLogger(__name__)

FILLING = 0.9
"""The part of a spool from which on senders are put off; the rest is for those who can't wait."""


def application(
    settings: Settings,
    collector: Collector,
    room: Room,
    pages: Sequence[BaseRoute] = (),
    outer: Sequence[Middleware] = (),
) -> Starlette:
    """The receivers and `pages` behind `outer`, who may send, and how much fits in memory at once."""
    ingest = settings.ingest
    routes: list[BaseRoute] = [
        *ingest_routes(collector, parts.ingest_limits(settings)),
        *otlp_routes(collector, ingest.max_event_bytes, ingest.max_request_bytes, keep_others=ingest.keep_others),
        *own_routes(),
    ]
    if admission := parts.admission(settings):
        routes += enrolment_routes(admission)
    inner = [Middleware(Pressure, room=room, filling=lambda: filling(settings, collector))]
    if ingest.senders == "known":
        inner.insert(0, Middleware(Door, senders=_senders(settings), tell=lambda event: _tell(collector, event)))
    return Starlette(routes=[*routes, *pages], middleware=[*outer, *inner])


def own_routes() -> list[Route]:
    """What the endpoint says of itself: that it lives, whether it is ready, and what it counts."""

    async def metrics(_: Request) -> Response:
        return _response(monitor.metrics())

    async def live(_: Request) -> Response:  # this answers on the event loop itself
        return PlainTextResponse("live\n")

    async def ready(_: Request) -> Response:
        return _response(monitor.ready())

    return [Route("/metrics", metrics), Route("/health/live", live), Route("/health/ready", ready)]


def room(settings: Settings) -> Room:
    """What all that is under way may take together. The largest request always fits."""
    ingest = settings.ingest
    return Room(max(ingest.max_waiting_bytes, ingest.max_request_bytes + LEAST_BYTES))


def tls(ingest: IngestSettings) -> ssl.SSLContext | None:
    """The context to serve with; None for plain HTTP. Raises SettingsError and KeyFileError."""
    if ingest.certificate is None:
        if ingest.key or ingest.client_ca:
            raise SettingsError("ingest.certificate: is missing, and ingest.key and ingest.client_ca need it")
        return None
    if ingest.client_ca and ingest.senders != "known":
        raise SettingsError('ingest.client_ca: nobody is asked for a certificate: set ingest.senders to "known" too')
    return serving(ingest.certificate, ingest.key, ingest.client_ca)


@contextlib.asynccontextmanager
async def syslog(
    settings: Settings, collector: Collector, room: Room, context: ssl.SSLContext | None
) -> AsyncIterator[None]:
    """Takes syslog meanwhile, where the settings name a port for it."""
    ingest = settings.ingest
    if ingest.syslog_port is None:
        yield
        return
    if ingest.senders == "known" and ingest.client_ca is None:
        raise SettingsError("ingest.client_ca: is missing; known senders of syslog are those with a client certificate")
    options = SyslogOptions(context, ingest.senders == "known", ingest.max_event_bytes)
    with listen(ingest.host, ingest.syslog_port, "ingest.syslog_port") as sock:
        port = sock.getsockname()[1]
        async with listening(collector, sock, options, room):
            log.info("taking syslog over %s at %s port %d", "TLS" if context else "TCP", ingest.host, port)
            yield


def _response(answer: monitor.Answer) -> Response:
    status, kind, body = answer
    return Response(body, status, media_type=kind)


def _senders(settings: Settings) -> senders.Senders:
    known = senders.Senders(settings.keys / senders.FILE_NAME)
    if not known.any_token and settings.ingest.client_ca is None:
        log.warning("nobody can send yet: make a token (slmtrail token new), or set ingest.client_ca")
    return known


def filling(settings: Settings, collector: Collector) -> bool:
    """Whether the spool is so full that senders are put off."""
    given = settings.collector
    return given.when_full == "block" and collector.spool.waiting_bytes > FILLING * given.spool_max_bytes


def _tell(collector: Collector, event: dict[str, Any]) -> None:
    collector.offer([canonical.dumps(events.parse(event, time.time_ns() // 1_000_000))])
