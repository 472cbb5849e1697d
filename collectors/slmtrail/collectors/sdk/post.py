"""One request to the collector: a batch of lines under a key, so that the same batch sent again is the same batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

import orjson

DEFAULT_URL = "http://127.0.0.1:4747"
TIMEOUT_S = 10.0
MAX_ANSWER_BYTES = 16 * 1024 * 1024


class Unreached(Exception):
    """No answer of a collector came. Where the connection was `broken`, the batch may have arrived all the same."""

    def __init__(self, url: str, error: Exception, *, broken: bool) -> None:
        super().__init__(
            f"{url}: no collector answers there ({error}); start one with `slmtrail up` or `slmtrail collect`"
        )
        self.broken = broken


@dataclass(frozen=True, slots=True)
class Answer:
    """What the collector said."""

    status: int
    told: dict[str, Any]
    retry_after: str | None = None

    @property
    def passes(self) -> bool:
        """Whether the same request may succeed later."""
        return self.status in (408, 425, 429) or self.status >= 500

    @property
    def wait_s(self) -> float:
        """How long the collector asks to be left alone."""
        given = self.retry_after or ""
        return float(given) if given.isascii() and given.isdigit() else 0.0

    @property
    def why(self) -> str:
        """Its reason in words."""
        refused = self.told.get("refused")
        first = refused[0] if isinstance(refused, list) and refused else self.told
        return str(first.get("text", "refused")) if isinstance(first, dict) else "refused"


@dataclass(frozen=True, slots=True)
class Collector:
    """Where the collector is, and what it asks of those who send."""

    address: SplitResult
    token: str | None

    @property
    def url(self) -> str:
        """The address as it was given."""
        return self.address.geturl()

    def post(self, body: bytes, key: str, dropped: int) -> Answer:
        """Sends lines. Raises Unreached."""
        import http.client

        headers = {"content-type": "application/x-ndjson", "slm-batch": key}
        if dropped:
            headers["slm-dropped"] = str(dropped)
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
        secure = self.address.scheme == "https"
        connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = connect(self.address.hostname or "", self.address.port, timeout=TIMEOUT_S)
        try:
            connection.connect()
            try:
                connection.request("POST", f"{self.address.path.rstrip('/')}/v1/events", body, headers)
                response = connection.getresponse()
                data = response.read(MAX_ANSWER_BYTES)
            except TimeoutError:
                raise
            except (OSError, http.client.HTTPException) as error:
                raise Unreached(self.url, error, broken=True) from error
            told = orjson.loads(data) if data else {}
            return Answer(response.status, told if isinstance(told, dict) else {}, response.headers["retry-after"])
        except (OSError, ValueError) as error:
            raise Unreached(self.url, error, broken=False) from error
        finally:
            connection.close()


def address(url: str) -> SplitResult:
    """Raises ValueError for what is no address: a program that starts with a wrong one should not run unheard."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise ValueError(f"{url!r} is not the address of a collector, such as {DEFAULT_URL}")
    return parts
