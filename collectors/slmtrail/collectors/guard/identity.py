"""Reads who is behind a request from its head: token, key, certificate, or what a trusted proxy says."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from slmtrail.collectors.guard.caller import Caller
from slmtrail.collectors.guard.tokens import Checked, TokenVerifier, looks_like_token
from slmtrail.core.keys import api_key_hash

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MAX_NAME_CHARS = 256
MAX_GROUPS = 100
PREFIX_CHARS = 8
_KEY_FIELDS = ("x-api-key", "api-key", "x-goog-api-key")


@dataclass(frozen=True, slots=True)
class IdentityOptions:
    """What is believed, and of whom.

    secret: the key of the hashes that stand for API keys. trusted_proxies: whose word counts for the fields named
    here; everyone else's is only claimed.
    """

    secret: bytes
    trusted_proxies: tuple[Network, ...] = ()
    user_field: str = "x-forwarded-user"
    email_field: str = "x-forwarded-email"
    groups_field: str = "x-forwarded-groups"
    session_fields: tuple[str, ...] = ("x-session-id", "session-id")
    tokens: TokenVerifier | None = field(default=None, compare=False)

    def told(self) -> dict[str, Any]:
        """What a process that checks no tokens needs, as JSON."""
        networks = [str(network) for network in self.trusted_proxies]
        fields = {name: getattr(self, name) for name in ("user_field", "email_field", "groups_field", "session_fields")}
        return {"secret": self.secret.hex(), "networks": networks, "fields": fields}

    @classmethod
    def heard(cls, told: dict[str, Any]) -> IdentityOptions:
        """What `told` says."""
        networks = tuple(ipaddress.ip_network(network) for network in told["networks"])
        return cls(bytes.fromhex(told["secret"]), networks, **told["fields"])


class Identifier:
    """Knows the sender of a request."""

    def __init__(self, options: IdentityOptions) -> None:
        self.options = options

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of a head that are read."""
        options = self.options
        named = (options.user_field, options.email_field, options.groups_field, *options.session_fields)
        return ("authorization", *_KEY_FIELDS, "x-forwarded-for", *named)

    @property
    def checks_tokens(self) -> bool:
        """Whether bearer tokens are checked."""
        return self.options.tokens is not None

    def caller(self, head: Mapping[str, str], peer_ip: str, certificate: str, now_s: float) -> Caller | None:
        """Who sends this. None where that takes fetching keys first: `await refresh()`, then ask again.

        head: the fields by their names in small letters. certificate: the subject of a verified client certificate.
        """
        trusted = self._trusts(peer_ip)
        source, forwarded = self._addresses(head, peer_ip, trusted)
        base: dict[str, Any] = {
            "source_ip": source,
            "forwarded_ip": forwarded,
            "session": next((head[name][:MAX_NAME_CHARS] for name in self.options.session_fields if name in head), ""),
        }
        credential = _credential(head)
        if credential and looks_like_token(credential) and self.options.tokens is not None:
            checked = self.options.tokens.check(credential, now_s)
            return None if checked is None else self._by_token(checked, base)
        if credential and not looks_like_token(credential):
            base |= {
                "key_hash": api_key_hash(self.options.secret, credential),
                "key_prefix": credential[: min(PREFIX_CHARS, len(credential) // 4)],
            }
        if certificate:
            return Caller("certificate", verified=True, user=certificate, certificate=certificate, **base)
        return self._by_proxy(head, base, trusted) or self._by_key(credential, base)

    async def refresh(self) -> None:
        """Fetches the keys of tokens."""
        if self.options.tokens is not None:
            await self.options.tokens.refresh()

    def _by_token(self, checked: Checked, base: dict[str, Any]) -> Caller:
        assert self.options.tokens is not None  # noqa: S101
        if checked.fault:
            return Caller("token", fault=checked.fault, **base)
        names, claims = self.options.tokens.options, checked.claims
        return Caller(
            "token",
            verified=True,
            user=_text(claims.get(names.user_claim)),
            name=_text(claims.get(names.name_claim)),
            email=_text(claims.get(names.email_claim)),
            groups=_texts(claims.get(names.groups_claim)),
            issuer=_text(claims.get("iss")),
            **base,
        )

    def _by_proxy(self, head: Mapping[str, str], base: dict[str, Any], trusted: bool) -> Caller | None:
        user = head.get(self.options.user_field, "").strip()[:MAX_NAME_CHARS]
        if not user:
            return None
        if not trusted:
            return Caller("api_key" if base.get("key_hash") else "none", claimed_user=user, **base)
        groups = _texts(head.get(self.options.groups_field, "").split(","))
        email = head.get(self.options.email_field, "").strip()[:MAX_NAME_CHARS]
        return Caller("proxy", verified=True, user=user, email=email, groups=groups, **base)

    @staticmethod
    def _by_key(credential: str, base: dict[str, Any]) -> Caller:
        if not credential:
            return Caller(**base)
        if looks_like_token(credential):  # of an issuer that nobody told us of
            return Caller("token", fault="token_not_checked", **base)
        return Caller("api_key", **base)

    def _trusts(self, peer_ip: str) -> bool:
        address = _address(peer_ip)
        return address is not None and _within(address, self.options.trusted_proxies)

    def _addresses(self, head: Mapping[str, str], peer_ip: str, trusted: bool) -> tuple[str, str]:
        """Where the request comes from as far as the word of trusted proxies goes, and what is only said of it."""
        chain = [one.strip() for one in head.get("x-forwarded-for", "").split(",") if one.strip()]
        if not chain:
            return peer_ip, ""
        if not trusted:
            first = _address(chain[0])
            return peer_ip, str(first) if first else ""
        for hop in reversed(chain):
            address = _address(hop)
            if address is None:
                return peer_ip, ""
            if not _within(address, self.options.trusted_proxies):
                return str(address), ""
        return str(_address(chain[0])), ""


def _credential(head: Mapping[str, str]) -> str:
    scheme, _, rest = head.get("authorization", "").strip().partition(" ")
    if scheme.lower() == "bearer" and rest.strip():
        return rest.strip()
    return next((head[name].strip() for name in _KEY_FIELDS if head.get(name, "").strip()), "")


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address in `text`, which proxies write with a port or in brackets."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _within(address: ipaddress.IPv4Address | ipaddress.IPv6Address, networks: Iterable[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def _text(value: object) -> str:
    return value[:MAX_NAME_CHARS] if isinstance(value, str) else ""


def _texts(value: object) -> tuple[str, ...]:
    given = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return tuple(text for one in given[:MAX_GROUPS] if (text := _text(one).strip()))
