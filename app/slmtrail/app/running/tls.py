"""TLS from files: what we serve with, and whom we trust."""

from __future__ import annotations

import ssl
from pathlib import Path

from slmtrail.core.errors import KeyFileError


def serving(certificate: Path, key: Path | None, client_ca: Path | None) -> ssl.SSLContext:
    """The context to serve with; where there are authorities of clients, clients may show a certificate of theirs."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise KeyFileError(f"{certificate}: can't be used with its key: {error.strerror or error}") from None
    if client_ca is not None:
        try:
            context.load_verify_locations(client_ca)
        except (OSError, ssl.SSLError) as error:
            raise _no_authorities(client_ca, error) from None
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


def trusting(authorities: Path) -> ssl.SSLContext:
    """The context to reach servers with, whose certificates these authorities have signed."""
    try:
        return ssl.create_default_context(cafile=authorities)
    except (OSError, ssl.SSLError) as error:
        raise _no_authorities(authorities, error) from None


def _no_authorities(file: Path, error: OSError) -> KeyFileError:
    return KeyFileError(f"{file}: holds no authorities: {error.strerror or error}")
