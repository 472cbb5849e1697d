"""Posts JSON to an address from the policy: signed, in bounded time, and nowhere else than there."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import ipaddress
import socket
import ssl
import time
from urllib.parse import urlsplit

from slmtrail.stream.routes.failed import DeliveryFailed

TIMEOUT_S = 10.0
MAX_ANSWER_BYTES = 64 * 1024
_LASTING = frozenset(range(300, 500)) - {408, 425, 429}
"""Statuses after which to try again would not help."""
SIGNATURE = "slm-signature"


def signature(key: bytes, at_s: int, body: bytes) -> str:
    """What the receiver compares: HMAC-SHA256 over the time, a dot and the body."""
    return f"t={at_s},v1={hmac.new(key, f'{at_s}.'.encode() + body, hashlib.sha256).hexdigest()}"


def post(url: str, body: bytes, key: bytes, once: str) -> int:
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
        SIGNATURE: signature(key, int(time.time()), body),
    }
    host = parts.hostname or ""
    try:
        address = _allowed(host, port)
        connection = _connection(parts.scheme, host, port, address)
        try:
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            answer.read(MAX_ANSWER_BYTES)
        finally:
            connection.close()
    except (OSError, http.client.HTTPException) as error:
        raise DeliveryFailed(f"{host}: {type(error).__name__}: {error}"[:300]) from None
    if not 200 <= answer.status < 300:
        raise DeliveryFailed(f"{host}: answered {answer.status}", lasting=answer.status in _LASTING)
    return answer.status


def _allowed(host: str, port: int) -> str:
    """The address of a host. One that only this machine's cloud answers at, or nobody, is none."""
    for *_, place in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        address = ipaddress.ip_address(place[0])
        if address.is_link_local or address.is_multicast or address.is_unspecified or address.is_reserved:
            raise DeliveryFailed(f"{host}: its address {address} is not one that alerts are sent to", lasting=True)
        return str(place[0])
    raise DeliveryFailed(f"{host}: has no address")


def _connection(scheme: str, host: str, port: int, address: str) -> http.client.HTTPConnection:
    """To the address that was looked at, in the name of the host."""
    if scheme == "http":
        connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
    else:
        connection = http.client.HTTPSConnection(host, port, timeout=TIMEOUT_S, context=ssl.create_default_context())
    create = socket.create_connection
    connection._create_connection = lambda _, *rest: create((address, port), *rest)  # type: ignore[attr-defined]
    return connection
