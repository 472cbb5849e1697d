"""The page and the API: behind what takes events in `slmtrail up`, or by themselves in `slmtrail serve`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable

from starlette.applications import Starlette
from starlette.routing import BaseRoute

from slmtrail.app import parts
from slmtrail.app.readers.known import check_public, is_loopback, readers
from slmtrail.app.reading import Reading
from slmtrail.app.running import endpoint
from slmtrail.app.running.emitting import CollectorEmitter
from slmtrail.app.running.run import collecting, until_stopped
from slmtrail.app.running.serve import Server, listen
from slmtrail.app.running.tls import serving
from slmtrail.app.web.pages import page_routes
from slmtrail.core import policy
from slmtrail.core.errors import SettingsError
from slmtrail.core.settings import Settings
from slmtrail.stream.routes.follow import PolicyFile

log = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def pages(
    settings: Settings, host: str, emitter: CollectorEmitter, *, public: str = ""
) -> AsyncIterator[list[BaseRoute]]:
    """The routes of page and API, for those whom the settings know.

    public: the setting that names `host`, where anything but this machine's own address takes readers.
    """
    known = readers(settings, PolicyFile(settings.policy, policy.load))
    await known.start()
    if public:
        check_public(host, public, known)
    elif not known.asked and not is_loopback(host):
        log.warning("page and API answer this machine only, as there are no readers: slmtrail readers add")
    with contextlib.closing(Reading(settings)) as trail:
        names = [host, *settings.page.names]
        yield page_routes(trail, names, known, emitter, settings.readers.requests_a_minute)


async def serve(settings: Settings, ready: Callable[[str], None]) -> None:
    """Page and API over the store, until a signal."""
    given = settings.page
    if given.key and not given.certificate:
        raise SettingsError("page.certificate: is missing, and page.key needs it")
    tls = serving(given.certificate, given.key, None) if given.certificate else None
    async with contextlib.AsyncExitStack() as stack:
        sock = stack.enter_context(listen(given.host, given.port, "page.port"))
        emitter = CollectorEmitter()
        routes = await stack.enter_async_context(pages(settings, given.host, emitter, public="page.host"))
        uplink = parts.open_uplink(settings)
        stack.push_async_callback(uplink.close)
        emitter.collector, upkeep = await stack.enter_async_context(collecting(settings, uplink))
        server = Server(Starlette(routes=[*endpoint.own_routes(), *routes]), tls)
        work = asyncio.create_task(server.serve([sock]))
        port = sock.getsockname()[1]
        ready(f"http{'s' if tls else ''}://{f'[{given.host}]' if ':' in given.host else given.host}:{port}")
        try:
            await until_stopped([upkeep.run()])
        finally:
            server.should_exit = True
            await work
