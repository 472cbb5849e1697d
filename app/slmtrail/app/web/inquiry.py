"""The pages that put many records together: overview, counts, sessions, incidents, models, the history of a prompt."""

from __future__ import annotations

import contextlib
import dataclasses
import shlex
from typing import Any, get_args

from starlette.requests import Request
from starlette.responses import Response

from slmtrail.app.commands import compare as comparing
from slmtrail.app.reading import Asked, Reading
from slmtrail.app.web import charts, view
from slmtrail.app.web.integrity import integrity as state_of
from slmtrail.app.web.overview import SPANS
from slmtrail.app.web.overview import overview as overview_of
from slmtrail.app.web.render import link, page
from slmtrail.app.web.retention import retained
from slmtrail.app.web.session import session as talk_of
from slmtrail.core.errors import NotFound, QueryError
from slmtrail.core.events import timestamp_text
from slmtrail.core.ports import Histogram
from slmtrail.core.said import prompt
from slmtrail.indexer.reading.compare import compare as compared
from slmtrail.indexer.reading.history import MAX_LOOKED_AT, History
from slmtrail.indexer.reading.history import history as askings_of
from slmtrail.indexer.reading.incident import About
from slmtrail.indexer.reading.incident import incident as happened
from slmtrail.indexer.reading.walk import UNREADABLE, walk
from slmtrail.indexer.store.facets import tallied
from slmtrail.indexer.store.language.times import moment_ms, span_ms

SUBJECTS: tuple[About, ...] = get_args(About)
TALLIED = {"Kinds": "kind", "Environments": "environment", "Models": "model", "Users": "user", "Outcomes": "outcome"}
FLAGS = {"Flags": "flag"}
VALUES, MODELS, COUNTED = 8, 50, 2000
COMPARED, MORE_COMPARED = 2000, 10_000
"""Of each model the newest requests, which are compared while someone waits; and those that one asks for then."""

ENTRIES, CHANGES = 300, 50
"""Of an incident on one page, the newest; its export has all."""

_PARAMETERS = {"environment": "env"}


def overview(reading: Reading, request: Request) -> Response:
    """What happened lately."""
    since, environment = request.query_params.get("since", "24h"), request.query_params.get("env", "")
    since = since if since in SPANS else "24h"
    return page(
        "overview.html",
        of=overview_of(reading, since, environment),
        spans=SPANS,
        since=since,
        environment=environment,
        at=lambda **filters: link("/overview", filters),
        error="",
    )


def shape(reading: Reading, asked: Asked, filters: dict[str, str], part: bool) -> Response:
    """What fits a search, over time and by its values; `part` of a page, or one of its own.

    Beside a search the newest records alone are counted by their values, which takes no longer where more fit.
    """
    values: dict[str, Any] = {"bars": None, "tallies": {}, "counted": 0, "error": "", "back": link("/", filters)}
    values["whole"] = link("/shape", filters) if part else ""
    try:
        newest = [one.record for one in walk(reading.ask, reading.query(asked), COUNTED)] if part else []
        values["counted"] = len(newest) if len(newest) == COUNTED else 0
        for title, name in {**TALLIED, **FLAGS}.items():
            counts = tallied(newest, name, VALUES) if part else reading.facet(asked, name, VALUES)
            values["tallies"][title] = charts.rows(counts, "/", filters, _PARAMETERS.get(name, name))
        whole = reading.histogram(asked, charts.BARS)
        values["bars"] = charts.bars(whole, _failed(reading, asked, whole), "/", filters)
    except QueryError as error:
        values["error"] = str(error)
    return page(
        "shape_parts.html" if part else "shape_page.html", 200 if part or not values["error"] else 400, **values
    )


def session(reading: Reading, request: Request) -> Response:
    """A conversation, in its order."""
    name = request.path_params["name"]
    talk = talk_of(reading, name)
    if not talk.total:
        raise NotFound("there is no record of this session here")
    return page("session.html", name=name, of=talk)


def incident(reading: Reading, request: Request) -> Response:
    """What happened around something."""
    given = request.query_params
    kind: About = next((one for one in SUBJECTS if one == given.get("about")), "id")
    name, around = given.get("name", "").strip(), given.get("around", "") or "15m"
    found, error, status = None, "", 200
    if name:
        try:
            subject = timestamp_text(moment_ms(name)) if kind == "time" else name
            found = happened(reading.ask, reading.query(Asked()), kind, subject, span_ms(around), ENTRIES)
        except (QueryError, NotFound) as fault:
            error, status = str(fault), 404 if isinstance(fault, NotFound) else 400
    rows = [(entry.why, view.row(entry.sealed)) for entry in found.entries] if found else []
    changes = [(entry.why, view.row(entry.sealed)) for entry in found.changes[-CHANGES:]] if found else []
    # Whoever chose the name may hope that it is pasted into a shell.
    quoted = shlex.quote(name)
    option = {"id": quoted, "time": f"--at {quoted}"}.get(kind, f"--{kind} {quoted}")
    return page(
        "incident.html",
        status,
        of=found,
        rows=rows,
        changes=changes,
        subjects=SUBJECTS,
        kind=kind,
        name=name,
        around=around,
        error=error,
        flag=option,
    )


def compare(reading: Reading, request: Request) -> Response:
    """Two models side by side."""
    given = request.query_params
    most = MORE_COMPARED if "more" in given else COMPARED
    one, other, since = given.get("one", "").strip(), given.get("other", "").strip(), given.get("since", "") or "7d"
    found, error, models = None, "", list[str]()
    try:
        models = sorted(reading.values(Asked(since=since), "model", MODELS))
        if one and other:
            found = compared(reading.ask, reading.query(Asked(since=since)), one, other, most)
    except QueryError as fault:
        error = str(fault)
    return page(
        "compare.html",
        400 if error else 200,
        of=found,
        rows=comparing.rows(found) if found else [],
        one=one,
        other=other,
        since=since,
        models=models,
        unknown=[side.name for side in (found.one, found.other) if not side.records] if found else [],
        more=""
        if most == MORE_COMPARED
        else link("/compare", {"one": one, "other": other, "since": since, "more": "1"}),
        error=error,
    )


def history(reading: Reading, request: Request) -> Response:
    """Where what a record asks was asked before."""
    name = request.path_params["id"]
    text = ""
    with contextlib.suppress(*UNREADABLE):
        text = prompt(reading.show(name)[0].record)
    found = askings_of(reading.ask, reading.query(Asked()), text) if text else History([], {}, 0, 0)
    return page("history.html", id=name, prompt=text, of=found, cut=found.looked_at == MAX_LOOKED_AT)


def integrity(reading: Reading, _: Request) -> Response:
    """What is signed, covered and missing."""
    return page("integrity.html", of=state_of(reading))


def retention(reading: Reading, _: Request) -> Response:
    """What is kept how long, and what is held."""
    return page("retention.html", of=retained(reading))


def _failed(reading: Reading, asked: Asked, whole: Histogram) -> Histogram:
    """What of it failed: where one outcome alone is asked for, all or nothing."""
    if asked.outcome:
        return whole if asked.outcome == "failure" else Histogram(whole.step_ms, {})
    return reading.histogram(dataclasses.replace(asked, outcome="failure"), charts.BARS)
