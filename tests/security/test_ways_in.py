"""Every route of the endpoint, asked by those who may not: nothing comes out, and nothing outside the trail is read."""

from __future__ import annotations

import dataclasses
import gzip
import itertools
import json
import zlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from readable_trail import ReadableTrail, a_day
from slmtrail.app import parts
from slmtrail.app.api.openapi import document
from slmtrail.app.readers.known import PREFIX, Readers
from slmtrail.app.running import endpoint
from slmtrail.app.web.pages import page_routes
from slmtrail.collectors.collector import Collector
from slmtrail.collectors.receive.senders import FILE_NAME
from slmtrail.core import keys
from slmtrail.core.settings import CollectorSettings, IngestSettings
from slmtrail.core.tokens import TokenFile

OPEN = {"/login", "/static", "/health/live", "/health/ready", "/api/v1/openapi.json"}
"""What anyone gets: how to come in, how page and API look, and whether we live."""
PROVES_ITSELF = {"/v1/enrol", "/v1/frames", "/v1/control"}
"""What takes a proof of its own, which these requests do not have."""
TOLD = ("mallory", "user-one", "question one", "phi-3-mini", "qwen2.5", "core-banking", "EMAIL_1")
"""What is in the records, and in no page without them."""


@dataclasses.dataclass
class House:
    """The whole endpoint over a small trail, its routes, and tokens that open one of its doors each."""

    app: Starlette
    ids: list[str]
    tokens: TokenFile
    sender: str
    secrets: list[str]

    def client(self, **headers: str) -> TestClient:
        return TestClient(
            self.app,
            "http://127.0.0.1:4747",
            client=("127.0.0.1", 50_000),
            headers=headers,
            raise_server_exceptions=False,
            follow_redirects=False,
        )

    def routes(self) -> Iterator[tuple[str, str]]:
        """Method and path of each, as they are known to the application itself."""
        return _routes(self.app, "")

    def asked(self) -> Iterator[tuple[str, str]]:
        """The same, with a record that there is in the place of every parameter."""
        for method, path in self.routes():
            for record_id in self.ids[:1] if "{" in path else [""]:
                yield method, _filled(path, record_id)


def _routes(app: Any, prefix: str) -> Iterator[tuple[str, str]]:
    while not hasattr(app, "routes"):
        app = app._app
    for route in app.routes:
        if methods := getattr(route, "methods", None):
            yield from ((method, prefix + route.path) for method in sorted(methods - {"HEAD"}))
        elif route.path.endswith("/static"):
            yield "GET", prefix + route.path
        else:
            yield from _routes(route.app, prefix + route.path)


def _filled(path: str, value: str) -> str:
    head, brace, rest = path.partition("{")
    return head if not brace else head + value + _filled(rest.partition("}")[2], value)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    trail = ReadableTrail(folder)
    ids = trail.seal(*a_day())
    settings = trail.settings.model_copy(
        update={"ingest": IngestSettings(senders="known"), "collector": CollectorSettings(heartbeat_ms=3_600_000)}
    )
    readers = TokenFile(folder / "readers.json", "readers", PREFIX, "slmtrail readers list")
    readers.new("someone", grant={"role": "reader", "environments": ["*"]})
    sender, _ = TokenFile(settings.keys / FILE_NAME, "senders", "slmt_", "slmtrail token list").new("app")
    keys.secret(settings.keys / "enrolment.key", create=True)
    spool = parts.open_spool(settings)
    collector = Collector(parts.identity(settings), spool, parts.collector_options(settings))
    pages = page_routes(trail.reading, (), Readers(readers))
    app = endpoint.application(settings, collector, endpoint.room(settings), pages)
    secrets = [file.read_text()[30:60] for file in settings.keys.iterdir() if file.suffix in (".pem", ".key")]
    assert len(secrets) > 4
    assert all(len(secret) == 30 for secret in secrets)
    yield House(app, ids, readers, sender, secrets)
    spool.close()
    trail.close()


def test_all_that_is_documented_is_walked(house: House) -> None:
    walked = {(method.lower(), path) for method, path in house.routes()}
    operations = {(method, f"/api/v1{path}") for path, of in document()["paths"].items() for method in of}
    assert operations < {(method, path.replace(":path", "")) for method, path in walked}
    assert {"/v1/events", "/v1/traces", "/metrics", "/record/{id}", "/alerts", "/integrity"} < {
        path for _, path in walked
    }


@pytest.mark.parametrize("credentials", ["none", "garbage", "basic", "cookie", "of a sender", "of a reader gone"])
def test_who_shows_nothing_good_gets_nothing(house: House, credentials: str) -> None:
    gone, row = house.tokens.new("gone", grant={"role": "admin", "environments": ["*"]})
    house.tokens.revoke(row.id)
    shown = {
        "none": {},
        "garbage": {"authorization": "Bearer \x7f'; --"},
        "basic": {"authorization": "Basic YWRtaW46YWRtaW4="},
        "cookie": {"cookie": f"slmtrail_reader={gone}; slmtrail_session={gone}; session=1"},
        "of a sender": {"authorization": f"Bearer {house.sender}"},
        "of a reader gone": {"authorization": f"Bearer {gone}"},
    }[credentials]
    client = house.client(**shown)
    for method, path in house.asked():
        takes = path.startswith("/v1/") or path == "/metrics"
        if path in OPEN or (credentials == "of a sender" and takes):
            continue
        answer = client.request(method, path, content=b"{}" if method == "POST" else None)
        good = {400, 401, 403} if path in PROVES_ITSELF else {401}
        assert answer.status_code in good | ({303} if path == "/logout" else set()), (method, path)
        assert not [word for word in TOLD if word in answer.text], path
        shown_page = client.get(path, headers={"accept": "text/html"})
        assert shown_page.status_code in {303, 401, 403, 404, 405}, path


def test_who_sees_nothing_is_shown_nothing_on_any_route(house: House) -> None:
    token, _ = house.tokens.new("none", grant={"role": "investigator", "environments": []})
    client = house.client(authorization=f"Bearer {token}")
    answered = 0
    for method, path in house.asked():
        if method != "GET" or path.startswith("/static") or path.endswith(("/stream", "/openapi.json")):
            continue
        for query in ("", "?q=kind:inference", "?one=a&other=b", "?about=time&name=2026-01-15T04:00:00Z&field=user"):
            answer = client.get(path + query)
            answered += answer.status_code == 200
            assert answer.status_code < 500, path
            assert not [word for word in TOLD if word in answer.text], path + query
    assert answered > 20


OUTSIDE = (
    "../../../../../../etc/passwd",
    "..%2f..%2f..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/%2e%2e/keys/ledger.pem",
    "....//....//keys/ledger.pem",
    "..\\..\\keys\\ledger.pem",
    "/etc/passwd",
    "%00",
    "keys/ledger.pem%00.html",
    "file:///etc/passwd",
    "a" * 5000,
    quote("\ud7ff\u202e\n\r"),
)


@pytest.mark.parametrize("outside", OUTSIDE, ids=range(len(OUTSIDE)))
def test_no_parameter_of_a_path_leads_outside(house: House, outside: str) -> None:
    token, _ = house.tokens.new("all", grant={"role": "admin", "environments": ["*"]})
    client = house.client(authorization=f"Bearer {token}")
    paths = [path for method, path in house.routes() if method == "GET" and "{" in path]
    for path in itertools.chain((_filled(path, outside) for path in paths), [f"/static/{outside}", f"/{outside}"]):
        answer = client.get(path)
        assert answer.status_code in {200, 303, 400, 404}, path
        assert "root:" not in answer.text
        assert not [secret for secret in house.secrets if secret in answer.text]
        if answer.status_code == 200:  # an empty answer, as to any name that nothing has
            assert not [word for word in TOLD if word in json.dumps(answer.text)], path


@pytest.mark.parametrize("coding", ["gzip", "deflate", "zstd", "br", "gzip, gzip"])
def test_a_bomb_goes_off_at_no_receiver(house: House, coding: str) -> None:
    client = house.client(authorization=f"Bearer {house.sender}", **{"content-encoding": coding})
    bomb = (gzip.compress if coding == "gzip" else zlib.compress)(bytes(100 << 20), 1)
    receivers = [path for method, path in house.asked() if method == "POST" and path.startswith("/v1/")]
    assert len(receivers) > 5
    for path in receivers:
        answer = client.post(path, content=bomb, headers={"content-type": "application/json"})
        assert answer.status_code in ({404, 413, 429} if coding in ("gzip", "deflate") else {415}), path
