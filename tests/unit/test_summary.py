"""The figures in README.md are those of bench/RESULTS.md, and those are what the benches print."""

from __future__ import annotations

import importlib.util
import re
import sys
from types import ModuleType

import pytest

from tree import ROOT


@pytest.fixture(scope="module")
def summary() -> ModuleType:
    spec = importlib.util.spec_from_file_location("summary", ROOT / "bench" / "summary.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["summary"] = module
    spec.loader.exec_module(module)
    return module


def test_readme_has_the_figures_of_the_results(summary: ModuleType) -> None:
    readme, results = (ROOT / "README.md").read_text(), (ROOT / "bench" / "RESULTS.md").read_text()
    assert summary.written(readme, results) == readme, "run: python bench/summary.py"


def test_each_bench_in_the_results_gives_its_figures(summary: ModuleType) -> None:
    results = (ROOT / "bench" / "RESULTS.md").read_text()
    there = set(re.findall(r"^## (\w+)$", results, re.MULTILINE))
    rows = summary.table(results)
    assert [figure.what for figure in summary.FIGURES if figure.bench in there and figure.what not in rows] == []


def test_a_peer_that_was_left_out_is_left_out(summary: ModuleType) -> None:
    printed = (
        "## tail\n\nfile to Kafka   12.5 CPU s a million\nkcat   skipped: kcat is not on the PATH 5\nrsyslog 27.0 CPU\n"
    )
    (row,) = [line for line in summary.table(printed).splitlines() if "Kafka" in line]
    assert row.endswith("| **12.5** | rsyslog 27.0 |")
