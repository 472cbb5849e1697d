"""`slmtrail doctor`: look at all that our processes need, and say of each fault what to do. It changes nothing."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import asdict
from typing import Annotated

import orjson
import typer

from slmtrail.app.commands.given import given
from slmtrail.app.examine import here, there
from slmtrail.app.examine.symptoms import STAGES, Stage, Symptom, fault
from slmtrail.app.terminal import Console, inline
from slmtrail.core.errors import SettingsError

out = Console(highlight=False)

EXIT_FAULT = 1


def doctor(
    stages: Annotated[
        list[str] | None,
        typer.Option("--stage", help="What runs here: collect, stream, index; by default what has its keys here."),
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Look at this machine only.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one object.")] = False,
) -> None:
    """Check settings, keys, certificates, disk, clocks, bus, store and lag. Exit code 1 where something is wrong."""
    found = _examined(stages or [], offline)
    sound = not any(symptom.severity == "fault" for symptom in found)
    if as_json:
        data = {"sound": sound, "symptoms": [asdict(symptom) for symptom in found]}
        sys.stdout.buffer.write(orjson.dumps(data) + b"\n")
    else:
        for each in sorted(found, key=lambda symptom: symptom.severity):
            colour = "bold red" if each.severity == "fault" else "yellow"
            text = f"[{colour}]{each.severity}[/] {inline(f'{each.check}: {each.where}: {each.what}')}"
            out.print(text, soft_wrap=True)
            out.print(f"    to do: {inline(each.fix)}", soft_wrap=True)
        faults = sum(each.severity == "fault" for each in found)
        rest = f"{len(found) - faults} warnings"
        out.print(f"{faults} faults, {rest}" if faults else f"[green]sound[/]: no faults, {rest}")
    if not sound:
        raise typer.Exit(EXIT_FAULT)


def _examined(named: list[str], offline: bool) -> list[Symptom]:
    wrong = sorted(set(named) - set(STAGES))
    if wrong:
        raise SettingsError(f"--stage {wrong[0]}: write collect, stream or index")
    try:
        settings = given.settings()
    except SettingsError as error:
        return [fault("settings", "slmtrail.toml or the environment", error, "correct it; docs/reference.md lists all")]
    stages: list[Stage] = [stage for stage in STAGES if stage in named] or here.stages_here(settings)
    found = list(here.examine(settings, stages))
    return found if offline else [*found, *asyncio.run(there.examine(settings, stages))]
