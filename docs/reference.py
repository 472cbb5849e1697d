"""Writes docs/reference.md from the code: `python docs/reference.py`; with --check it says whether it is current."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import click
import typer
from prometheus_client import REGISTRY

from slmtrail.app.cli import app
from slmtrail.core import errors, metrics, ports, settings
from slmtrail.core.fields import COMMITTED, FIELDS
from slmtrail.core.policy import Policy
from slmtrail.core.roles import Part

PAGE = Path(__file__).with_name("reference.md")


def page() -> str:
    """The whole page."""
    parts = [
        "# Reference\n\nMade from the code by `docs/reference.py`; a test keeps it current.\n",
        _settings(),
        _policy(),
        _commands(),
        _exit_codes(),
        _topics(),
        _metrics(),
        _fields(),
    ]
    return "\n".join(parts)


def _table(*rows: tuple[str, ...]) -> str:
    cells = [[cell.replace("|", r"\|") for cell in row] for row in rows]
    head, *body = [f"| {' | '.join(row)} |" for row in cells]
    return "\n".join([head, f"|{'---|' * len(rows[0])}", *body]) + "\n"


def _settings() -> str:
    variables = {place: name for name, place in settings.variables().items()}
    rows = [("key", "default", "variable", "what")]
    for name, field in settings.Settings.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, settings.Section):
            for key, inner in section.model_fields.items():
                default = inner.get_default(call_default_factory=True)
                rows.append((f"`{name}.{key}`", _code(str(default)), _code(variables.get((name, key))), _text(inner)))
        else:
            rows.append((f"`{name}`", _code(str(field.default)), _code(variables.get(("", name))), _text(field)))
    intro = (
        "## Settings\n\nIn `slmtrail.toml` (or the file that `--config` or SLMTRAIL_CONFIG names), `section.key` is "
        "`key` in the table `[section]`; the environment variable wins. `slmtrail config check` prints what is "
        "in force. Applications with the SDK may say where their collector is in SLMTRAIL_URL, and their token in "
        "SLMTRAIL_TOKEN; `slmtrail enrol` takes its token from SLMTRAIL_ENROLMENT_TOKEN too.\n\n"
    )
    return intro + _table(*rows)


def _policy() -> str:
    rows = [("key", "default", "what"), *_keys(Policy, "")]
    intro = (
        "## Policy\n\nThe YAML file that the setting `policy` names; [policy.md](policy.md) explains it. `<name>` "
        "stands for a name of your choice. `slmtrail policy check` reads a file and says what is wrong with it.\n\n"
    )
    return intro + _table(*rows)


def _keys(part: type[Part], path: str) -> Iterator[tuple[str, str, str]]:
    for name, field in part.model_fields.items():
        inner = next((given for given in _named(field.annotation) if issubclass(given, Part)), None)
        many = get_origin(field.annotation) is dict
        key = f"{path}{name}{'.<name>' if many else ''}"
        default = None if inner else field.get_default(call_default_factory=True)
        shown = ", ".join(map(str, default)) if isinstance(default, tuple) else str(default)
        yield f"`{key}`", "must be given" if field.is_required() else _code(shown), _text(field)
        if inner:
            yield from _keys(inner, f"{key}.")


def _named(annotation: Any) -> list[type]:
    """The classes that a type is made of."""
    if isinstance(annotation, type) and not get_args(annotation):
        return [annotation]
    return [named for argument in get_args(annotation) for named in _named(argument)]


def _text(field: Any) -> str:
    return field.description or ""


def _code(name: str | None) -> str:
    return f"`{name}`" if name not in (None, "", "None", "{}") else ""


def _commands() -> str:
    command = typer.main.get_command(app)
    rows = [("command", "what", "options")]
    for name, inner in _walk(command, "slmtrail"):
        options = [
            "/".join(max(names, key=len) for names in (p.opts, p.secondary_opts) if names)
            for p in inner.params
            if isinstance(p, click.Option) or p.param_type_name == "option"
        ]
        listed = " ".join(f"`{option}`" for option in options if option != "--help")
        rows.append((f"`{name}`", (inner.help or "").split("\n")[0], listed))
    return "## Commands\n\nBefore the command: `--config`, `--data`, `--log-json`.\n\n" + _table(*rows)


def _walk(command: Any, name: str) -> list[tuple[str, Any]]:
    if hasattr(command, "list_commands"):
        names = command.list_commands(None)
        return [pair for key in names for pair in _walk(command.get_command(None, key), f"{name} {key}")]
    return [(name, command)]


def _exit_codes() -> str:
    by_code: dict[int, list[str]] = {}
    for value in vars(errors).values():
        if isinstance(value, type) and issubclass(value, errors.TrailError):
            by_code.setdefault(value.exit_code, []).append((value.__doc__ or "").split("\n")[0])
    rows = [("code", "what"), ("0", "All is well.")]
    rows += [(str(code), " ".join(texts)) for code, texts in sorted(by_code.items())]
    return "## Exit codes\n\n" + _table(*rows)


def _topics() -> str:
    rows = [("topic", "kept")]
    for topic in ports.TOPICS:
        kept = "newest of each key" if topic in ports.COMPACTED else f"{ports.RETENTION_DAYS} days"
        rows.append((f"`{topic}`", kept))
    return "## Topics\n\n" + _table(*rows)


def _metrics() -> str:
    own = {value for value in vars(metrics).values() if hasattr(value, "describe")}
    rows = [("metric", "type", "labels", "what")]
    for collector in own & set(REGISTRY._collector_to_names):
        (described,) = collector.describe()
        name = described.name + ("_total" if described.type == "counter" else "")
        rows.append((f"`{name}`", described.type, " ".join(collector._labelnames), described.documentation))
    return "## Metrics\n\nAt `/metrics`, in the format of Prometheus.\n\n" + _table(rows[0], *sorted(rows[1:]))


def _fields() -> str:
    rows = [("field", "type", "redaction", "in the ledger")]
    for field in FIELDS.values():
        ledger = "salted commitment" if field.name in COMMITTED else "as it is"
        rows.append((f"`{field.name}`", field.type, field.treatment, ledger))
    intro = (
        "## Fields\n\nOpenTelemetry GenAI (v1.41.1) and ECS names; what neither names is `slm.*`. Redaction: `replace` "
        "puts a marker in the place of each finding; `hash` a keyed hash in the place of the whole value; `pseudonym` "
        "that where something is found in it; `keep` leaves it.\n\n"
    )
    return intro + _table(*rows)


def main() -> int:
    """Writes the page, or checks it."""
    made = page()
    if "--check" in sys.argv:
        current = PAGE.exists() and PAGE.read_text() == made
        sys.stderr.write("" if current else f"{PAGE.name} is not current: run python docs/reference.py\n")
        return 0 if current else 1
    PAGE.write_text(made)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
