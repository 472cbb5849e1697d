"""`slmtrail redact`: try redaction on a text, run a corpus through it, or measure it on labelled text."""

from __future__ import annotations

import json as stdlib_json
import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import IO, TYPE_CHECKING, Annotated, Any

import orjson
import typer
from rich.table import Table
from rich.text import Text

from slmtrail.app.commands.given import given
from slmtrail.app.evaluation.findings import Score, scored
from slmtrail.app.terminal import Console
from slmtrail.core.errors import SettingsError, TrailError
from slmtrail.stream.redact.finding import Finding
from slmtrail.stream.redact.options import RedactOptions

if TYPE_CHECKING:
    from slmtrail.stream.redact.engine import Engine

_BATCH = 64
_NO_NAMES = "Names of people and places are not looked for: that takes a model (setting redact.ner)."


def redact(
    file: Annotated[str, typer.Argument(help="A text file, or - for standard input.")] = "-",
    explain: Annotated[bool, typer.Option("--explain", help="Say which rule and context fired, and the cost.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object, for programs.")] = False,
    jsonl: Annotated[bool, typer.Option("--jsonl", help='Take {"text": …} lines and answer each, in order.')] = False,
    evaluate: Annotated[
        Path | None, typer.Option(help="Measure precision and recall on a labelled JSONL file.")
    ] = None,
    threshold: Annotated[float | None, typer.Option(help="Findings from this score on, for every type.")] = None,
    types: Annotated[str, typer.Option(help="Only these types, with commas between.")] = "",
    languages: Annotated[str, typer.Option(help="Language codes, with commas between; else the settings'.")] = "",
    registry: Annotated[Path | None, typer.Option(help="A recogniser registry in Presidio's YAML form.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes, for --jsonl and --evaluate.")] = 1,
) -> None:
    """Show what redaction finds in a text, and what it makes of it."""
    try:
        options = _options(threshold, types, languages, registry)
        if evaluate:
            _evaluate(options, evaluate, workers, json)
        elif jsonl:
            with _opened(file) as lines:
                failed = _answer_lines(options, lines, workers)
            if failed:
                raise typer.Exit(2)
        else:
            with _opened(file) as stream:
                _show(options, stream.read().decode("utf-8", "replace"), explain, json)
    except TrailError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(error.exit_code) from None


def _options(threshold: float | None, types: str, languages: str, registry: Path | None) -> RedactOptions:
    """Those of the settings, with what is asked for here over them."""
    asked: dict[str, Any] = {"languages": _parts(languages), "registry": registry, "types": _parts(types)}
    options = given.settings().stream.redact | {name: value for name, value in asked.items() if value}
    if threshold is not None:
        options |= {"threshold": threshold, "thresholds": {}}
    try:
        return RedactOptions(**options)
    except ValueError as error:
        raise SettingsError(str(error)) from None


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


@contextmanager
def _opened(file: str) -> Iterator[IO[bytes]]:
    if file == "-":
        yield sys.stdin.buffer
        return
    try:
        with Path(file).open("rb") as stream:
            yield stream
    except OSError as error:
        raise SettingsError(
            f"{file}: can't be read: {error.strerror}; name a readable file, or - for standard input"
        ) from None


def _show(options: RedactOptions, text: str, explain: bool, json: bool) -> None:
    from slmtrail.stream.redact.engine import Engine
    from slmtrail.stream.redact.redactor import Redactor

    engine = Engine(options)
    # The key makes hashes joinable; for a look at one text any will do.
    redacted, findings = Redactor(options, os.urandom(32), analyzer=engine).redact_text(text)
    findings = sorted(findings, key=lambda found: (found.start, found.end, found.type))
    if json:
        answer: dict[str, Any] = {"findings": [_told(found, explain) for found in findings], "text": redacted}
        if explain:
            answer["cost_us"] = {name: round(cost, 1) for name, cost in engine.costs(text)}
            answer["ungated"] = engine.ungated
            answer["names"] = engine.finds_names
        _write(answer)
        return
    out = Console(highlight=False, soft_wrap=True)
    out.print(_coloured(text, findings))
    out.print("─" * 40, style="dim")
    out.print(Text(redacted))
    if explain:
        _explain(out, engine, text, findings)
    if not engine.finds_names:
        Console(stderr=True, highlight=False).print(_NO_NAMES, style="dim")


def _explain(out: Console, engine: Engine, text: str, findings: list[Finding]) -> None:
    table = Table("type", "span", "score", "rule", "context", box=None)
    for found in findings:
        span = f"{found.start}-{found.end}"
        table.add_row(found.type, span, f"{found.score:.2f}", f"{found.rule} ({found.version})", found.context or "-")
    out.print(table)
    engine.costs(text)  # the first look at a text fills caches
    costs = engine.costs(text)
    total = sum(cost for _, cost in costs)
    out.print(f"{total:.0f} µs for {len(text)} characters:", style="bold")
    for name, cost in costs[:8]:
        out.print(f"  {cost:8.1f} µs  {name}")
    if engine.ungated:
        out.print(f"on every text: {', '.join(engine.ungated)}")


def _coloured(text: str, findings: list[Finding]) -> Text:
    coloured = Text(text)
    for found in findings:
        colour = ("red", "green", "yellow", "blue", "magenta", "cyan")[sum(map(ord, found.type)) % 6]
        coloured.stylize(f"bold {colour} underline", found.start, found.end)
    return coloured


def _told(found: Finding, explain: bool = False) -> dict[str, Any]:
    told: dict[str, Any] = {"type": found.type, "start": found.start, "end": found.end, "score": found.score}
    if explain:
        told |= {"rule": found.rule, "version": found.version, "context": found.context}
    return told


def _write(answer: dict[str, Any]) -> None:
    try:
        line = orjson.dumps(answer)
    except TypeError:  # a lone surrogate, which only an escape can carry
        line = stdlib_json.dumps(answer, separators=(",", ":")).encode()
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()


def _answer_lines(options: RedactOptions, lines: Iterable[bytes], workers: int) -> bool:
    """Answers each line as soon as its turn comes. True where a line could not be read."""
    failed = False
    for number, (problem, redacted, findings) in enumerate(_redacted(options, lines, workers), 1):
        if problem:
            failed = True
            _write({"error": f"line {number}: {problem}"})
        else:
            found = sorted(findings, key=lambda found: (found.start, found.end, found.type))
            _write({"findings": [_told(one) for one in found], "text": redacted})
    return failed


def _redacted(options: RedactOptions, lines: Iterable[bytes], workers: int) -> Iterator[tuple[str, str, list[Finding]]]:
    from slmtrail.stream.redact.pool import RedactPool

    def answers(problems: list[str], future: Future[Any]) -> Iterator[tuple[str, str, list[Finding]]]:
        for problem, (redacted, findings) in zip(problems, future.result(), strict=True):
            yield problem, redacted, findings

    with RedactPool(options, os.urandom(32), workers=workers) as pool:
        read = _Read(lines)
        ahead: deque[tuple[list[str], Future[Any]]] = deque()
        while True:
            # What has been read is handed out at once; only where nothing is under way is more waited for.
            batch = read.batch(wait=not ahead) if len(ahead) <= 2 * workers else []
            if batch:
                texts, problems = zip(*map(_text_of, batch), strict=True)
                ahead.append((list(problems), pool.submit_texts(list(texts))))
            elif ahead:
                yield from answers(*ahead.popleft())
            else:
                return


class _Read:
    """Lines, read in a thread of its own, so that those that are there can be taken without waiting for more."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = lines
        self._queue: Queue[bytes | Exception | None] = Queue(4 * _BATCH)
        self._is_over = False
        Thread(target=self._fill, daemon=True).start()

    def batch(self, *, wait: bool) -> list[bytes]:
        """The lines that are there, some of them at most; wait: until there is one. None where there are no more."""
        batch: list[bytes] = []
        while not self._is_over and len(batch) < _BATCH:
            try:
                line = self._queue.get(block=wait and not batch)
            except Empty:
                break
            if isinstance(line, Exception):
                raise line
            if line is None:
                self._is_over = True
            elif line.strip():
                batch.append(line)
        return batch

    def _fill(self) -> None:
        try:
            for line in self._lines:
                self._queue.put(line)
        except Exception as error:
            self._queue.put(error)
        self._queue.put(None)


def _text_of(line: bytes) -> tuple[str, str]:
    """The text of a line, and what is wrong with the line."""
    try:
        given = orjson.loads(line)
    except orjson.JSONDecodeError:
        try:
            given = stdlib_json.loads(line)  # which lets lone surrogates pass
        except (ValueError, RecursionError) as error:
            return "", f"not JSON: {error}"
    if not isinstance(given, dict) or not isinstance(given.get("text"), str):
        return "", 'no object with a string under "text"'
    return given["text"], ""


def _evaluate(options: RedactOptions, path: Path, workers: int, json: bool) -> None:
    with _opened(str(path)) as stream:
        lines = [line for line in stream if line.strip()]
    labelled = [_labels_of(line, number) for number, line in enumerate(lines, 1)]
    found = [findings for _, _, findings in _redacted(options, lines, workers)]
    scores, misses = scored(labelled, found)
    if json:
        _write(
            {
                "texts": len(lines),
                "types": {type_: _numbers(score) for type_, score in scores.items()},
                "worst_misses": [{"type": m.type, "text": m.text, "line": m.line, "missed": m.times} for m in misses],
            }
        )
        return
    out = Console(highlight=False)
    table = Table("type", "labels", "found", "precision", "recall", "F2", box=None)
    for type_, score in scores.items():
        row = _numbers(score)
        table.add_row(
            type_,
            str(score.labels),
            str(score.found),
            *(f"{row[name]:.3f}" if row[name] is not None else "-" for name in ("precision", "recall", "f2")),
        )
    out.print(table)
    if misses:
        out.print("Worst misses:", style="bold")
        for miss in misses:
            out.print(Text(f"  line {miss.line}, {miss.type} (missed {miss.times} times): {miss.text}"))


def _numbers(score: Score) -> dict[str, Any]:
    return {
        "labels": score.labels,
        "found": score.found,
        "precision": score.precision,
        "recall": score.recall,
        "f2": score.f2,
    }


def _labels_of(line: bytes, number: int) -> tuple[str, list[tuple[str, int, int]]]:
    text, problem = _text_of(line)
    if problem:
        raise SettingsError(f"line {number}: {problem}")
    try:
        labels = stdlib_json.loads(line).get("labels", [])
        return text, [(str(label["type"]), int(label["start"]), int(label["end"])) for label in labels]
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError):
        raise SettingsError(
            f'line {number}: "labels" should be a list of {{"type", "start", "end"}}; correct it and try again'
        ) from None
