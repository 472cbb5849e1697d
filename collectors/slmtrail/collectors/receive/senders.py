"""Who may send to a collector: bearer tokens, of which a file keeps only hashes, and client certificates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from slmtrail.core.tokens import TokenFile

FILE_NAME = "senders.json"
PREFIX = "slmt_"


@dataclass(frozen=True, slots=True)
class Sender:
    """A program whose token or certificate was checked and held."""

    name: str
    shown: Literal["token", "certificate"]

    def fields(self) -> dict[str, Any]:
        """The fields of its events. Who the users in them are is its word: so it is the issuer of what they tell."""
        return {
            "slm.identity.method": "application",
            "slm.identity.verified": True,
            "slm.identity.issuer": f"{self.shown}:{self.name}",
        }


class Refused(Exception):
    """A sender did not show who it is. `reason` is a stable word."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class Senders:
    """The senders of one collector."""

    def __init__(self, path: Path) -> None:
        self._tokens = token_file(path)

    def known(self, authorization: str, certificate: Mapping[str, Any] | None) -> Sender:
        """Who sends, by a bearer token, or else by the certificate that the TLS of this endpoint has verified.

        Raises Refused, and KeyFileError where the file can't be used.
        """
        scheme, _, token = authorization.strip().partition(" ")
        if scheme.lower() == "bearer":
            row = self._tokens.find(token.strip())
            if row is None:
                raise Refused("unknown_token", "this token is not known here, or was revoked")
            if row.expired:
                raise Refused("expired_token", "this token has expired: have a new one made")
            return Sender(row.name, "token")
        if certificate and (name := certificate_name(certificate)):
            return Sender(name, "certificate")
        if authorization:
            raise Refused("other_scheme", "authorization should be: Bearer and a token")
        raise Refused("no_credentials", "this endpoint asks who sends: give a token as authorization: Bearer …")

    @property
    def any_token(self) -> bool:
        """Whether there is a token that can be used."""
        return self._tokens.any


def token_file(path: Path) -> TokenFile:
    """The file of senders' tokens."""
    return TokenFile(path, "senders", PREFIX, "slmtrail token list")


def certificate_name(certificate: Mapping[str, Any]) -> str:
    """What a verified certificate, as `ssl` tells it, calls its holder: its first alternative name, or its subject."""
    for kind in ("URI", "DNS"):
        for given, name in certificate.get("subjectAltName", ()):
            if given == kind:
                return str(name)[:256]
    subject = {key: value for pairs in certificate.get("subject", ()) for key, value in pairs}
    return str(subject.get("commonName", ""))[:256]
