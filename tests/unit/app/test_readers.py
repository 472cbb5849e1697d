"""Readers: tokens of ours and of an issuer, grants of the policy, and what is refused where nobody is asked."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from typer.testing import CliRunner

from readable_trail import ReadableTrail, inference
from slmtrail.app.api.limits import Busy
from slmtrail.app.api.live import MAX_FOLLOWERS, Live
from slmtrail.app.commands.given import given
from slmtrail.app.readers.access import Access
from slmtrail.app.readers.commands import readers as commands
from slmtrail.app.readers.known import Readers, Unknown, check_public, readers, token_file
from slmtrail.app.readers.looking import Looking
from slmtrail.app.readers.sessions import COOKIE, LIFE_S, Sessions
from slmtrail.app.reading import Asked
from slmtrail.core import policy
from slmtrail.core.errors import NotFound, SettingsError
from slmtrail.core.ports import Sealed
from slmtrail.core.readers import LOCAL, Reader, Scope
from slmtrail.core.settings import ReadersSettings, Settings

KEY = ed25519.Ed25519PrivateKey.generate()
POLICY = policy.parse(
    """
readers:
  auditors: {who: {groups: [audit]}, role: investigator, environments: [prod*], kinds: [inference, alert]}
  ops: {who: {users: [olga]}, environments: ["*"], teams: [payments]}
""",
    "here",
)


def token(**claims: Any) -> str:
    whole = {"sub": "ann", "iss": "https://id.example", "aud": "trail", "exp": int(time.time()) + 300, **claims}
    return jwt.encode(whole, KEY, algorithm="EdDSA", headers={"kid": "k"})


@pytest.fixture
def issuer(tmp_path: Path) -> Settings:
    """Settings with an issuer whose keys lie in a file."""
    made = json.loads(jwt.get_algorithm_by_name("EdDSA").to_jwk(KEY.public_key()))  # type: ignore[attr-defined]
    keys = tmp_path / "jwks.json"
    keys.write_text(json.dumps({"keys": [{**made, "kid": "k", "use": "sig", "alg": "EdDSA"}]}))
    asked = ReadersSettings(jwks=str(keys), issuer="https://id.example", audience="trail")
    return Settings(data=tmp_path / "data", readers=asked)


def known(settings: Settings, credential: str) -> Reader:
    async def run() -> Reader:
        found = readers(settings, lambda: POLICY)
        await found.start()
        return await found.known(credential)

    return asyncio.run(run())


def test_a_token_of_the_issuer_gives_what_the_policy_grants(issuer: Settings) -> None:
    ann = known(issuer, token(groups=["staff", "audit"]))
    assert ann == Reader(
        "ann", "investigator", Scope(("prod*",), ("inference", "alert"), ("*",), content=True), "token"
    )
    olga = known(issuer, token(sub="olga"))
    assert (olga.role, olga.scope) == ("reader", Scope(("*",), ("*",), ("payments",)))


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"groups": []}, "no_grant"),
        ({"exp": 1}, "token_expired"),
        ({"aud": "other"}, "token_for_another_audience"),
        ({"iss": "https://evil.example"}, "token_of_another_issuer"),
        ({"sub": ""}, "token_without_user"),
    ],
)
def test_a_token_of_another_purpose_opens_nothing(issuer: Settings, claims: dict[str, Any], reason: str) -> None:
    with pytest.raises(Unknown) as unknown:
        known(issuer, token(**{"groups": ["audit"], **claims}))
    assert unknown.value.reason == reason


def test_what_is_no_token_of_the_issuer_opens_nothing(issuer: Settings) -> None:
    forged = token(groups=["audit"])[:-6] + "AAAAAA"
    shared = jwt.encode({"sub": "ann", "exp": 9999999999}, "x" * 32, algorithm="HS256")
    for credential, reason in (
        (forged, "token_forged"),
        (shared, "token_malformed"),
        ("", "no_credentials"),
        ("slmr_guess", "unknown_token"),
    ):
        with pytest.raises(Unknown) as unknown:
            known(issuer, credential)
        assert unknown.value.reason == reason


def test_an_issuer_is_believed_for_this_trail_alone(issuer: Settings) -> None:
    for name in ("issuer", "audience"):
        asked = issuer.readers.model_copy(update={name: ""})
        with pytest.raises(SettingsError, match=rf"readers\.{name}: must be given"):
            readers(issuer.model_copy(update={"readers": asked}), lambda: POLICY)
    with pytest.raises(Unknown, match=r"set readers\.jwks"):
        asyncio.run(_with_a_token(issuer).known(token(groups=["audit"])))


def _with_a_token(settings: Settings) -> Readers:
    tokens = token_file(settings)
    tokens.new("someone", grant={"environments": ["*"]})
    return Readers(tokens)


def test_a_page_for_a_network_takes_readers(tmp_path: Path) -> None:
    nobody = Readers(token_file(Settings(data=tmp_path)))
    for host in ("127.0.0.1", "::1", "localhost", "127.8.8.8"):
        check_public(host, "page.host", nobody)
    for host in ("0.0.0.0", "::", "192.0.2.1", "trail.example", ""):
        with pytest.raises(SettingsError, match=r"page\.host: .*slmtrail readers add"):
            check_public(host, "page.host", nobody)
    check_public("0.0.0.0", "page.host", _with_a_token(Settings(data=tmp_path)))


def test_a_grant_names_environments() -> None:
    with pytest.raises(SettingsError, match=r"readers\.a\.environments: is missing"):
        policy.parse("readers: {a: {who: {users: [x]}}}", "here")


def test_readers_are_added_listed_and_revoked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(given, "data", tmp_path / "data")

    def run(*arguments: str) -> Any:
        return CliRunner().invoke(commands, arguments)

    made = run("add", "ann", "--env", "prod", "--env", "stage", "--role", "investigator", "--team", "payments")
    credential = made.stdout.split()[0]
    found = asyncio.run(readers(given.settings(), lambda: POLICY).known(credential))
    assert found == Reader(
        "ann", "investigator", Scope(("prod", "stage"), ("*",), ("payments",), content=True), "api_key"
    )
    (row,) = map(json.loads, run("list", "--json").stdout.splitlines())
    assert (row["name"], row["role"], row["environments"]) == ("ann", "investigator", ["prod", "stage"])
    assert credential not in run("list").stdout
    assert run("add", "bob").exit_code == 2, "an environment must be named"
    assert isinstance(run("add", "bob", "--env", "*", "--role", "king").exception, SettingsError)
    assert run("revoke", "ann").exit_code == 0
    assert isinstance(run("revoke", "ann").exception, NotFound)
    with pytest.raises(Unknown):
        asyncio.run(readers(given.settings(), lambda: POLICY).known(credential))


def test_sessions_end() -> None:
    now = [0.0]
    sessions = Sessions(lambda: now[0])
    cookies = {COOKIE: sessions.begin("secret")}
    assert sessions.credential(cookies) == "secret"
    assert sessions.credential({COOKIE: "other"}) == sessions.credential({}) == ""
    now[0] = LIFE_S
    assert sessions.credential(cookies) == ""
    cookies = {COOKIE: sessions.begin("secret")}
    sessions.end(cookies)
    assert sessions.credential(cookies) == ""


class TestLive:
    @pytest.fixture
    def trail(self, tmp_path: Path) -> Iterator[ReadableTrail]:
        made = ReadableTrail(tmp_path)
        yield made
        made.close()

    def test_what_is_new_comes_to_who_may_see_it(self, trail: ReadableTrail) -> None:
        trail.seal(inference("before"))
        narrow = Reader("ann", "reader", Scope(("prod",), ("inference",), ("*",)))

        async def run() -> tuple[list[Sealed], list[Sealed]]:
            live = Live(trail.reading)
            looking = [Looking(narrow, trail.reading, Access(None)), Looking(LOCAL, trail.reading, Access(None))]
            comings = [live.follow(one.following(Asked("user:alice")), one.bare, 10) for one in looking]
            assert [await anext(coming) for coming in comings] == [None, None]
            await asyncio.to_thread(
                trail.seal, inference("one"), inference("two", deployment__environment__name="prod", user__id="bob")
            )
            await asyncio.to_thread(trail.seal, inference("three", deployment__environment__name="prod"))
            found = [await anext(comings[0])], [await anext(comings[1]) for _ in range(2)]
            for coming in comings:
                await coming.aclose()  # type: ignore[attr-defined]
            return found  # type: ignore[return-value]

        (prod,), everything = asyncio.run(run())
        assert [one.record["deployment.environment.name"] for one in (prod, *everything)] == ["prod", "dev", "prod"]
        assert "gen_ai.input.messages" not in prod.record

    def test_only_so_many_follow_and_who_is_slow_is_told(
        self, trail: ReadableTrail, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("slmtrail.app.api.live.MAX_BEHIND", 2)

        async def run() -> list[Any]:
            live = Live(trail.reading)
            coming = live.follow(lambda record: record["slm.kind"] == "inference", lambda sealed: sealed, 10)
            await anext(coming)
            others = [live.follow(lambda _: False, lambda sealed: sealed, 10) for _ in range(MAX_FOLLOWERS - 1)]
            for other in others:
                await anext(other)
            with pytest.raises(Busy):
                live.room()
            await asyncio.to_thread(trail.seal, *[inference(str(n)) for n in range(5)])
            told = [await anext(coming) for _ in range(3)]
            for one in (coming, *others):
                await one.aclose()  # type: ignore[attr-defined]
            live.room()
            return told

        first, second, lost = asyncio.run(run())
        assert isinstance(first, Sealed)
        assert isinstance(second, Sealed)
        assert lost == 3
