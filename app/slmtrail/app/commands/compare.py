"""`slmtrail compare`: two models, or two versions of one, side by side."""

from __future__ import annotations

from typing import Annotated

import orjson
import typer
from rich.table import Table

from slmtrail.app.commands.given import given
from slmtrail.app.terminal import Console, inline
from slmtrail.indexer.reading.compare import Comparison, Share, Spread


def compare(
    one: Annotated[str, typer.Argument(help="A model, or a version of it: phi-3@1.2.")],
    other: Annotated[str, typer.Argument(help="The one to hold it against: phi-3@1.3.")],
    text: Annotated[list[str] | None, typer.Argument(help="Words and conditions, as in `search`.")] = None,
    environment: Annotated[str, typer.Option("--env", help="The deployment environment.")] = "",
    since: Annotated[str, typer.Option(help="From then on: 15m, 2h, 7d ago, or 2026-01-31T09:00:00Z.")] = "7d",
    until: Annotated[str, typer.Option(help="Before then.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one object, for programs.")] = False,
) -> None:
    """Compare what two models did: failures, blocks, latency, tokens, findings, answers, and their configuration."""
    from slmtrail.app.readers.here import here
    from slmtrail.app.reading import Asked

    with here(given.settings()) as looking:
        asked = Asked(" ".join(text or []), environment=environment, since=since, until=until)
        found = looking.compare(asked, one, other)
    if as_json:
        typer.echo(orjson.dumps(found).decode())
    else:
        _print(found)


def rows(found: Comparison) -> list[tuple[str, str, str, bool]]:
    """What was measured, a line each: what, of one, of the other, and whether it differs by more than chance."""
    made = [("records", f"{found.one.records}", f"{found.other.records}", False)]
    made += [_share(share, found) for share in found.shares]
    for spread in found.spreads:
        made.append((f"{spread.name} p50 / p95 / p99", *_spread(spread), spread.differs))
    return made


def _share(share: Share, found: Comparison) -> tuple[str, str, str, bool]:
    one, other = (
        f"{count / side.records:.1%}" if side.records else "-"
        for count, side in ((share.one, found.one), (share.other, found.other))
    )
    return share.name.replace("_", " ") if ":" not in share.name else share.name, one, other, share.differs


def _spread(spread: Spread) -> tuple[str, str]:
    one, other = (" / ".join(f"{value:g}" for value in side.values()) or "-" for side in (spread.one, spread.other))
    return one, other


def _print(found: Comparison) -> None:
    out = Console(highlight=False)
    table = Table("", inline(found.one.name), inline(found.other.name), "")
    for name, one, other, differs in rows(found):
        table.add_row(inline(name), one, other, "[bold]differs[/]" if differs else "")
    out.print(table)
    if found.answers_alike is not None:
        out.print(f"{found.pairs} prompts were put to both; their answers are alike by {found.answers_alike:.2f}")
        for pair in found.furthest:
            asked = inline(pair.prompt[:80])
            out.print(f"  {pair.alike:.2f}  {pair.one}  {pair.other}  [dim]{asked}[/]", soft_wrap=True)
    for name, (mine, theirs) in found.config.items():
        out.print(f"{inline(name)}: {inline(_values(mine))} [bold]against[/] {inline(_values(theirs))}", soft_wrap=True)
    for side in (found.one, found.other):
        if side.cut:
            out.print(f"of {inline(side.name)} only the newest {side.records} records count, since {side.first}")


def _values(counts: dict[str, int]) -> str:
    return ", ".join(f"{value} ({count})" for value, count in counts.items()) or "nothing"
