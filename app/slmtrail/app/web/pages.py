"""The pages: search, one record with its proof, alerts. Rendered here; they work without any script."""

from __future__ import annotations

import dataclasses
import re
import time
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, get_args

import orjson
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from slmtrail.app.api.routes import Api
from slmtrail.app.readers.access import Access
from slmtrail.app.readers.door import ReaderDoor, reader_of
from slmtrail.app.readers.known import Readers
from slmtrail.app.readers.looking import Looking, Standing
from slmtrail.app.readers.sessions import Sessions
from slmtrail.app.readers.triage import ACTIONS, Status
from slmtrail.app.reading import Asked, Reading
from slmtrail.app.web import inquiry, view
from slmtrail.app.web.form import form
from slmtrail.app.web.guard import HostGuard, OriginGuard
from slmtrail.app.web.headers import SecurityHeaders
from slmtrail.app.web.login import Login
from slmtrail.app.web.render import FOLDER, link, page, prepare
from slmtrail.collectors.receive.door import peer_of
from slmtrail.core import commitment
from slmtrail.core.errors import NotAllowed, NotFound, QueryError, StorageError, StoreError, TrailError
from slmtrail.core.events import KINDS, timestamp_text
from slmtrail.core.ports import Emitter, Page, Sealed
from slmtrail.indexer.ledger import merkle, note
from slmtrail.indexer.store.columns import LIKENESS
from slmtrail.indexer.verify.prove import ProofState
from slmtrail.stream.judge.rule import built_in

PAGE_RECORDS = 50
RECORD_ID = re.compile(r"[0-9a-f]{32}")
FILTERS = {
    "q": "text",
    "user": "user",
    "model": "model",
    "kind": "kind",
    "env": "environment",
    "outcome": "outcome",
    "flag": "flag",
    "since": "since",
    "until": "until",
    "after": "after",
}
"""What stands in the address of a search, and the field of `Asked` that it fills."""

_EXAMPLE = {
    "slm.kind": "inference",
    "user.id": "alice",
    "gen_ai.request.model": "phi-3",
    "gen_ai.input.messages": [
        {"role": "user", "content": "How do I reset my password? I am alice@example.com"},
    ],
}
_ADVICE = {
    400: "Correct the search and send it again.",
    403: "Ask whoever gave you your token for more.",
    404: "Look at the address; a record's id is 32 hex digits and stands at its top.",
    405: "Pages are only read. Events are sent to POST /v1/events.",
    503: "The store can't be read now. Look at the log of `slmtrail up`, and reload this page.",
}


_DETECTS = {rule.id: rule.manifest.detects for rule in built_in()}


def page_routes(
    trail: Reading,
    allowed_hosts: Iterable[str] = (),
    readers: Readers | None = None,
    emitter: Emitter | None = None,
    requests_a_minute: int = 600,
) -> list[BaseRoute]:
    """Pages and API over an open trail, to stand behind all other routes: what nothing else answers gets a 404 page.

    Only requests for a loopback address, localhost or one of `allowed_hosts` are answered, and only those of `readers`;
    without any of those, whoever is at this machine. What they do is told to `emitter`.
    """
    prepare()
    access, sessions = Access(emitter), Sessions()
    pages = _Pages(trail, access)
    login = [] if readers is None else Login(readers, sessions, access).routes()
    app = Starlette(
        routes=[
            Mount("/api/v1", Api(trail, access, requests_a_minute).application()),
            *login,
            Route("/", pages.of("search", pages.search)),
            Route("/record/{id}", pages.of("view", pages.record)),
            Route("/record/{id}/history", pages.of("history", inquiry.history)),
            Route("/session/{name:path}", pages.of("session", inquiry.session)),
            Route("/alerts", pages.alerts),
            Route("/alerts/{id}/{action:str}", pages.settle, methods=["POST"]),
            Route("/overview", pages.of("overview", inquiry.overview)),
            Route("/shape", pages.of("facets", pages.shape)),
            Route("/incident", pages.of("incident", inquiry.incident)),
            Route("/compare", pages.of("compare", inquiry.compare)),
            Route("/integrity", pages.of("integrity", inquiry.integrity)),
            Route("/retention", pages.of("retention", inquiry.retention)),
            Mount("/static", StaticFiles(directory=FOLDER / "static")),
        ],
        exception_handlers={HTTPException: _http_error, TrailError: _trail_error, Exception: _unexpected},
    )
    # Around the application and not in its list of middleware, so that the page about a fault has the headers too.
    door = ReaderDoor(app, readers or Readers(None), sessions, access)
    return [Mount("/", SecurityHeaders(HostGuard(OriginGuard(door), allowed_hosts)))]


class _Pages:
    """The handlers. They block, so Starlette runs them in threads."""

    def __init__(self, trail: Reading, access: Access) -> None:
        self._trail = trail
        self._access = access

    def of(self, action: str, handler: Callable[[Reading, Request], Response]) -> Callable[[Request], Response]:
        """A page that is made of the trail as its reader sees it, and told as an access of this name."""

        def answering(request: Request) -> Response:
            reader, peer = reader_of(request.scope), peer_of(request.scope)
            try:
                if not reader.may("search"):
                    raise NotAllowed("your role lets you see nothing: ask for another")
                answer = handler(self._trail.within(reader.scope), request)
            except NotAllowed:
                self._access.refuse(reader, action, "not_allowed", peer)
                raise
            if answer.status_code < HTTPStatus.BAD_REQUEST:
                told = "reveal" if action == "view" and reader.scope.content else action
                record = request.path_params.get("id", "")
                self._access.tell(reader, told, peer, record=record if RECORD_ID.fullmatch(record) else "")
            return answer

        return answering

    def shape(self, reading: Reading, request: Request) -> Response:
        asked = dataclasses.replace(_asked(request), after="")
        return inquiry.shape(reading, asked, _filters(asked), part="part" in request.query_params)

    def search(self, reading: Reading, request: Request) -> Response:
        asked = _asked(request)
        found, error = Page([], 0), ""
        try:
            found = reading.search(asked)
        except QueryError as fault:
            error = str(fault)
        filters = _filters(asked)
        may_export = reader_of(request.scope).may("export")
        return page(
            "search.html",
            400 if error else 200,
            asked=asked,
            kinds=sorted(KINDS),
            outcomes=("success", "failure", "unknown"),
            flags=sorted({rule.id for rule in built_in()} | ({asked.flag} - {""})),
            rows=[view.row(sealed) for sealed in found.records],
            total=found.total,
            at_least=found.at_least,
            older=link("/", filters | {"after": found.cursor}) if found.cursor else "",
            newest=link("/", filters | {"after": ""}) if asked.after else "",
            filtered=bool(filters),
            narrowed=bool(filters.keys() - {"q"}),
            error=error,
            curl=_curl(request),
            exports=_exports(filters, content=reading.scope.content) if may_export else {},
            shape=link("/shape", filters),
            shape_part="" if asked.after else link("/shape", filters | {"part": "1"}),
        )

    def record(self, reading: Reading, request: Request) -> Response:
        sealed, proof = reading.show(request.path_params["id"])
        return page(
            "record.html",
            sealed=sealed,
            row=view.row(sealed),
            turns=view.conversation(sealed.record),
            contents=view.contents(sealed.record),
            groups=view.groups(sealed.record),
            findings=view.findings(sealed.record),
            max_findings=view.MAX_FINDINGS,
            alert=view.alert(sealed) if sealed.record.get("slm.kind") == "alert" else None,
            alerts=[view.alert(found) for found in _alerts_about(reading, sealed)],
            proof=proof,
            path=_path(sealed, proof) if reading.scope.content else None,
            raw=view.raw_json(sealed),
            session=view.session(sealed.record),
            asked=bool(view.names(sealed.record, LIKENESS)),
            explained=[(flag, _DETECTS[flag]) for flag in view.names(sealed.record, "slm.flags") if flag in _DETECTS],
            checked=timestamp_text(time.time_ns() // 1_000_000),
        )

    def alerts(self, request: Request) -> Response:
        """The inbox of alerts, as they stand."""
        asked, status = _asked(request), request.query_params.get("status", "")
        status = status if status in get_args(Status) else ""
        found: list[Standing] = []
        cursor, error = "", ""
        looking = self._looking(request)
        try:
            found, cursor = looking.alerts(dataclasses.replace(asked, text="", kind="alert"), status)
        except QueryError as fault:
            error = str(fault)
        filters = {"user": asked.user, "since": asked.since, "status": status}
        return page(
            "alerts.html",
            400 if error else 200,
            asked=asked,
            status=status,
            statuses=get_args(Status),
            alerts=[(view.alert(one.sealed), one.state) for one in found],
            may_settle=looking.reader.may("triage"),
            older=link("/alerts", filters | {"after": cursor}) if cursor else "",
            newest=link("/alerts", filters) if asked.after else "",
            filtered=any(filters.values()),
            error=error,
        )

    async def settle(self, request: Request) -> Response:
        """Acknowledges or closes an alert, and goes back to where it was asked."""
        action, given = request.path_params["action"], await form(request)
        if action not in ACTIONS:
            raise HTTPException(404)
        reason, back = given.get("reason", ""), given.get("back", "")
        await run_in_threadpool(self._looking(request).settle, request.path_params["id"], action, reason)
        return RedirectResponse(back if back.startswith("/alerts") else "/alerts", 303)

    def _looking(self, request: Request) -> Looking:
        reader = reader_of(request.scope)
        return Looking(reader, self._trail, self._access, peer_of(request.scope), content=reader.may("content"))


def _alerts_about(reading: Reading, sealed: Sealed) -> list[Sealed]:
    """The newest revision of each alert that names this record."""
    found = []
    for flag, user, at in view.raised(sealed.record):
        asked = Asked(kind="alert", flag=flag, user=user, since=at, limit=PAGE_RECORDS)
        try:
            alerts = reading.search(asked).records
        except QueryError:
            continue
        found += [alert for alert in alerts if sealed.id in view.alert(alert).evidence][:1]
    return found


def _asked(request: Request, **fixed: str) -> Asked:
    given = {field: request.query_params.get(name, "").strip() for name, field in FILTERS.items()}
    return Asked(**(given | fixed), limit=PAGE_RECORDS)


def _filters(asked: Asked) -> dict[str, str]:
    """What a search is narrowed by, as it stands in an address."""
    return {name: value for name, field in FILTERS.items() if name != "after" and (value := getattr(asked, field))}


def _exports(filters: dict[str, str], *, content: bool) -> dict[str, str]:
    """Where all that fits is had as a file."""
    given = filters | ({"content": "true"} if content else {})
    return {name: link("/api/v1/export", given | {"format": name.lower()}) for name in ("NDJSON", "CSV")}


def _path(sealed: Sealed, proof: ProofState) -> dict[str, Any] | None:
    """The way from a record to the signed root, step by step."""
    if proof.proof is None or proof.checkpoint is None:
        return None
    entry = commitment.entry(sealed.record)
    return {
        "entry": entry.hex(),
        "leaf": merkle.leaf_hash(entry).hex(),
        "siblings": [sibling.hex() for sibling in proof.proof.hashes],
        "root": proof.checkpoint.root.hex(),
        "size": proof.checkpoint.size,
        "signers": [
            f"{signature.name} (key {signature.key_id.hex()})"
            for signature in note.Note.parse(proof.proof.checkpoint).signatures
        ],
        "file": proof.proof.encode().decode(),
    }


def _curl(request: Request) -> str:
    return f"curl {str(request.base_url).rstrip('/')}/v1/events -d '{orjson.dumps(_EXAMPLE).decode()}'"


def _error(request: Request, status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
    """A page for people, a line for programs."""
    advice = _ADVICE.get(status, "")
    if "text/html" not in request.headers.get("accept", ""):
        return PlainTextResponse(f"{text}{f' {advice}' if advice else ''}\n", status, headers)
    answer = page("error.html", status, status=status, title=HTTPStatus(status).phrase, text=text, advice=advice)
    answer.headers.update(headers or {})
    return answer


def _http_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        return _unexpected(request, error)
    texts = {404: "There is no such page.", 405: "This page can't be asked for in that way."}
    status = error.status_code
    return _error(request, status, texts.get(status, HTTPStatus(status).phrase), error.headers)


def _trail_error(request: Request, error: Exception) -> Response:
    status = 500
    if isinstance(error, NotFound):
        status = 404
    elif isinstance(error, NotAllowed):
        status = 403
    elif isinstance(error, QueryError):
        status = 400
    elif isinstance(error, StoreError | StorageError):
        status = 503
    return _error(request, status, str(error))


def _unexpected(request: Request, _: Exception) -> Response:
    return _error(request, 500, "Something went wrong here. The log says what; no record was changed by it.")
