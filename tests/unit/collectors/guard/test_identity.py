"""Who is behind a request: what is verified and what is only claimed never mix."""

from __future__ import annotations

import asyncio
import base64
import ipaddress
import json
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from slmtrail.collectors.guard.caller import Caller
from slmtrail.collectors.guard.identity import Identifier, IdentityOptions
from slmtrail.collectors.guard.tokens import TokenOptions, TokenVerifier
from slmtrail.core.errors import SettingsError
from slmtrail.core.events import validate

SECRET = b"s" * 32
PROXIES = (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8"))
RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
ED = ed25519.Ed25519PrivateKey.generate()
ALGORITHMS = {"RS256": RSA, "PS256": RSA, "ES256": EC, "EdDSA": ED}


def jwk(kid: str, algorithm: str) -> dict[str, Any]:
    maker = jwt.get_algorithm_by_name(algorithm)
    made = json.loads(maker.to_jwk(ALGORITHMS[algorithm].public_key()))  # type: ignore[attr-defined]
    return {**made, "kid": kid, "use": "sig", "alg": algorithm}


def token(algorithm: str = "RS256", key: Any = None, kid: str | None = None, **claims: Any) -> str:
    whole = {"sub": "alice", "iss": "https://id.example", "aud": "slm", "exp": int(time.time()) + 300, **claims}
    whole = {name: value for name, value in whole.items() if value is not None}
    headers = {"kid": kid or algorithm}
    return jwt.encode(whole, key or ALGORITHMS[algorithm], algorithm=algorithm, headers=headers)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps({"keys": [jwk(name, name) for name in ALGORITHMS]}))
    return file


def ask(keys: Path | None, head: dict[str, str], peer: str = "203.0.113.9", certificate: str = "") -> Caller:
    async def run() -> Caller:
        tokens = None
        if keys is not None:
            tokens = TokenVerifier(TokenOptions(str(keys), "https://id.example", "slm"))
            await tokens.start()
        identifier = Identifier(IdentityOptions(SECRET, PROXIES, tokens=tokens))
        caller = identifier.caller(head, peer, certificate, time.time())
        if caller is None:
            await identifier.refresh()
            caller = identifier.caller(head, peer, certificate, time.time())
        assert caller is not None
        return caller

    return asyncio.run(run())


def bearer(credential: str) -> dict[str, str]:
    return {"authorization": f"Bearer {credential}"}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_token_that_holds_tells_who(keys: Path, algorithm: str) -> None:
    caller = ask(keys, bearer(token(algorithm, name="Alice A", email="a@x.org", groups=["support", 7, "eng"])))
    assert (caller.method, caller.verified, caller.fault) == ("token", True, "")
    assert (caller.user, caller.name, caller.email, caller.groups) == (
        "alice",
        "Alice A",
        "a@x.org",
        ("support", "eng"),
    )
    assert caller.issuer == "https://id.example"


def forged_none() -> str:
    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'none', 'typ': 'JWT'})}.{part({'sub': 'root', 'exp': 9999999999})}."


@pytest.mark.parametrize(
    ("credential", "fault"),
    [
        (lambda: token(exp=1), "token_expired"),
        (lambda: token(exp=None), "token_malformed"),
        (lambda: token(aud="other"), "token_for_another_audience"),
        (lambda: token(aud=None), "token_malformed"),
        (lambda: token(iss="https://evil.example"), "token_of_another_issuer"),
        (lambda: token(nbf=int(time.time()) + 3600), "token_not_yet_valid"),
        (lambda: token(key=rsa.generate_private_key(65537, 2048)), "token_forged"),
        (lambda: token()[:-6] + "AAAAAA", "token_forged"),
        (lambda: token(kid="ES256"), "token_malformed"),
        (lambda: token(kid="unheard"), "token_key_unknown"),
        (forged_none, "token_malformed"),
        (
            lambda: jwt.encode({"sub": "root", "exp": 9999999999}, "x" * 32, "HS256", {"kid": "RS256"}),
            "token_malformed",
        ),
        (lambda: "eyJ.eyJ.x", "token_malformed"),
        (lambda: "ey" + "A" * 20_000 + ".x.y", "token_too_long"),
    ],
)
def test_a_token_that_does_not_hold_tells_nothing(keys: Path, credential: Any, fault: str) -> None:
    caller = ask(keys, bearer(credential()))
    assert (caller.method, caller.verified, caller.user, caller.groups) == ("token", False, "", ())
    assert caller.fault in (fault, "token_key_unknown") if "none" in str(credential) else caller.fault == fault


def test_a_token_without_anyone_to_check_it_is_only_named() -> None:
    assert ask(None, bearer(token())) == Caller("token", fault="token_not_checked", source_ip="203.0.113.9")


def test_a_new_key_of_the_issuer_is_fetched_and_a_withdrawn_one_counts_no_more(keys: Path) -> None:
    file = keys.read_text()
    keys.write_text(json.dumps({"keys": [jwk("RS256", "RS256")]}))

    async def run() -> None:
        verifier = TokenVerifier(TokenOptions(str(keys), "https://id.example", "slm"))
        await verifier.start()
        old, new = token("RS256"), token("ES256")
        checked = verifier.check(old, time.time())
        assert checked is not None
        assert checked.fault == ""
        verifier._fetched_s = float("-inf")
        keys.write_text(file.replace('"RS256"', '"gone"'))  # noqa: ASYNC240
        assert verifier.check(new, time.time()) is None
        await verifier.refresh()
        checked = verifier.check(new, time.time())
        assert checked is not None
        assert checked.fault == ""
        checked = verifier.check(old, time.time())
        assert checked is not None
        assert checked.fault == "token_key_unknown"

    asyncio.run(run())


def test_keys_that_can_not_be_fetched_again_go_on(keys: Path) -> None:
    async def run() -> None:
        verifier = TokenVerifier(TokenOptions(str(keys), "https://id.example", "slm"))
        await verifier.start()
        keys.unlink()  # noqa: ASYNC240
        await verifier.refresh()
        checked = verifier.check(token(), time.time())
        assert checked is not None
        assert checked.fault == ""

    asyncio.run(run())


@pytest.mark.parametrize("content", [None, "", "[]", '{"keys": []}', '{"keys": [{"kty": "oct", "k": "AA"}]}'])
def test_an_issuer_without_keys_is_an_error_at_the_start(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "jwks.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(SettingsError, match=r"identity\.jwks"):
        asyncio.run(TokenVerifier(TokenOptions(str(file), "", "")).start())


@pytest.mark.parametrize(
    "head",
    [
        bearer("sk-proj-0123456789abcdef"),
        {"x-api-key": "sk-proj-0123456789abcdef"},
        {"api-key": "sk-proj-0123456789abcdef"},
    ],
)
def test_an_api_key_is_a_hash_and_a_readable_beginning(head: dict[str, str]) -> None:
    caller = ask(None, head)
    assert (caller.method, caller.verified) == ("api_key", False)
    assert caller.key_prefix == "sk-pro"
    assert "0123456789" not in repr(caller)
    assert caller.who == caller.key_hash


def test_a_short_key_shows_little_of_itself() -> None:
    assert ask(None, bearer("hunter2")).key_prefix == "h"


def test_a_certificate_tells_who() -> None:
    caller = ask(None, bearer("sk-0123456789abcdef"), certificate="CN=app1,O=Example")
    assert (caller.method, caller.verified, caller.user) == ("certificate", True, "CN=app1,O=Example")
    assert caller.key_hash


def test_the_word_of_a_trusted_proxy_counts_and_nobody_elses() -> None:
    head = {"x-forwarded-user": "alice", "x-forwarded-groups": "support, eng", "x-forwarded-email": "a@x.org"}
    believed = ask(None, head, peer="10.1.2.3")
    assert (believed.method, believed.user, believed.groups) == ("proxy", "alice", ("support", "eng"))
    claimed = ask(None, head, peer="203.0.113.9")
    assert (claimed.verified, claimed.user, claimed.claimed_user, claimed.groups) == (False, "", "alice", ())


@pytest.mark.parametrize(
    ("peer", "chain", "source", "forwarded"),
    [
        ("203.0.113.9", "", "203.0.113.9", ""),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1", ""),
        ("10.0.0.1", "6.6.6.6, 198.51.100.1, 10.0.0.7", "198.51.100.1", ""),
        ("10.0.0.1", "10.0.0.9, 10.0.0.7", "10.0.0.9", ""),
        ("10.0.0.1", "198.51.100.1:4711", "198.51.100.1", ""),
        ("10.0.0.1", "[2001:db8::1]:80", "2001:db8::1", ""),
        ("10.0.0.1", "2001:db8::1", "2001:db8::1", ""),
        ("10.0.0.1", "198.51.100.1, unknown", "10.0.0.1", ""),
        ("203.0.113.9", "nonsense", "203.0.113.9", ""),
        ("fd00::1", "::ffff:198.51.100.1", "198.51.100.1", ""),
        ("", "198.51.100.1", "", "198.51.100.1"),
    ],
)
def test_addresses_through_proxies(peer: str, chain: str, source: str, forwarded: str) -> None:
    caller = ask(None, {"x-forwarded-for": chain}, peer=peer)
    assert (caller.source_ip, caller.forwarded_ip) == (source, forwarded)


_TEXT = st.text(max_size=40)


@given(
    st.dictionaries(
        st.sampled_from("authorization x-api-key x-forwarded-user x-forwarded-for session-id".split()), _TEXT
    )
)
def test_any_head_makes_fields_that_an_event_takes(head: dict[str, str]) -> None:
    caller = Identifier(IdentityOptions(SECRET, PROXIES)).caller(head, "10.0.0.1", "", 0.0)
    assert caller is not None
    event = {"slm.kind": "auth", "@timestamp": 0, "event.action": "login", "event.outcome": "success"}
    validate(event | caller.fields())
