"""Who a request is from: a bearer token of ours or of an issuer of OIDC, shown with the request or at the login."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable

from slmtrail.collectors.guard.tokens import Checked, TokenOptions, TokenVerifier, looks_like_token
from slmtrail.core.errors import KeyFileError, SettingsError
from slmtrail.core.granting import ReaderGrant
from slmtrail.core.policy import Policy
from slmtrail.core.readers import LOCAL, Reader
from slmtrail.core.settings import Settings
from slmtrail.core.tokens import Row, TokenFile

FILE_NAME = "readers.json"
PREFIX = "slmr_"


class Unknown(Exception):
    """Nobody we know asks. `reason` is a stable word; `reader` has the name of who is known and may see nothing."""

    def __init__(self, reason: str, text: str, reader: Reader | None = None) -> None:
        super().__init__(text)
        self.reason = reason
        self.reader = reader


class Readers:
    """Everyone who may look. Without any token or issuer it is whoever is at this machine."""

    def __init__(
        self,
        tokens: TokenFile | None,
        policy: Callable[[], Policy] = Policy,
        verifier: TokenVerifier | None = None,
    ) -> None:
        self._tokens = tokens
        self._policy = policy
        self._verifier = verifier

    @property
    def asked(self) -> bool:
        """Whether readers are asked who they are."""
        return self._verifier is not None or (self._tokens is not None and self._tokens.made)

    async def start(self) -> None:
        """Fetches the keys of the issuer. Raises SettingsError where there are none."""
        if self._verifier is not None:
            await self._verifier.start()

    async def known(self, credential: str) -> Reader:
        """The reader who shows this. Raises Unknown, and KeyFileError where the file of tokens can't be used."""
        if not self.asked:
            return LOCAL
        if not credential:
            raise Unknown("no_credentials", "this trail asks who reads: show a token, as authorization: Bearer …")
        if looks_like_token(credential):
            return await self._by_issuer(credential)
        row = self._tokens.find(credential) if self._tokens else None
        if row is None:
            raise Unknown("unknown_token", "this token is not known here, or was revoked")
        if row.expired:
            raise Unknown("expired_token", "this token has expired: have a new one made")
        grant = _grant(row)
        return Reader(row.name, grant.role, grant.scope, "api_key")

    async def _by_issuer(self, token: str) -> Reader:
        if self._verifier is None:
            raise Unknown("token_not_checked", "tokens of an issuer are not taken here: set readers.jwks")
        checked = await self._checked(self._verifier, token)
        if checked.fault:
            raise Unknown(checked.fault, f"this token does not hold: {checked.fault.replace('_', ' ')}")
        options = self._verifier.options
        user, groups = checked.claims.get(options.user_claim), checked.claims.get(options.groups_claim, [])
        if not isinstance(user, str) or not user:
            raise Unknown("token_without_user", f"this token names nobody in its claim {options.user_claim}")
        listed = [groups] if isinstance(groups, str) else groups if isinstance(groups, list) else []
        grant = self._policy().reader(user, [group for group in listed if isinstance(group, str)])
        if grant is None:
            raise Unknown(
                "no_grant", "the policy grants you nothing: ask for a grant under `readers`", Reader(user[:256])
            )
        return Reader(user[:256], grant.role, grant.scope, "token")

    async def _checked(self, verifier: TokenVerifier, token: str) -> Checked:
        checked = verifier.check(token, time.time())
        if checked is None:
            await verifier.refresh()
            checked = verifier.check(token, time.time())
        return checked or Checked({}, "token_key_unknown")


def readers(settings: Settings, policy: Callable[[], Policy]) -> Readers:
    """The readers of these settings. Raises SettingsError for an issuer that could speak for anyone."""
    asked, verifier = settings.readers, None
    if asked.jwks:
        for name in ("issuer", "audience"):
            if not getattr(asked, name):
                raise SettingsError(f"readers.{name}: must be given with readers.jwks, or tokens for others would hold")
        claims = {"user_claim": asked.user_claim, "groups_claim": asked.groups_claim}
        verifier = TokenVerifier(TokenOptions(asked.jwks, asked.issuer, asked.audience, **claims))
    return Readers(token_file(settings), policy, verifier)


def token_file(settings: Settings) -> TokenFile:
    """The file of readers' tokens."""
    return TokenFile(settings.keys / FILE_NAME, "readers", PREFIX, "slmtrail readers list")


def check_public(host: str, setting: str, known: Readers) -> None:
    """Raises SettingsError where the trail would be open to a network without asking who reads."""
    if not is_loopback(host) and not known.asked:
        raise SettingsError(
            f"{setting}: {host} would show the trail to everyone who gets there: make a reader (slmtrail readers add), "
            f"or set readers.jwks, or listen on 127.0.0.1"
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine gets to an address."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _grant(row: Row) -> ReaderGrant:
    try:
        return ReaderGrant.model_validate(dict(row.grant))
    except ValueError:
        raise KeyFileError(f"the grant of the reader {row.name} can't be read: revoke and add them anew") from None
