"""The pages for operators: each command in them has the options that it is shown with, each rule is one."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest
import yaml
from typer.main import get_command

from slmtrail.app.cli import app
from tree import ROOT

NAMES = ("deploying", "operating", "security", "compliance")
PAGES = [ROOT / "SECURITY.md", *(ROOT / f"docs/{name}.md" for name in NAMES)]
RULES = {
    yaml.safe_load(file.read_text())["id"] for file in (ROOT / "stream/slmtrail/stream/judge/rules").glob("*/rule.yaml")
}


def shown() -> list[Any]:
    """Each command in a code span or a block, with where it stands."""
    found = []
    for page in PAGES:
        text = page.read_text()
        spans = re.findall(r"`(slmtrail [^`]+)`", text.replace("\n", " "))
        lines = re.findall(r"^(?:docker compose exec \w+ )?(slmtrail [^>#\n\\]+)", text, re.MULTILINE)
        found += [pytest.param(each, id=f"{page.stem}: {each}") for each in dict.fromkeys([*spans, *lines])]
    return found


@pytest.mark.parametrize("line", shown())
def test_each_command_has_these_options(line: str) -> None:
    words = shlex.split(line)[1:]
    command: Any = get_command(app)
    while words and hasattr(command, "list_commands"):
        word = words.pop(0)
        if word in command.list_commands(None):
            command = command.get_command(None, word)
        else:
            assert word == "--data"  # before the command, with a folder
            words.pop(0)
    known = {option for parameter in command.params for option in [*parameter.opts, *parameter.secondary_opts]}
    assert {word for word in words if word.startswith("--")} <= known
    if "--rule" in words and words[words.index("--rule") + 1] != "RULE":
        assert words[words.index("--rule") + 1] in RULES
    if command.name == "search" and "--kind" in words:
        assert words[words.index("--kind") + 1] in ("inference", "auth", "policy", "config", "alert")


def test_metrics_that_are_named_exist() -> None:
    reference = (ROOT / "docs/reference.md").read_text()
    for page in PAGES:
        for name in re.findall(r"`(slm_[a-z_]+)`", page.read_text()):
            assert f"| `{name}` |" in reference, f"{page.name}: {name}"


def test_settings_that_are_named_exist() -> None:
    reference = (ROOT / "docs/reference.md").read_text()
    sections = "collector|identity|ingest|bus|stream|store|ledger|monitor"
    for page in PAGES:
        for name in re.findall(rf"`((?:{sections})\.[a-z_]+)\b", page.read_text()):
            if name.endswith((".pem", ".pub")):
                continue  # a file, named as its stage
            assert f"| `{name}` |" in reference, f"{page.name}: {name}"
