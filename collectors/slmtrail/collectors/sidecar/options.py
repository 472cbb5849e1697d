"""What the sidecar stands before, and the limits under which it does."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from slmtrail.core.errors import SettingsError


@dataclass(frozen=True, slots=True)
class SidecarLimits:
    """Sizes and times beyond which a side is not waited for. Each bounds memory or a connection's life."""

    max_head_bytes: int = 64 * 1024
    max_request_bytes: int = 64 * 1024 * 1024
    max_clients: int = 1000
    max_idle_upstreams: int = 64
    head_s: float = 30.0
    """For a request's head, from its first byte."""
    idle_s: float = 75.0
    """Between two requests of one client."""
    body_s: float = 60.0
    """Between two pieces of a request's body."""
    connect_s: float = 5.0
    response_s: float = 600.0
    """From a whole request to the head of its answer: a long prompt takes a model minutes."""
    stream_s: float = 300.0
    """Between two pieces of an answer."""
    drain_s: float = 60.0
    """For a client to take any of what is waiting for it."""
    tunnel_s: float = 3600.0
    """Between two pieces on an upgraded connection."""
    pooled_s: float = 4.0
    """How long an unused upstream connection is kept: shorter than the 5 s of common model servers."""
    stop_s: float = 10.0
    """For exchanges under way when the sidecar is told to stop."""


@dataclass(frozen=True, slots=True)
class CaptureLimits:
    """How much of what passes is held for the parsing process."""

    max_waiting_bytes: int = 32 * 1024 * 1024
    """Of all exchanges not yet made into events; beyond it exchanges are not recorded, and counted as dropped."""
    max_exchange_bytes: int = 4 * 1024 * 1024
    """Of one side of one exchange; the rest passes, and the event says it is cut."""
    max_event_bytes: int = 1024 * 1024
    """An event larger than this has its longest texts cut."""
    answer_s: float = 30.0
    """For the parsing process to answer; then it is started anew."""


@dataclass(frozen=True, slots=True)
class SidecarOptions:
    """The upstream, TLS on either side, and limits.

    client_tls: the context to serve TLS with; plain HTTP without one.
    upstream_tls: the context to reach an https upstream with; the system's trust without one.
    rewrite_host: send the upstream's own name as Host. The only byte of a request that is ever changed; for
        upstreams that serve many names at one address.
    """

    upstream: str
    client_tls: ssl.SSLContext | None = None
    upstream_tls: ssl.SSLContext | None = None
    rewrite_host: bool = False
    service: str | None = None
    limits: SidecarLimits = field(default_factory=SidecarLimits)
    capture: CaptureLimits = field(default_factory=CaptureLimits)

    def address(self) -> Address:
        """Where the upstream listens. Raises SettingsError for what is no address of a server."""
        try:
            url = urlsplit(self.upstream)
            port = url.port
        except ValueError:
            url, port = urlsplit(""), None
        if (
            url.scheme not in ("http", "https")
            or not url.hostname
            or port == 0
            or url.path.strip("/")
            or url.query
            or url.fragment
            or url.username is not None
        ):
            raise SettingsError(
                "the upstream should be the address of a server, such as http://127.0.0.1:11434, without path or user"
            )
        secure = url.scheme == "https"
        tls = (self.upstream_tls or ssl.create_default_context()) if secure else None
        return Address(url.hostname, port or (443 if secure else 80), tls)


@dataclass(frozen=True, slots=True)
class Address:
    """A host and port, and the TLS context if it is reached through one."""

    host: str
    port: int
    tls: ssl.SSLContext | None

    @property
    def authority(self) -> str:
        """As it stands in a Host field."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"
