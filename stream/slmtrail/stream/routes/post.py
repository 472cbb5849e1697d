"""Posts JSON to an address from the policy: signed, in bounded time, and nowhere else than there."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import ipaddress
import socket
import ssl
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from slmtrail.stream.routes.failed import DeliveryFailed

TIMEOUT_S = 10.0
MAX_ANSWER_BYTES = 64 * 1024
_LASTING = frozenset(range(300, 500)) - {408, 425, 429}
"""Statuses after which to try again would not help."""
SIGNATURE = "slm-signature"
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_METADATA = frozenset(map(ipaddress.ip_address, ("100.100.100.200", "192.0.0.192", "fd00:ec2::254")))
"""Where clouds tell a machine its own secrets, beside 169.254.169.254, which is link-local."""
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def signature(key: bytes, at_s: int, body: bytes) -> str:
    """What the receiver compares: HMAC-SHA256 over the time, a dot and the body."""
    return f"t={at_s},v1={hmac.new(key, f'{at_s}.'.encode() + body, hashlib.sha256).hexdigest()}"


@dataclass(frozen=True)
class Poster:
    """Signs with `key`; `inside` are the hosts, by name, that may lead into our own network."""

    key: bytes
    inside: frozenset[str] = frozenset()

    def post(self, url: str, body: bytes, once: str) -> int:
        """Posts; the status, which is 2xx. `once` names this delivery, so that the receiver can know it again.

        No proxy is used and no redirect followed. Blocks; raises DeliveryFailed.
        """
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = {
            "content-type": "application/json",
            "user-agent": "slmtrail",
            "idempotency-key": once,
            SIGNATURE: signature(self.key, int(time.time()), body),
        }
        host = parts.hostname or ""
        try:
            connection = _connection(parts.scheme, host, port, self._allowed(host, port))
            try:
                connection.request("POST", path, body, headers)
                answer = connection.getresponse()
                answer.read(MAX_ANSWER_BYTES)
            finally:
                connection.close()
        except (OSError, UnicodeError, http.client.HTTPException) as error:
            raise DeliveryFailed(f"{host}: {type(error).__name__}: {error}"[:300]) from None
        if not 200 <= answer.status < 300:
            raise DeliveryFailed(f"{host}: answered {answer.status}", lasting=answer.status in _LASTING)
        return answer.status

    def _allowed(self, host: str, port: int) -> str:
        """The address of a host, asked for once and connected to: what a name leads to may change at any time."""
        place = str(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][4][0])
        address = _meant(ipaddress.ip_address(place))
        if _never(address):
            raise DeliveryFailed(f"{host}: its address {address} is not one that alerts are sent to", lasting=True)
        if not (address.is_global or _spelled_out(host) or host.rstrip(".") in self.inside):
            raise DeliveryFailed(
                f"{host}: leads to {address}, which is inside a network; if that is meant, name the host in "
                "stream.webhook_hosts",
                lasting=True,
            )
        return place


def _meant(address: Address) -> Address:
    """The IPv4 address that is packed into an IPv6 one, if there is one."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    packed = address.ipv4_mapped or address.sixtofour
    return packed or (ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else address)


def _never(address: Address) -> bool:
    """Whether only this machine's cloud answers there, or nobody, or many."""
    odd = address.is_link_local or address.is_multicast or address.is_unspecified or address in _METADATA
    return odd or (address.is_reserved and not address.is_loopback)


def _spelled_out(host: str) -> bool:
    """Whether the policy itself says where it leads, and no name server: a plain address, or localhost."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host.rstrip(".") == "localhost"
    return True


def _connection(scheme: str, host: str, port: int, address: str) -> http.client.HTTPConnection:
    """To the address that was looked at, in the name of the host."""
    if scheme == "http":
        connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
    else:
        connection = http.client.HTTPSConnection(host, port, timeout=TIMEOUT_S, context=ssl.create_default_context())
    create = socket.create_connection
    connection._create_connection = lambda _, *rest: create((address, port), *rest)  # type: ignore[attr-defined]
    return connection
