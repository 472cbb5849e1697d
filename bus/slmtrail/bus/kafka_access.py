"""How a client shows itself to Kafka: over TLS or not, by a certificate, by a name and password, or not at all."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slmtrail.core.errors import SettingsError

MECHANISMS = ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")


@dataclass(frozen=True, slots=True, repr=False)
class Access:
    """The answers to what a broker may ask; nothing of it where it asks nothing."""

    tls: bool = False
    authorities: Path | None = None
    """By which the brokers' certificates are believed; those of the system where None."""
    certificate: Path | None = None
    """A chain that brokers know us by, its key in `key` or in the same file."""
    key: Path | None = None
    user: str = ""
    password: str = ""
    mechanism: str = MECHANISMS[0]

    def options(self) -> dict[str, Any]:
        """What every client of aiokafka is made with. Raises SettingsError for what does not fit, and for files
        that can't be used."""
        if self.mechanism == "PLAIN" and self.user and not self.tls:
            raise SettingsError("bus.mechanism: PLAIN sends the password in clear: set bus.tls, or use SCRAM-SHA-512")
        if (self.certificate or self.authorities) and not self.tls:
            raise SettingsError("bus.tls: is off, so bus.certificate and bus.ca are for nothing: set it")
        protocol = ("SASL_" if self.user else "") + ("SSL" if self.tls else "PLAINTEXT")
        made: dict[str, Any] = {"security_protocol": protocol}
        if self.tls:
            made["ssl_context"] = self._context()
        if self.user:
            made |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.user,
                "sasl_plain_password": self.password,
            }
        return made

    def _context(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=self.authorities)
        except OSError as error:
            raise SettingsError(f"bus.ca: {self.authorities}: holds no authorities ({type(error).__name__})") from None
        if self.certificate:
            try:
                # A key that asks for a passphrase would ask it of whoever started us, and wait.
                context.load_cert_chain(self.certificate, self.key, password=lambda: "")
            except OSError as error:
                where = f"{self.certificate}{f' with {self.key}' if self.key else ''}"
                raise SettingsError(
                    f"bus.certificate: {where}: no chain with its key ({type(error).__name__})"
                ) from None
        return context


NO_ACCESS = Access()
"""To brokers that ask nothing."""
