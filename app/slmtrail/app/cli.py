"""The command line. Every reading command takes --json; exit codes are those of core/errors.py."""

from __future__ import annotations

import asyncio
import functools
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import orjson
import typer
from rich.markup import escape

from slmtrail.app import log
from slmtrail.app.commands.given import given
from slmtrail.app.lazily import LazyGroup
from slmtrail.app.terminal import Console, inline
from slmtrail.core import policy as policy_file
from slmtrail.core.errors import EventError, SettingsError, TrailError
from slmtrail.core.ports import Page
from slmtrail.core.settings import mistyped

if TYPE_CHECKING:
    from slmtrail.app.readers.looking import Looking


class Commands(LazyGroup):
    """Beside those below, these."""

    elsewhere: ClassVar[dict[str, str]] = {
        "compare": "slmtrail.app.commands.compare:compare",
        "control": "slmtrail.app.commands.control:control",
        "doctor": "slmtrail.app.commands.doctor:doctor",
        "enrol": "slmtrail.app.commands.enrol:enrol",
        "enrol-token": "slmtrail.app.commands.enrol:enrol_token",
        "erase": "slmtrail.app.commands.erase:erase",
        "evidence": "slmtrail.app.commands.evidence:evidence",
        "export": "slmtrail.app.commands.export:export",
        "fsck": "slmtrail.app.commands.fsck:fsck",
        "history": "slmtrail.app.commands.history:history",
        "hold": "slmtrail.app.commands.hold:hold",
        "import": "slmtrail.app.commands.backfill:import_",
        "incident": "slmtrail.app.commands.incident:incident",
        "index": "slmtrail.app.commands.index:index",
        "judge": "slmtrail.app.commands.judge:judge",
        "keys": "slmtrail.app.commands.keys:keys",
        "policy": "slmtrail.app.commands.control:policy",
        "readers": "slmtrail.app.readers.commands:readers",
        "reconcile": "slmtrail.app.commands.reconcile:reconcile",
        "redact": "slmtrail.app.commands.redact:redact",
        "reindex": "slmtrail.app.commands.reindex:reindex",
        "replay": "slmtrail.app.commands.replay:replay",
        "report": "slmtrail.app.commands.report:report",
        "retain": "slmtrail.app.commands.retain:retain",
        "setup": "slmtrail.app.commands.setup:setup",
        "sidecar": "slmtrail.app.commands.sidecar:sidecar",
        "spool": "slmtrail.app.commands.spool:spool",
        "tail": "slmtrail.app.commands.tail:tail",
        "token": "slmtrail.app.commands.token:token",
        "verify": "slmtrail.app.commands.verify:verify",
    }


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="The audit trail for small language models: redacted before it is stored, signed, provable, searchable.",
)
config_app = typer.Typer(no_args_is_help=True, help="Look at the settings.")
app.add_typer(config_app, name="config")

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

FOLLOW_S = 0.5
EXTRAS = {
    "faust": "stream",
    "presidio_analyzer": "stream",
    "elasticsearch": "indexer",
    "jinja2": "all",
    "opentelemetry": "tracing",
}
"""Which extra brings a package that a command misses."""

Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object or one a line, for programs.")]
User = Annotated[str, typer.Option(help="Whose: user.id, name or e-mail as it was given, or its keyed hash.")]
Model = Annotated[str, typer.Option(help="The model asked or answering.")]
Kind = Annotated[str, typer.Option(help="inference, auth, policy, config, process, upstream, access, alert or system.")]
Environment = Annotated[str, typer.Option("--env", help="The deployment environment.")]
Flag = Annotated[str, typer.Option(help="A rule that fired.")]
Outcome = Annotated[str, typer.Option(help="success, failure or unknown.")]
Since = Annotated[str, typer.Option(help="From then on: 15m, 2h, 7d ago, or 2026-01-31T09:00:00Z.")]
Until = Annotated[str, typer.Option(help="Before then.")]


@app.callback()
def options(
    config: Annotated[Path | None, typer.Option(help="The settings file; ./slmtrail.toml by default.")] = None,
    data: Annotated[Path | None, typer.Option(help="The data folder; overrides the setting.")] = None,
    log_json: Annotated[bool, typer.Option("--log-json", help="Write our log as JSON lines.")] = False,
) -> None:
    """Options that come before the command."""
    given.config, given.data, given.log_json = config, data, log_json
    log.set_up(as_json=log_json)


@app.command()
def up(demo: Annotated[bool, typer.Option("--demo", help="Play a few minutes of believable traffic.")] = False) -> None:
    """Run the whole pipeline and the page in this process."""
    from slmtrail.app.running import page, run
    from slmtrail.app.running.otel import traced

    settings = given.settings()
    err.print("starting: loading the recognisers of personal data …")
    shown = functools.partial(page.pages, settings, settings.ingest.host)
    with traced(settings):
        asyncio.run(run.up(settings, _greet, shown, _demo if demo else None))
    err.print("stopped; what was accepted is kept, the next start goes on from here")


@app.command()
def init() -> None:
    """Make the keys that are missing and admit this collector."""
    from slmtrail.app import parts

    settings = given.settings()
    parts.make_keys(settings)
    err.print(f"keys are in {settings.keys}; the collector {settings.collector.name} is trusted")


@app.command()
def collect() -> None:
    """Run a collector: take events over HTTP, spool them, ship them to the bus."""
    from slmtrail.app.running import run
    from slmtrail.app.running.monitor import monitored

    settings = given.settings()
    with monitored(settings):
        asyncio.run(run.collect(settings, lambda address: err.print(f"collecting at {address}/v1/events")))


@app.command()
def stream(
    workers: Annotated[
        int | None, typer.Option(min=1, help="Worker processes on Kafka; by default one a core.")
    ] = None,
    worker: Annotated[str, typer.Option(hidden=True)] = "",
) -> None:
    """Run the stream: open, redact and judge frames (in Faust workers where the bus is Kafka)."""
    from slmtrail.app.running import job, run
    from slmtrail.app.running.monitor import monitored

    settings = given.settings()
    with monitored(settings, 1 + int(worker.rpartition("-")[2]) if worker else 0):
        if worker:
            job.work(settings, worker)
        elif settings.bus_url.startswith("kafka:"):
            job.run(settings, workers or settings.stream.workers)
        elif (workers or 1) > 1:
            raise SettingsError("--workers: on SQLite there is one; more take Kafka (setting bus.url)")
        else:
            asyncio.run(run.stream(settings))


@app.command()
def serve() -> None:
    """Serve page and API over the store, for a trail whose stages run elsewhere."""
    from slmtrail.app.running import page
    from slmtrail.app.running.monitor import monitored

    settings = given.settings()
    with monitored(settings):
        asyncio.run(page.serve(settings, lambda address: err.print(f"page at {address}/, API at {address}/api/v1")))


@app.command()
def emit(
    event: Annotated[str, typer.Argument(help="The event as JSON; - reads one a line from standard input.")] = "-",
    url: Annotated[str, typer.Option(help="The collector; by default the one of these settings.")] = "",
    as_json: Json = False,
) -> None:
    """Send events to a collector and wait until they are on its disk."""
    from slmtrail.collectors.sdk import NotAccepted, Trail

    ingest = given.settings().ingest
    try:
        trail = Trail(url or f"http{'s' if ingest.certificate else ''}://{ingest.host}:{ingest.port}")
    except ValueError as error:
        raise SettingsError(f"{error}; give it with --url") from None
    for number, line in enumerate(sys.stdin if event == "-" else [event], 1):
        if not line.strip():
            continue
        try:
            content = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise EventError(f"line {number}: not JSON: {error.msg} at character {error.pos + 1}") from None
        if not isinstance(content, dict):
            raise EventError(f"line {number}: an event is a JSON object")
        try:
            record_id = trail.emit_durable(content)
        except NotAccepted as error:
            raise EventError(f"line {number}: {error}") from None
        _line({"id": record_id}) if as_json else out.print(record_id)


@app.command()
def search(
    text: Annotated[
        list[str] | None,
        typer.Argument(help="Words, and conditions such as user:alice latency_ms>2000; see docs/search.md."),
    ] = None,
    user: User = "",
    model: Model = "",
    kind: Kind = "",
    environment: Environment = "",
    flag: Flag = "",
    outcome: Outcome = "",
    since: Since = "",
    until: Until = "",
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    after: Annotated[str, typer.Option(help="The cursor of the page before.")] = "",
    sort: Annotated[
        str, typer.Option(help="time, latency_ms, input_tokens, output_tokens or status; -x downwards.")
    ] = ("-time"),
    count: Annotated[bool, typer.Option("--count", help="Only say how many fit.")] = False,
    facets: Annotated[
        list[str] | None, typer.Option(help="Only count by the values of this field, such as user. Repeat for more.")
    ] = None,
    histogram: Annotated[bool, typer.Option("--histogram", help="Only count over time.")] = False,
    as_json: Json = False,
) -> None:
    """Find records, newest first, or count them. All that is given must fit."""
    from slmtrail.app import counts
    from slmtrail.app.reading import Asked

    words = " ".join(text or [])
    asked = Asked(words, user, model, kind, environment, flag, outcome, since, until, limit, after, sort)
    with _looking() as looking:
        if count or facets or histogram:
            total = looking.count(asked) if count else None
            by_value = looking.facets(asked, facets, counts.VALUES) if facets else {}
            over_time = looking.histogram(asked, counts.BARS) if histogram else None
            if as_json:
                told = {"total": total, "facets": counts.facets_told(by_value) or None}
                bars = counts.histogram_told(over_time) if over_time else None
                _line({name: value for name, value in {**told, "histogram": bars}.items() if value is not None})
            else:
                counts.show(out, total, by_value, over_time)
            return
        page = looking.search(asked)
    if as_json:
        _page(page)
        return
    for sealed in page.records:
        _print_record(sealed.record)
    more = f"; the next page: --after {page.cursor}" if page.cursor else ""
    least = "at least " if page.at_least else ""
    err.print(f"{len(page.records)} of {least}{page.total} records{more}")


@app.command()
def alerts(
    since: Since = "",
    user: User = "",
    flag: Annotated[str, typer.Option("--rule", help="Only of this rule.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    as_json: Json = False,
) -> None:
    """List alerts, newest first."""
    from slmtrail.app.reading import Asked

    asked = Asked(since=since, user=user, flag=flag, limit=limit)
    with _looking() as looking:
        page = looking.trail.alerts(asked)
        looking.told("alerts", len(page.records), asked)
    if as_json:
        _page(page)
        return
    below = "\n    " if out.is_terminal else "  "
    for sealed in page.records:
        record = sealed.record
        severity = record["slm.alert.severity"]
        colour = {"critical": "bold red", "high": "red", "medium": "yellow"}.get(severity, "cyan")
        times, since = record["slm.alert.count"], record["slm.alert.since"]
        out.print(
            f"{record['@timestamp']}  [{colour}]{severity:8}[/]  {inline(record['rule.id'])}  "
            f"[bold]{inline(record['slm.alert.subject'])}[/]  {inline(record.get('message', ''))}"
            f"{below}{f'{times} times since {since}; ' if times > 1 else ''}"
            f"evidence {' '.join(record['slm.alert.evidence'])}; {inline(record['slm.alert.response'])}"
        )
    err.print(f"{len(page.records)} alerts{'; there are more: --limit' if page.cursor else ''}")


@app.command()
def show(record_id: Annotated[str, typer.Argument(help="The event.id of a record.")], as_json: Json = False) -> None:
    """Show one record and what can be proved of it."""
    with _looking() as looking:
        sealed, proof = looking.show(record_id)
    if as_json:
        state = {"state": proof.state, "text": proof.text, "ledger": sealed.ledger, "leaf": sealed.leaf}
        if proof.proof:
            state["tlog_proof"] = proof.proof.encode().decode()
        _line({"record": sealed.record, "proof": state})
    else:
        out.print_json(orjson.dumps(sealed.record).decode())
        colour = {"proved": "green", "pending": "yellow"}.get(proof.state, "bold red")
        out.print(f"[{colour}]{proof.state}[/]: {escape(proof.text)}")
    if proof.state == "broken":
        raise typer.Exit(7)


@app.command()
def follow(
    kind: Kind = "",
    as_json: Json = False,
    count: Annotated[int, typer.Option(help="End after this many records; 0 goes on until interrupted.")] = 0,
) -> None:
    """Print records as they are stored."""
    from slmtrail.app.reading import Asked

    with _looking() as looking:
        fits = looking.following(Asked(kind=kind))
        seen = looking.trail.ends()
        printed = 0
        while True:
            for sealed in looking.trail.newer(seen):
                if not fits(sealed.record):
                    continue
                _raw(sealed.data) if as_json else _print_record(sealed.record)
                printed += 1
                if printed == count:
                    return
            time.sleep(FOLLOW_S)


@config_app.command()
def check(as_json: Json = False) -> None:
    """Check slmtrail.toml, the environment and the policy, and print what is in force."""
    settings = given.settings()
    policy_file.load(settings.policy)
    for fault in mistyped(os.environ):
        err.print(f"[yellow]warning[/]: {escape(fault)}", soft_wrap=True)
    content = settings.model_dump(mode="json")
    _line(content) if as_json else out.print_json(data=content)


@app.command()
def version(as_json: Json = False) -> None:
    """Print the version."""
    number = metadata.version("slmtrail")
    _line({"version": number}) if as_json else out.print(f"slmtrail {number}")


def main() -> None:
    """The entry point: errors of ours are one line each and an exit code, never a traceback."""
    try:
        app()
    except TrailError as error:
        err.print(f"[bold red]error[/]: {escape(str(error))}", soft_wrap=True)
        raise SystemExit(error.exit_code) from None
    except ModuleNotFoundError as error:
        extra = EXTRAS.get((error.name or "").split(".")[0])
        if extra is None:
            raise
        err.print(f"[bold red]error[/]: {error.name} is not installed; run: pip install 'slmtrail\\[{extra}]'")
        raise SystemExit(2) from None


async def _demo(address: str) -> None:
    from slmtrail.app.demo.play import play

    await play(address)


@contextmanager
def _looking() -> Iterator[Looking]:
    from slmtrail.app.readers.here import here

    with here(given.settings()) as looking:
        yield looking


def _line(content: dict[str, Any]) -> None:
    _raw(orjson.dumps(content))


def _page(page: Page) -> None:
    """One object; the records in it are the stored bytes."""
    records = b",".join(sealed.data for sealed in page.records)
    rest = orjson.dumps({"total": page.total, "at_least": page.at_least, "cursor": page.cursor})
    _raw(b'{"records":[' + records + b"]," + rest[1:])


def _raw(data: bytes) -> None:
    sys.stdout.buffer.write(data + b"\n")
    sys.stdout.buffer.flush()


def _print_record(record: dict[str, Any]) -> None:
    from slmtrail.app.reading import excerpt

    flags = f" [red]{inline(' '.join(record['slm.flags']))}[/]" if record.get("slm.flags") else ""
    who = record.get("user.id", "-")
    model = record.get("gen_ai.request.model", "-")
    out.print(
        f"{record['@timestamp']}  {record['event.id']}  [cyan]{record['slm.kind']:9}[/] "
        f"{inline(who)}  {inline(model)}  "
        f"{inline(record.get('deployment.environment.name', '-'))}  {record['event.outcome']}{flags}  "
        f"[dim]{inline(excerpt(record))}[/]",
        soft_wrap=True,
    )


def _greet(address: str) -> None:
    event = (
        '{"slm.kind":"inference","user.id":"alice","gen_ai.request.model":"phi-3",'
        '"gen_ai.input.messages":[{"role":"user","content":"How do I reset my password? I am alice@example.com"}]}'
    )
    out.print(f"slmtrail is up: {address}\n\ntype next, in another shell:", soft_wrap=True)
    for line in (
        f"curl {address}/v1/events -d '{event}'",
        f"{_command()} search password --user alice",
        f"{_command()} verify",
    ):
        out.print(f"  {escape(line)}", soft_wrap=True)


def _command() -> str:
    """How this program was called, so that the printed lines work when pasted."""
    words = [sys.argv[0]]
    if given.config:
        words += ["--config", str(given.config)]
    if given.data:
        words += ["--data", str(given.data)]
    return " ".join(words)


if __name__ == "__main__":
    main()
