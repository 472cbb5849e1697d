"""A site's own rules: a folder of folders, each with `rule.yaml` and perhaps `rule.py`, its cases held to at the start.

One that can't be used is refused, named, and the others go on.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from slmtrail.core import yaml_text
from slmtrail.core.errors import SettingsError
from slmtrail.stream.judge.apart import Apart, RuleStopped
from slmtrail.stream.judge.cases import fires
from slmtrail.stream.judge.manifest import Manifest
from slmtrail.stream.judge.rule import Rule, built_in, made

log = logging.getLogger(__name__)

MAX_RULES = 500
MAX_FILE_BYTES = 256 * 1024
DEADLINE_S = 0.5
"""How long a user's rule.py may take over one record."""


@dataclass(slots=True)
class Own:
    """The rules of a folder, and why others can't be used, by the name of their folder."""

    rules: list[Rule] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


def own_rules(folder: Path, deadline_s: float = DEADLINE_S) -> Own:
    """Reads a folder of rules. Raises SettingsError where there is none."""
    try:
        folders = sorted(one for one in folder.iterdir() if one.is_dir() and not one.name.startswith("."))
    except OSError as error:
        raise SettingsError(f"{folder}: can't be read ({type(error).__name__}); name a folder of rules") from None
    own = Own()
    taken = {rule.id for rule in built_in()}
    for one in folders:
        try:
            if len(own.rules) >= MAX_RULES:
                raise ValueError(f"there are more than {MAX_RULES} rules")
            rule = _read(one, deadline_s)
            if rule.id in taken:
                raise ValueError(f"id: {rule.id} is the id of another rule")
            for case in rule.manifest.cases:
                if fires(rule, case) is not case.fires:
                    raise ValueError(f"case {case.name!r}: it should{'' if case.fires else ' not'} fire")
        except (ValueError, OSError, RuleStopped, SettingsError, RecursionError) as error:
            own.refused[one.name] = _told(error)
            log.error("the rule in %s can't be used: %s", one, own.refused[one.name])
        else:
            taken.add(rule.id)
            own.rules.append(rule)
    return own


def _read(folder: Path, deadline_s: float) -> Rule:
    text = _text(folder / "rule.yaml")
    code_file = folder / "rule.py"
    code = _text(code_file) if code_file.exists() else ""
    judges = Apart(code_file, deadline_s) if code else None
    yaml_text.read(Manifest, text, "rule.yaml")
    return made(text, code, judges, None, yaml.safe_load(text))


def _text(file: Path) -> str:
    if file.stat().st_size > MAX_FILE_BYTES:
        raise ValueError(f"{file.name}: is larger than {MAX_FILE_BYTES} bytes")
    return file.read_text(encoding="utf-8")


def _told(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{Path(str(error.filename)).name}: {error.strerror}"
    return str(error).replace("\n", "; ")[:500]
