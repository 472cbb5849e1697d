"""Heads of HTTP/1 messages, read strictly: what two servers could frame in two ways is refused.

The sidecar sends on the very bytes it read, so it needs to know where a message ends, and that any server
behind it will see the same end. llhttp tells no positions; the tests hold this grammar against it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Framing = Literal["none", "length", "chunked", "close"]

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
_FIELDS = rb"((?:" + _TOKEN + rb":[\t\x20-\x7e\x80-\xff]*+\r\n)*+)\r\n"
_REQUEST = re.compile(rb"(" + _TOKEN + rb") ([\x21-\x7e]++) HTTP/1\.([01])\r\n" + _FIELDS)
_RESPONSE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*+)?\r\n" + _FIELDS)
_TRAILERS = re.compile(_FIELDS)
_FRAMING = re.compile(rb"\n(content[-_]length|transfer[-_]encoding|connection|host|upgrade):[ \t]*([^\r]*)")
"""In lower case; the line end before each lets the search skip from line to line."""

_HOST = re.compile(rb"(?im)^host:[^\r]*")
_LENGTH = re.compile(rb"[0-9]{1,15}")
_AUTHORITY = re.compile(rb"[A-Za-z0-9.\-_~%!$&'()*+;=]*(?::[0-9]{0,5})?|\[[0-9A-Fa-f:.]+\](?::[0-9]{0,5})?")
_ABSOLUTE = re.compile(rb"(?i)https?://([^/?#]*)(.*)", re.DOTALL)
_BARE_LF = re.compile(rb"(?<!\r)\n|\r(?=[^\n])")
_COMMON_OPTIONS = {b"": frozenset[bytes](), b"keep-alive": frozenset((b"keep-alive",))}
_NEVER_NOMINATED = frozenset((b"content-length", b"transfer-encoding", b"host"))
_GIVEN_ONCE = {
    b"content-length": "doubled_length",
    b"transfer-encoding": "transfer_encoding_not_chunked",
    b"host": "host_missing_or_doubled",
}
_BODILESS = frozenset((b"GET", b"HEAD", b"DELETE", b"OPTIONS", b"TRACE"))
IDEMPOTENT = frozenset((b"GET", b"HEAD", b"PUT", b"DELETE", b"OPTIONS", b"TRACE"))


class BadMessage(Exception):
    """A message that is not taken. `reason` is a stable word, `status` the answer to a client that sent it."""

    def __init__(self, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


@dataclass(slots=True)
class RequestHead:
    """What of a request's head decides where it ends and what becomes of its connection."""

    method: bytes
    target: bytes
    framing: Framing
    length: int
    keep_alive: bool
    upgrade: bytes
    """The protocols offered in Upgrade, empty for none."""

    @property
    def isolated(self) -> bool:
        """Whether its upstream connection serves nobody else: servers disagree on how such a request ends."""
        return bool(self.upgrade) or (self.framing != "none" and self.method in _BODILESS)


@dataclass(slots=True)
class ResponseHead:
    """What of an answer's head decides where it ends."""

    status: int
    framing: Framing
    length: int
    keep_alive: bool
    upgrade: bytes


def path_of(target: bytes) -> bytes:
    """The path in a request's target, without the query, which may hold keys."""
    if not target.startswith(b"/") and (absolute := _ABSOLUTE.fullmatch(target)):
        target = absolute[2]
    return target.partition(b"?")[0] or b"/"


def field(head: bytes, lowered: bytes, name: bytes) -> str:
    """The first value of a field in a head that was read; `lowered` is the head in lower case, as `name` is."""
    start = lowered.find(b"\n" + name + b":")
    if start < 0:
        return ""
    start += len(name) + 2
    return head[start : head.find(b"\r", start)].strip(b" \t").decode("latin-1")


def mapping(head: bytes) -> dict[str, str]:
    """The fields of a head that was read, by their names in lower case.

    Lists of addresses that proxies append to are joined; any other field given twice is empty: it says nothing sure.
    """
    fields: dict[str, str] = {}
    for line in head.decode("latin-1").split("\r\n")[1:-2]:
        name, _, value = line.partition(":")
        name, value = name.lower(), value.strip(" \t")
        if name in fields:
            value = f"{fields[name]}, {value}" if name == "x-forwarded-for" else ""
        fields[name] = value
    return fields


def find_end(data: bytes, max_bytes: int, looked: int = 0, status: int = 431) -> int:
    """Where the head at the start of `data` ends, 0 while it has not come whole; the first `looked` bytes are known."""
    end = data.find(b"\r\n\r\n", max(0, looked - 3), max_bytes) + 4
    if end > 3:
        return end
    if len(data) >= max_bytes:
        raise BadMessage("head_too_large", status)
    # A head in bare line feeds would be waited for in vain.
    if _BARE_LF.search(data, max(0, looked - 1)):
        raise BadMessage("bare_line_feed")
    return 0


def read_request(head: bytes) -> RequestHead:
    """The head of a request, from its first byte to the empty line. Raises BadMessage for all but clean HTTP/1."""
    match = _REQUEST.fullmatch(head)
    if match is None:
        raise BadMessage("malformed_head")
    method, target, minor = match.group(1, 2, 3)
    seen = _framing_fields(head)
    framing, length = _framed(seen, minor)
    if method == b"CONNECT":
        raise BadMessage("connect_refused", 405)
    host = seen.get(b"host")
    if host is None:
        if minor == b"1":
            raise BadMessage("host_missing_or_doubled")
    elif not _AUTHORITY.fullmatch(host):
        raise BadMessage("malformed_host")
    if not target.startswith(b"/"):
        _check_target(method, target, host)
    options = _options(seen)
    upgrade = seen.get(b"upgrade", b"") if b"upgrade" in options else b""
    if framing == "close":
        framing = "none"
    return RequestHead(method, target, framing, length, _keeps_alive(options, minor), upgrade)


def read_response(head: bytes, method: bytes) -> ResponseHead:
    """The head of the answer to a request by `method`."""
    match = _RESPONSE.fullmatch(head)
    if match is None:
        raise BadMessage("malformed_head")
    minor, code = match.group(1, 2)
    status = int(code)
    seen = _framing_fields(head)
    framing, length = _framed(seen, minor)
    if method == b"HEAD" or status < 200 or status in (204, 304):
        framing, length = "none", 0
    keep_alive = framing != "close" and _keeps_alive(_options(seen), minor)
    return ResponseHead(status, framing, length, keep_alive, seen.get(b"upgrade", b""))


def with_host(head: bytes, authority: bytes) -> bytes:
    """`head` with another Host."""
    return _HOST.sub(lambda _: b"Host: " + authority, head, count=1)


def check_trailers(data: bytes) -> None:
    """Raises BadMessage unless `data` is a trailer section that says nothing of framing."""
    if not _TRAILERS.fullmatch(data) or _FRAMING.search(b"\n" + data.lower()):
        raise BadMessage("malformed_trailers")


def _framing_fields(head: bytes) -> dict[bytes, bytes]:
    """What a head says of its framing, in lower case; a list that stands in several fields is joined."""
    seen: dict[bytes, bytes] = {}
    for name, value in _FRAMING.findall(head.lower()):
        if name in seen:
            if name in _GIVEN_ONCE:
                raise BadMessage(_GIVEN_ONCE[name])
            value = seen[name] + b"," + value
        seen[name] = value.rstrip(b" \t")
    # Servers behind gateways of the CGI kind read "_" as "-".
    if b"content_length" in seen or b"transfer_encoding" in seen:
        raise BadMessage("disguised_framing")
    return seen


def _framed(seen: dict[bytes, bytes], minor: bytes) -> tuple[Framing, int]:
    coding, size = seen.get(b"transfer-encoding"), seen.get(b"content-length")
    if coding is not None:
        if size is not None:
            raise BadMessage("length_and_transfer_encoding")
        if coding != b"chunked" or minor == b"0":
            raise BadMessage("transfer_encoding_not_chunked")
        return "chunked", 0
    if size is not None:
        if not _LENGTH.fullmatch(size):
            raise BadMessage("malformed_length")
        length = int(size)
        return ("length" if length else "none"), length
    return "close", 0


def _check_target(method: bytes, target: bytes, host: bytes | None) -> None:
    if target == b"*" and method == b"OPTIONS":
        return
    absolute = _ABSOLUTE.fullmatch(target)
    if absolute is None:
        raise BadMessage("malformed_target")
    # Whoever routes by the one and whoever routes by the other must come to the same place.
    if not host or absolute[1].lower() != host or b"@" in host:
        raise BadMessage("target_and_host_differ")


def _options(seen: dict[bytes, bytes]) -> frozenset[bytes]:
    """What Connection says."""
    said = seen.get(b"connection", b"")
    if said in _COMMON_OPTIONS:
        return _COMMON_OPTIONS[said]
    options = frozenset(option.strip(b" \t") for option in said.split(b","))
    if options & _NEVER_NOMINATED:
        raise BadMessage("framing_nominated_as_hop_by_hop")
    return options


def _keeps_alive(options: frozenset[bytes], minor: bytes) -> bool:
    return b"close" not in options and (minor == b"1" or b"keep-alive" in options)
