"""OIDC and other JWT bearer tokens, checked against the keys of their issuer (JWKS).

How it fails: a token that can't be checked is not believed. The keys are fetched again when a token names one that
is not known, at most every `REFETCH_S`; while the issuer can't be reached the keys that were fetched go on to count.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt

from slmtrail.core.address import shown
from slmtrail.core.errors import SettingsError

log = logging.getLogger(__name__)

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures alone: a shared secret, or none at all, proves nothing about a sender."""

MAX_TOKEN_CHARS = 16 * 1024
MAX_REMEMBERED = 10_000
FETCH_TIMEOUT_S = 5.0
FETCH_MAX_BYTES = 1024 * 1024
REFETCH_S = 30.0
REFRESH_S = 600.0
LEEWAY_S = 30


@dataclass(frozen=True, slots=True)
class TokenOptions:
    """Whose tokens are believed, and what their claims are called. jwks: an https address, or a file."""

    jwks: str
    issuer: str
    audience: str
    user_claim: str = "sub"
    name_claim: str = "name"
    email_claim: str = "email"
    groups_claim: str = "groups"


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of a token. `fault` is a stable word, empty where it holds."""

    claims: dict[str, Any]
    fault: str = ""
    expires_s: float = 0.0


def looks_like_token(text: str) -> bool:
    """Whether a bearer credential has the form of a JWT; if not it is an API key."""
    return text.count(".") == 2 and text.startswith("ey")


class TokenVerifier:
    """Checks tokens and remembers which held. For one event loop."""

    def __init__(self, options: TokenOptions) -> None:
        self.options = options
        self._keys: dict[str, jwt.PyJWK] = {}
        self._remembered: dict[bytes, Checked] = {}
        self._fetched_s = float("-inf")
        self._fetching: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Fetches the keys. Raises SettingsError where there are none: nobody could be verified."""
        try:
            self._take(await asyncio.to_thread(_fetch, self.options.jwks))
        except (OSError, ValueError) as error:
            raise SettingsError(f"identity.jwks: {shown(self.options.jwks)}: no keys there ({_why(error)})") from None

    def check(self, token: str, now_s: float) -> Checked | None:
        """What the token proves; None where its key is not known and may be after `refresh`."""
        if len(token) > MAX_TOKEN_CHARS:
            return Checked({}, "token_too_long")
        place = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        known = self._remembered.get(place)
        if known is not None and now_s < known.expires_s:
            return known
        self._refresh_now_and_then()
        try:
            head = jwt.get_unverified_header(token)
            key = self._keys.get(str(head.get("kid", ""))) or self._only_key(head)
        except (jwt.InvalidTokenError, ValueError):
            return Checked({}, "token_malformed")
        if key is None:
            return Checked({}, "token_key_unknown") if self._fresh() else None
        checked = self._decoded(token, key)
        if not checked.fault:
            if len(self._remembered) >= MAX_REMEMBERED:
                self._remembered.clear()
            self._remembered[place] = checked
        return checked

    async def refresh(self) -> None:
        """Fetches the keys again; shared by all who wait for it."""
        if self._fetching is None:
            self._fetching = asyncio.get_running_loop().create_task(self._refresh())
        await asyncio.shield(self._fetching)

    def _refresh_now_and_then(self) -> None:
        if time.monotonic() - self._fetched_s > REFRESH_S and self._fetching is None:
            self._fetching = asyncio.get_running_loop().create_task(self._refresh())

    async def _refresh(self) -> None:
        try:
            self._take(await asyncio.to_thread(_fetch, self.options.jwks))
        except (OSError, ValueError) as error:
            self._fetched_s = time.monotonic()
            log.warning("the keys of %s can't be fetched (%s); the known ones go on", self.options.jwks, _why(error))
        finally:
            self._fetching = None

    def _take(self, keys: dict[str, jwt.PyJWK]) -> None:
        gone = self._keys.keys() - keys.keys()
        self._keys = keys
        self._fetched_s = time.monotonic()
        if gone:  # what a withdrawn key signed is believed no longer
            self._remembered.clear()

    def _fresh(self) -> bool:
        return time.monotonic() - self._fetched_s < REFETCH_S

    def _only_key(self, head: dict[str, Any]) -> jwt.PyJWK | None:
        """Issuers with one key need not name it."""
        return next(iter(self._keys.values())) if "kid" not in head and len(self._keys) == 1 else None

    def _decoded(self, token: str, key: jwt.PyJWK) -> Checked:
        options = self.options
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name] if key.algorithm_name in ALGORITHMS else list(ALGORITHMS),
                issuer=options.issuer or None,
                audience=options.audience or None,
                leeway=LEEWAY_S,
                options={"require": ["exp"], "verify_aud": bool(options.audience), "verify_iss": bool(options.issuer)},
            )
        except jwt.ExpiredSignatureError:
            return Checked({}, "token_expired")
        except jwt.ImmatureSignatureError:
            return Checked({}, "token_not_yet_valid")
        except jwt.InvalidAudienceError:
            return Checked({}, "token_for_another_audience")
        except jwt.InvalidIssuerError:
            return Checked({}, "token_of_another_issuer")
        except jwt.InvalidSignatureError:
            return Checked({}, "token_forged")
        except (jwt.PyJWTError, ValueError, TypeError):
            return Checked({}, "token_malformed")
        return Checked(claims, expires_s=float(claims["exp"]) + LEEWAY_S)


def _fetch(place: str) -> dict[str, jwt.PyJWK]:
    """The signing keys at an address or in a file, by their id."""
    if place.startswith(("https://", "http://")):
        with urllib.request.urlopen(place, timeout=FETCH_TIMEOUT_S) as answer:  # noqa: S310
            data = answer.read(FETCH_MAX_BYTES + 1)
    else:
        data = Path(place).read_bytes()
    if len(data) > FETCH_MAX_BYTES:
        raise ValueError("more than a key set")
    given = json.loads(data)
    listed = given.get("keys") if isinstance(given, dict) else None
    keys: dict[str, jwt.PyJWK] = {}
    for one in listed if isinstance(listed, list) else []:
        try:
            if one.get("use", "sig") == "sig" and one.get("kty") in ("RSA", "EC", "OKP"):
                keys[str(one.get("kid", ""))] = jwt.PyJWK.from_dict(one)
        except (jwt.PyJWTError, ValueError, TypeError, AttributeError):
            continue
    if not keys:
        raise ValueError("it holds no signing key")
    return keys


def _why(error: Exception) -> str:
    return error.strerror or type(error).__name__ if isinstance(error, OSError) else str(error)[:100]
