"""`slmtrail judge`: which rules there are, how good they are, and what others would have said of the past."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.markup import escape
from rich.table import Table

from slmtrail.app.commands.given import given
from slmtrail.app.terminal import Console
from slmtrail.core import policy as policy_file
from slmtrail.core.errors import SettingsError
from slmtrail.core.policy import Policy
from slmtrail.stream.judge.judge import Judge
from slmtrail.stream.judge.own import own_rules
from slmtrail.stream.judge.rule import built_in

_CURRENT = "current"


def judge(
    evaluate: Annotated[
        Path | None, typer.Option(help="Measure the rules on labelled scenarios (JSON lines, see docs/rules.md).")
    ] = None,
    simulate: Annotated[Path | None, typer.Option(help="Write simulated scenarios to this file.")] = None,
    seed: Annotated[int, typer.Option(help="Of the simulation.")] = 1,
    held_out: Annotated[
        bool, typer.Option("--held-out", help="Simulate with phrases and disguises written after the rules.")
    ] = False,
    since: Annotated[str, typer.Option(help="Judge stored records again from then on: 30d, or a time.")] = "",
    rules: Annotated[Path | None, typer.Option(help="A folder of rules of your own; by default the settings'.")] = None,
    policy: Annotated[Path | None, typer.Option(help="A policy; by default the settings'.")] = None,
    against: Annotated[str, typer.Option(help="What to compare with: current, or another folder of rules.")] = _CURRENT,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object, for programs.")] = False,
) -> None:
    """List the rules in force, measure them, or judge the past again by others."""
    if simulate:
        _simulate(simulate, seed, held_out)
    elif evaluate:
        _evaluate(evaluate, rules, policy, json)
    elif since:
        _again(since, rules, policy, against, json)
    else:
        _list(_made(rules, policy), json)


def _made(rules: Path | None, policy: Path | None, under: Policy | None = None) -> Judge:
    """The rules of a folder, or of the settings, under a policy, or that of the settings."""
    settings = given.settings()
    law = under or policy_file.load(policy or settings.policy)
    folder = rules or settings.stream.rules
    own = own_rules(folder) if folder else None
    if own is None:
        return Judge(law)
    for name, why in own.refused.items():
        Console(stderr=True, highlight=False).print(f"[yellow]{escape(name)}[/] can't be used: {escape(why)}")
    return Judge(law, [*built_in(), *own.rules], own.refused)


def _simulate(file: Path, seed: int, held_out: bool) -> None:
    from slmtrail.app.evaluation.scenarios import write
    from slmtrail.app.simulator.site import scenarios

    try:
        count = write(file, scenarios(seed, held_out=held_out))
    except OSError as error:
        raise SettingsError(f"{file}: can't be written: {error.strerror}") from None
    Console(stderr=True, highlight=False).print(f"{count} scenarios in {escape(str(file))}")


def _evaluate(file: Path, rules: Path | None, policy: Path | None, json: bool) -> None:
    from slmtrail.app.evaluation.scenarios import read
    from slmtrail.app.evaluation.scoring import evaluated

    def makes(own: Policy) -> Judge:
        return _made(rules, policy, None if own == Policy() else own)

    report = evaluated(read(file), makes)
    if json:
        _write(report.told())
        return
    table = Table("rule", "found", "missed", "false", "recall", "precision", "time to alert")
    for name, score in [*sorted(report.by_rule.items()), ("all", report.all)]:
        delay = score.told()["seconds_to_alert_median"]
        numbers = (
            str(score.found),
            str(score.missed),
            str(score.false),
            f"{score.recall:.3f}",
            f"{score.precision:.3f}",
        )
        table.add_row(name, *numbers, "" if delay is None else f"{delay:.0f} s")
    out = Console(highlight=False)
    out.print(table)
    for line in [*(f"missed  {one}" for one in report.misses), *(f"false   {one}" for one in report.noise)]:
        out.print(escape(line), soft_wrap=True)
    out.print(
        f"{report.scenarios} scenarios, {report.events} events; false alerts a day of a hundred users on benign "
        f"traffic: {report.alerts_a_day:.2f}",
        soft_wrap=True,
    )


def _again(since: str, rules: Path | None, policy: Path | None, against: str, json: bool) -> None:
    from slmtrail.app import parts
    from slmtrail.app.evaluation.rejudge import compared, stored
    from slmtrail.indexer.store.language.times import moment_ms

    since_ms = moment_ms(since)
    new = _made(rules, policy)
    current = _made(None if against == _CURRENT else Path(against), None)
    store = parts.open_store(given.settings())
    try:
        result = compared(stored(store, since_ms), new, current)
    finally:
        store.close()
    told = result.told()
    if json:
        _write(told)
        return
    table = Table("rule", "new", "gone", "a day", "a day now")
    for name, row in told["rules"].items():
        table.add_row(name, str(row["new"]), str(row["gone"]), str(row["alerts_a_day"]), str(row["alerts_a_day_now"]))
    out = Console(highlight=False)
    out.print(table)
    for sign, alerts in (("+", told["new"]), ("-", told["gone"])):
        for one in alerts:
            line = f"{sign} {one['since']}  {one['rule']}  {one['subject']}  {one['why']}  {' '.join(one['evidence'])}"
            out.print(escape(line), soft_wrap=True)
    sets = f"rules {told['ruleset'][:12]} against {told['against'][:12]}"
    out.print(f"{told['records']} records of {told['days']:.1f} days; {sets}")


def _list(made: Judge, json: bool) -> None:
    told: list[dict[str, Any]] = []
    for name, rule in sorted(made.rules.items()):
        terms, manifest = made.terms(name, "", ""), rule.manifest
        told.append(
            {
                "id": name,
                "name": manifest.name,
                "severity": terms.severity,
                "enabled": terms.enabled,
                "detects": manifest.detects,
                "reference": manifest.reference,
                "parameters": {key: value for key, value in terms.about.parameters.items() if not key.endswith("_ms")},
                "digest": rule.digest,
            }
        )
    if json:
        _write({"ruleset": made.digest, "rules": told})
        return
    table = Table("rule", "severity", "what", "reference")
    for one in told:
        state = one["severity"] if one["enabled"] else "off"
        table.add_row(one["id"], state, escape(one["name"]), escape(", ".join(one["reference"])))
    out = Console(highlight=False)
    out.print(table)
    out.print(f"{len(told)} rules, {made.digest[:12]}")


def _write(content: dict[str, Any]) -> None:
    sys.stdout.buffer.write(orjson.dumps(content) + b"\n")
    sys.stdout.buffer.flush()
