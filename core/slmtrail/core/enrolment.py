"""Enrolment tokens: who holds one may have a key of its own admitted, for one environment, a few times, for a while.

So that a pod which starts by itself needs no hand and no shared key. The token is a MAC under a secret of the place
that admits; how often it was used is kept there in a file.
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from slmtrail.core import durable
from slmtrail.core.errors import EnrolmentError
from slmtrail.core.frames import NAME
from slmtrail.core.roles import matches

_DOMAIN = b"slmtrail enrolment v1\n"
_TOKEN = re.compile(r"[A-Za-z0-9_\-]{1,2000}\.[A-Za-z0-9_\-]{43}")


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token allows: collectors of names that fit `name`, in one environment, `uses` times until `until_ms`."""

    environment: str
    name: str
    uses: int
    until_ms: int
    id: str = ""

    def token(self, secret: bytes) -> str:
        """The token for this grant; each call makes another."""
        given = asdict(self) | {"id": secrets.token_hex(8)}
        payload = _encode(orjson.dumps(given, option=orjson.OPT_SORT_KEYS))
        return f"{payload}.{_encode(_mac(secret, payload))}"


def read(token: str, secret: bytes) -> Grant:
    """The grant of a token. Raises EnrolmentError unless it was made under `secret`."""
    if not _TOKEN.fullmatch(token):
        raise EnrolmentError("this is no enrolment token")
    payload, _, mac = token.partition(".")
    if not hmac.compare_digest(mac, _encode(_mac(secret, payload))):
        raise EnrolmentError("this enrolment token was not made here, or was changed")
    given: dict[str, Any] = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return Grant(**given)


def use(grant: Grant, collector: str, used: Path, now_ms: int) -> None:
    """Counts a use of `grant` for `collector`. Raises EnrolmentError where it does not reach that far."""
    if now_ms >= grant.until_ms:
        raise EnrolmentError("this enrolment token has expired: have a new one made")
    if not NAME.fullmatch(collector) or not matches((grant.name,), collector):
        raise EnrolmentError(f"this enrolment token is for collectors named {grant.name!r}, not {collector[:63]!r}")
    durable.make_folder(used.parent, 0o700)
    with durable.locked(used):
        try:
            counts: dict[str, list[int]] = orjson.loads(used.read_bytes()) if used.exists() else {}
        except (OSError, orjson.JSONDecodeError) as error:
            raise EnrolmentError(f"{used}: can't be read ({type(error).__name__})") from None
        times, _ = counts.get(grant.id, [0, 0])
        if times >= grant.uses:
            raise EnrolmentError(f"this enrolment token was used {times} times, as often as it may be")
        counts = {name: row for name, row in counts.items() if row[1] > now_ms}
        counts[grant.id] = [times + 1, grant.until_ms]
        durable.write_file(used, orjson.dumps(counts), 0o600)


def _mac(secret: bytes, payload: str) -> bytes:
    return hmac.digest(secret, _DOMAIN + payload.encode(), "sha256")


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
