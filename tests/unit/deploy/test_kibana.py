"""What is imported into Kibana asks for fields that are searched and refers to what is there. No Kibana runs here."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from slmtrail.indexer.store import elastic_rollup, mapping
from tree import ROOT

FOLDER = ROOT / "deploy/kibana"
OBJECTS: dict[str, dict[str, Any]] = {
    made["id"]: made for made in map(json.loads, (FOLDER / "slmtrail.ndjson").read_text().splitlines())
}
RULES = {file.stem: json.loads(file.read_text()) for file in sorted((FOLDER / "rules").glob("*.json"))}
IN_RECORDS = mapping.leaves(mapping.mappings())
IN_ROLLUPS = elastic_rollup.MAPPINGS["properties"]


def asked(query: str) -> set[str]:
    """The fields of a search in Kibana's language."""
    return set(re.findall(r"([@\w.]+) :", query))


def fields(made: dict[str, Any]) -> Iterator[str]:
    """All fields that an object names."""
    attributes = made["attributes"]
    yield from attributes.get("columns", ())
    yield from (field for field, _ in attributes.get("sort", ()))
    yield from asked(json.loads(attributes["kibanaSavedObjectMeta"]["searchSourceJSON"])["query"]["query"])
    for agg in json.loads(attributes.get("visState", '{"aggs":[]}'))["aggs"]:
        if "field" in agg["params"]:
            yield agg["params"]["field"]


@pytest.mark.parametrize(
    "name", [name for name, made in OBJECTS.items() if made["type"] in ("search", "visualization")]
)
def test_it_asks_for_fields_that_are_searched(name: str) -> None:
    views = {reference["id"] for reference in OBJECTS[name]["references"] if reference["type"] == "index-pattern"}
    known = IN_ROLLUPS if views == {"slmtrail-rollups"} else IN_RECORDS
    assert set(fields(OBJECTS[name])) <= set(known)


@pytest.mark.parametrize("name", OBJECTS)
def test_what_it_refers_to_is_there(name: str) -> None:
    made = OBJECTS[name]
    for reference in made["references"]:
        assert OBJECTS[reference["id"]]["type"] == reference["type"]
    if made["type"] == "dashboard":
        panels = json.loads(made["attributes"]["panelsJSON"])
        named = {reference["name"]: reference["type"] for reference in made["references"]}
        assert {f"{panel['panelIndex']}:{panel['panelRefName']}": panel["type"] for panel in panels} == named
        places = [panel["gridData"] for panel in panels]
        cells = [
            (x, y)
            for at in places
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        ]
        assert len(cells) == len(set(cells)), "panels lie on each other"
        assert max(x for x, _ in cells) < 48


def test_no_two_have_one_name() -> None:
    assert len(OBJECTS) == len((FOLDER / "slmtrail.ndjson").read_text().splitlines())


def test_a_record_leads_to_its_proof() -> None:
    formats = json.loads(OBJECTS["slmtrail-records"]["attributes"]["fieldFormatMap"])
    assert formats["event.id"]["params"]["urlTemplate"].endswith("/record/{{value}}")
    assert set(formats) <= set(IN_RECORDS)


def test_the_file_is_what_the_program_writes(tmp_path: Path) -> None:
    program = tmp_path / "objects.py"
    program.write_bytes((FOLDER / "objects.py").read_bytes())
    subprocess.run([sys.executable, program], check=True)
    assert (tmp_path / "slmtrail.ndjson").read_text() == (FOLDER / "slmtrail.ndjson").read_text()
    subprocess.run([sys.executable, program, "--page", "https://trail.example/"], check=True)
    assert "https://trail.example/record/" in (tmp_path / "slmtrail.ndjson").read_text()


@pytest.mark.parametrize("name", RULES)
def test_a_rule_asks_for_fields_that_are_searched(name: str) -> None:
    rule = RULES[name]
    found = set()

    def look(node: Any) -> None:
        if isinstance(node, dict):
            for key, value in node.items():
                if key in ("term", "terms", "range"):
                    found.update(value)
                else:
                    look(value)
        elif isinstance(node, list):
            for one in node:
                look(one)

    look(json.loads(rule["params"]["esQuery"]))
    assert found
    assert found <= set(IN_RECORDS)
    assert not rule["enabled"], "whoever imports a rule decides when it starts to run"


def test_the_script_is_one_that_a_shell_takes() -> None:
    subprocess.run(["sh", "-n", FOLDER / "import.sh"], check=True)
