"""`slmtrail sidecar`: stand before a model server and record what passes."""

from __future__ import annotations

import asyncio
import ssl
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from slmtrail.app.commands.given import given
from slmtrail.app.running.monitor import monitored
from slmtrail.app.running.tls import serving, trusting
from slmtrail.app.terminal import Console
from slmtrail.collectors.sidecar.options import SidecarOptions
from slmtrail.core.errors import SettingsError
from slmtrail.core.settings import Settings

err = Console(stderr=True, highlight=False)


def sidecar(
    upstream: Annotated[str, typer.Option(help="The model server, such as http://127.0.0.1:11434.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 picks a free one.")] = 4748,
    certificate: Annotated[Path | None, typer.Option(help="Serve TLS with this chain, in PEM form.")] = None,
    key: Annotated[Path | None, typer.Option(help="The private key of --certificate.")] = None,
    client_ca: Annotated[
        Path | None, typer.Option(help="Ask clients for certificates, and believe those of these authorities.")
    ] = None,
    upstream_ca: Annotated[Path | None, typer.Option(help="Trust these authorities for the upstream.")] = None,
    rewrite_host: Annotated[
        bool, typer.Option("--rewrite-host", help="Send the upstream's name as Host, not the client's.")
    ] = False,
    service: Annotated[str | None, typer.Option(help="service.name of the events.")] = None,
) -> None:
    """Stand before a model server: record what passes, and let pass what the policy allows."""
    settings = given.settings()
    options = SidecarOptions(
        upstream,
        client_tls=_serving(certificate, key, client_ca),
        upstream_tls=trusting(upstream_ca) if upstream_ca else None,
        rewrite_host=rewrite_host,
        service=service,
    )
    options.address()  # says what is wrong with it before anything is opened
    with monitored(settings):
        _run(_stand(settings, options, host, port))


async def _stand(settings: Settings, options: SidecarOptions, host: str, port: int) -> None:
    """The sidecar, its collector and the shipping, until SIGINT or SIGTERM, or until one of them fails."""
    from slmtrail.app import parts
    from slmtrail.app.running.run import collecting, until_stopped
    from slmtrail.app.running.serve import listen
    from slmtrail.collectors.sidecar.proxy import serve

    gate = await parts.open_gate(settings)
    sock = listen(host, port)
    uplink = parts.open_uplink(settings)
    try:
        async with collecting(settings, uplink, gate) as (collector, upkeep):
            scheme = "https" if options.client_tls else "http"
            err.print(f"recording at {scheme}://{host}:{sock.getsockname()[1]} what goes to {options.upstream}")
            await until_stopped([serve(options, collector, sock, gate), upkeep.run()])
    finally:
        await uplink.close()


def _run(work: Any) -> None:
    """Runs `work` on uvloop where there is one: a third less work for each request."""
    if sys.platform == "win32":
        asyncio.run(work)
    else:
        import uvloop

        uvloop.run(work)


def _serving(certificate: Path | None, key: Path | None, client_ca: Path | None) -> ssl.SSLContext | None:
    if certificate is not None:
        return serving(certificate, key, client_ca)
    if key is not None or client_ca is not None:
        raise SettingsError("--key or --client-ca without --certificate: give it too, or neither for plain HTTP")
    return None
