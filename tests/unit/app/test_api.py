"""The API over a small sealed trail: what each operation gives, to whom, and what is recorded of it."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from readable_trail import ReadableTrail, a_day, inference
from slmtrail.app.api.limits import Busy, Rate
from slmtrail.app.api.operation import Parameter
from slmtrail.app.readers.known import PREFIX, Readers
from slmtrail.app.readers.sessions import COOKIE
from slmtrail.app.web.pages import page_routes
from slmtrail.core import events
from slmtrail.core.errors import EventError
from slmtrail.core.tokens import TokenFile

EVERYWHERE = {"environments": ["*"]}
HERE = ("127.0.0.1", 50_000)
AWAY = ("203.0.113.9", 50_000)


class Told:
    """The Emitter port: what was told, as events that a collector would take."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def emit(self, event: dict[str, Any]) -> None:
        self.events.append(events.validate({"@timestamp": time.time_ns() // 1_000_000, **event}))

    def actions(self) -> list[str]:
        """The actions since the last time."""
        found, self.events = [event["event.action"] for event in self.events], []
        return found


class House:
    """A trail, its readers, and what was told of them."""

    def __init__(self, folder: Path) -> None:
        self.trail = ReadableTrail(folder)
        self.told = Told()
        self.tokens = TokenFile(folder / "readers.json", "readers", PREFIX, "slmtrail readers list")

    def client(self, peer: tuple[str, int] = HERE, token: str = "", **headers: str) -> TestClient:
        routes = page_routes(self.trail.reading, (), Readers(self.tokens), self.told)
        given = {**headers, **({"authorization": f"Bearer {token}"} if token else {})}
        return TestClient(
            Starlette(routes=routes), "http://127.0.0.1:4747", client=peer, headers=given, raise_server_exceptions=False
        )

    def reader(self, role: str = "reader", **grant: list[str]) -> TestClient:
        """Someone who came in before."""
        token, _ = self.tokens.new(role, grant={"role": role, **EVERYWHERE, **grant})
        client = self.client(token=token)
        client.get("/api/v1/me")
        self.told.actions()
        return client


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.trail.close()


def get(client: TestClient, path: str, expected: int = 200, /, **parameters: Any) -> Any:
    answer = client.get(f"/api/v1{path}", params=parameters)
    assert answer.status_code == expected, answer.text
    kind = "application/json" if expected == 200 else "application/problem+json"
    assert answer.headers["content-type"] == kind
    return answer.json()


class TestReading:
    def test_each_operation_gives_what_its_command_gives(self, house: House) -> None:
        ids = house.trail.seal(*a_day())
        client = house.client()
        page = get(client, "/search", q="kind:inference", limit=4)
        assert (len(page["records"]), page["total"]) == (4, 6)
        rest = get(client, "/search", q="kind:inference", limit=4, cursor=page["cursor"])
        assert (len(rest["records"]), rest["cursor"]) == (2, "")
        oldest = get(client, "/search", q="kind:inference", sort="time")["records"]
        assert [one["event.id"] for one in oldest] == [
            one["event.id"] for one in [*page["records"], *rest["records"]][::-1]
        ]
        assert get(client, "/count", kind="auth") == {"total": 1}
        facets = get(client, "/facets", field=["kind", "outcome"], size=2)["facets"]
        assert facets["kind"][0] == {"value": "inference", "count": 6}
        histogram = get(client, "/histogram", q="kind:inference", bars=24)
        assert sum(bar["count"] for bar in histogram["bars"]) == 6
        record = get(client, f"/record/{ids[0]}", content="true")
        assert record["record"]["gen_ai.input.messages"][0]["parts"][0]["content"] == "question one"
        assert record["proof"]["state"] == "proved"
        assert record["proof"]["tlog_proof"]
        assert get(client, "/verify")["verified"] is True

    def test_a_session_and_a_trace_come_in_order(self, house: House) -> None:
        house.trail.seal(*[inference(f"turn {n}", session__id="s 1", trace__id="t") for n in range(3)])
        for path in ("/session/s 1", "/trace/t"):
            found = get(house.client(), path, content="true")["records"]
            texts = [one["gen_ai.input.messages"][0]["parts"][0]["content"] for one in found]
            assert texts == ["turn 0", "turn 1", "turn 2"]
        assert get(house.client(), "/session/none", 404)["detail"] == "there is no record of this session"

    def test_an_incident_and_two_models(self, house: House) -> None:
        house.trail.seal(*a_day())
        found = get(house.client(), "/incident", about="user", name="mallory")
        assert {entry["record"]["slm.kind"] for entry in found["entries"]} >= {"inference", "policy"}
        compared = get(house.client(), "/compare", one="phi-3-mini", other="qwen2.5-1.5b", content="true")
        assert (compared["one"]["records"], compared["other"]["records"]) == (5, 1)
        again = get(house.client(), "/history", text="question one", content="true")
        assert [asking["prompt"] for asking in again["askings"]] == ["question one"]
        assert get(house.client(), "/incident", 400, about="time", name="yesterday")["detail"].startswith("name: ")

    def test_what_cant_be_answered_says_where_and_why(self, house: House) -> None:
        client = house.client()
        assert get(client, "/search", 400, q="hello usr:alice") == {
            "type": "about:blank",
            "title": "Bad Request",
            "status": 400,
            "detail": "character 7: there is no field 'usr'; did you mean user? "
            'To search for these words, put them in "quotes"',
            "at": 7,
        }
        for path, parameters, said in (
            ("/search", {"limit": 5000}, "limit: is a whole number from 1 to 1000"),
            ("/search", {"sort": "size"}, "sort: is one of"),
            ("/search", {"query": "x"}, "'query' is no parameter here"),
            ("/search", {"cursor": "x"}, "this is no cursor"),
            ("/search", {"since": "yesterday"}, "not a time"),
            ("/facets", {}, "field: is missing"),
            ("/facets", {"field": "ip"}, "field: is one of"),
            ("/compare", {"one": "phi-3", "content": "maybe"}, "other: is missing"),
        ):
            assert said in get(client, path, 400, **parameters)["detail"]
        assert get(client, "/record/none", 404)["status"] == 404
        assert get(client, "/nothing", 404)["status"] == 404
        assert client.post("/api/v1/search").status_code == 405

    def test_exports_are_whole_and_a_spreadsheet_runs_none_of_it(self, house: House) -> None:
        house.trail.seal(*[inference(user__id="=cmd()") for _ in range(700)], *a_day())
        lines = (
            house.client().get("/api/v1/export", params={"q": "kind:inference", "content": "true"}).text.splitlines()
        )
        assert len(lines) == 706
        assert {"slm.ledger.id", "slm.ledger.leaf", "event.id", "gen_ai.input.messages"} <= json.loads(lines[0]).keys()
        answer = house.client().get("/api/v1/export", params={"user": "=cmd()", "kind": "inference", "format": "csv"})
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        assert {row["user.id"] for row in rows} == {"'=cmd()"}
        assert len(rows) == 700


class TestAlerts:
    def test_one_is_acknowledged_and_closed_and_both_are_records(self, house: House) -> None:
        house.trail.seal(*a_day())
        client = house.reader("investigator")
        (alert,) = get(client, "/alerts", content="true", user="mallory")["alerts"]
        assert (alert["status"], alert["by"]) == ("open", "")
        name = alert["record"]["slm.alert.id"]
        house.told.actions()

        answer = client.post(f"/api/v1/alerts/{name}/acknowledge")
        assert (answer.status_code, answer.json()["status"]) == (200, "acknowledged")
        house.trail.seal(*house.told.events)
        (alert,) = get(client, "/alerts", status="acknowledged")["alerts"]
        assert (alert["by"], alert["reason"]) == ("investigator", "")

        assert client.post(f"/api/v1/alerts/{name}/close", json={}).json()["detail"].startswith("reason: is missing")
        house.told.actions()
        reason = {"reason": "a drill, by bob@example.com"}
        assert client.post(f"/api/v1/alerts/{alert['record']['event.id']}/close", json=reason).status_code == 200
        assert [event["slm.alert.status"] for event in house.told.events] == ["closed"]
        house.trail.seal(*house.told.events)
        assert get(client, "/alerts", status="open", user="mallory")["alerts"] == []
        (alert,) = get(client, "/alerts", status="closed")["alerts"]
        assert alert["reason"] == "a drill, by <EMAIL_1>"

    def test_nobody_else_says_what_became_of_one(self, house: House) -> None:
        event = {"slm.kind": "access", "event.action": "close", "slm.alert.id": "a" * 32, "slm.alert.status": "closed"}
        with pytest.raises(EventError, match=r"slm\.alert\.\w+: is set by slmtrail"):
            events.parse(event, 0)
        client = house.reader("investigator")
        for body, status in (("x", 400), ("[]", 400), ('{"reason": 1}', 400), ('{"a": 1}', 400), ("x" * 20_000, 400)):
            assert client.post("/api/v1/alerts/x/close", content=body).status_code == status
        assert client.post("/api/v1/alerts/x/close", json={"reason": "y"}).status_code == 404
        assert client.post("/api/v1/alerts/x/close", json={"reason": "y" * 1001}).status_code == 400


class TestReaders:
    def test_without_readers_the_trail_is_shown_here_alone(self, house: House) -> None:
        assert get(house.client(), "/me")["role"] == "admin"
        for peer in (AWAY, ("", 0)):
            assert get(house.client(peer), "/search", 403)["detail"].endswith("on this machine only")
        assert house.client(AWAY).get("/").status_code == 403

    def test_with_readers_everyone_is_asked(self, house: House) -> None:
        token, row = house.tokens.new("ann", grant={"role": "reader", **EVERYWHERE})
        assert get(house.client(), "/search", 401)["status"] == 401
        assert get(house.client(token="slmr_wrong"), "/search", 401)["detail"].startswith("this token is not known")
        assert house.client(AWAY).get("/").status_code == 401
        assert get(house.client(AWAY, token), "/me")["name"] == "ann"
        house.tokens.revoke(row.id)
        assert get(house.client(token=token), "/search", 401)["status"] == 401
        assert get(house.client(), "/search", 401)["status"] == 401, "the last one revoked opens nothing"

    def test_a_token_ends(self, house: House) -> None:
        token, _ = house.tokens.new("ann", until_ms=1, grant={"role": "reader", **EVERYWHERE})
        assert "has expired" in get(house.client(token=token), "/search", 401)["detail"]

    def test_a_role_that_is_none_and_a_scope_of_nothing_see_nothing(self, house: House) -> None:
        house.trail.seal(*a_day())
        nothing = house.reader(environments=[])
        assert get(nothing, "/search") == {"records": [], "total": 0, "at_least": False, "cursor": ""}
        token, _ = house.tokens.new("odd", grant={"role": "king", **EVERYWHERE})
        assert get(house.client(token=token), "/search", 503)["status"] == 503

    def test_a_reader_sees_what_happened_and_not_what_was_said(self, house: House) -> None:
        ids = house.trail.seal(*a_day())
        client = house.reader()
        found = get(client, "/search", q="kind:inference")["records"]
        assert found
        record = get(client, f"/record/{ids[0]}")
        assert record["proof"]["state"] == "proved"
        for one in (*found, record["record"]):
            assert "question" not in json.dumps(one)
            assert not {"gen_ai.input.messages", "message", "slm.salts"} & one.keys()
        for path, parameters in (
            ("/search", {"q": "question"}),
            ("/search", {"q": "kind:inference", "content": "true"}),
            ("/search", {"q": "not question"}),
            ("/histogram", {"q": "question"}),
            ("/facets", {"q": "question", "field": "user"}),
            ("/export", {}),
            ("/compare", {"one": "a", "other": "b"}),
            ("/history", {"text": "a"}),
            ("/verify", {}),
            ("/stream", {"q": "question"}),
        ):
            get(client, path, 403, **parameters)
        assert client.post(f"/api/v1/alerts/{ids[0]}/acknowledge").status_code == 403
        for path in ("/", f"/record/{ids[0]}", "/alerts", "/overview", "/shape", "/integrity", "/incident"):
            answer = client.get(path)
            assert answer.status_code == 200, path
            assert "question one" not in answer.text
        assert client.get("/?q=question").status_code == 403

    def test_no_page_and_no_operation_leaves_the_scope(self, house: House) -> None:
        ids = house.trail.seal(*a_day())
        prod = next(
            one for one in get(house.client(), "/search", env="prod")["records"] if one["slm.kind"] == "inference"
        )
        client = house.reader("investigator", environments=["prod"])
        assert [one["event.id"] for one in get(client, "/search")["records"]] == [prod["event.id"]]
        assert get(client, f"/record/{prod['event.id']}", content="true")["record"]["event.id"] == prod["event.id"]
        for other in ids:
            if other != prod["event.id"]:
                get(client, f"/record/{other}", 404)
                assert client.get(f"/record/{other}").status_code == 404
        assert get(client, "/facets", field="user")["facets"]["user"] == [{"value": "alice", "count": 1}]
        get(client, "/incident", 404, about="user", name="mallory")
        assert client.get("/api/v1/export").text.count("\n") == 1
        assert "sees all of it" in get(client, "/verify", 403)["detail"]
        for path in ("/", "/overview", "/alerts", "/shape"):
            assert "mallory" not in client.get(path).text

    def test_a_browser_comes_in_by_a_form(self, house: House) -> None:
        token, _ = house.tokens.new("ann", grant={"role": "reader", **EVERYWHERE})
        client = house.client(accept="text/html")
        answer = client.get("/alerts?user=x", follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/login?back=%2Falerts%3Fuser%3Dx")
        assert 'value="/alerts?user=x"' in client.get(answer.headers["location"]).text
        assert client.post("/login", data={"token": "slmr_no"}).status_code == 401
        answer = client.post("/login", data={"token": token, "back": "//evil.example"}, follow_redirects=False)
        assert answer.headers["location"] == "/"
        cookie = answer.headers["set-cookie"]
        assert all(part in cookie for part in (COOKIE, "HttpOnly", "SameSite=strict"))
        assert token not in cookie
        assert client.get("/").status_code == 200
        assert client.post("/logout", follow_redirects=False).status_code == 303
        assert client.get("/", follow_redirects=False).status_code == 303

    def test_another_site_changes_nothing(self, house: House) -> None:
        for headers in ({"origin": "https://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}):
            client = house.client(**headers)
            assert client.post("/api/v1/alerts/x/close", json={"reason": "y"}).status_code == 403
        own = house.client(origin="http://127.0.0.1:4747", **{"sec-fetch-site": "same-origin"})
        assert own.post("/api/v1/alerts/x/close", json={"reason": "y"}).status_code == 404


class TestAccess:
    def test_all_that_a_reader_does_is_told_without_content(self, house: House) -> None:
        ids = house.trail.seal(*a_day())
        token, _ = house.tokens.new("ann", grant={"role": "investigator", **EVERYWHERE})
        client = house.client(token=token)
        get(client, "/search", q='user:alice "question one"')
        login, search = house.told.events
        assert (login["event.action"], login["user.id"], login["slm.role"]) == ("login", "ann", "investigator")
        assert (search["event.action"], search["slm.access.count"], search["source.ip"]) == ("search", 0, "127.0.0.1")
        assert search["slm.access.fields"] == [
            "enduser.pseudo.id", "text", "user.email", "user.id", "user.name",
        ]  # fmt: skip
        house.told.actions()
        get(client, f"/record/{ids[0]}")
        get(client, f"/record/{ids[0]}", content="true")
        assert {event["slm.access.record"] for event in house.told.events} == {ids[0]}
        assert house.told.actions() == ["view", "reveal"]
        client.get("/api/v1/export")
        client.get("/")
        client.get(f"/record/{ids[0]}")
        get(client, "/count")
        get(client, "/verify")
        assert house.told.actions() == ["export", "search", "reveal", "count", "verify"]
        assert "question" not in json.dumps(house.told.events)

    def test_refusals_are_told_now_and_then(self, house: House) -> None:
        client = house.reader()
        for _ in range(3):
            get(client, "/export", 403)
            get(house.client(token="slmr_wrong"), "/search", 401)
        client = house.client(token="slmr_wrong")
        get(client, "/search", 401)
        told = [(event["event.action"], event["event.outcome"], event["event.reason"]) for event in house.told.events]
        assert ("export", "failure", "not_allowed") in told
        assert ("login", "failure", "unknown_token") in told
        assert told.count(("export", "failure", "not_allowed")) == 1


def test_of_one_reader_only_so_much_is_answered() -> None:
    now = [0.0]
    rate = Rate(60, clock=lambda: now[0])
    for _ in range(15):
        rate.take("ann")
    with pytest.raises(Busy) as busy:
        rate.take("ann")
    assert busy.value.status == 429
    rate.take("bob")
    now[0] = 1.0
    rate.take("ann")


def test_numbers_are_read_as_they_are_written() -> None:
    number = Parameter("n", "", type="integer", least=1, most=9)
    assert number.read(["7"]) == 7
    for text in ("0", "10", "-1", "٣", "1e0", "", "9" * 5000):
        with pytest.raises(Exception, match="whole number"):
            number.read([text])
