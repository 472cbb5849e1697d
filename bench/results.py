"""Runs every bench and writes bench/RESULTS.md: `python bench/results.py [--quick]`, which is `make bench`.

Each bench prints a table for people; those tables are what is written, with the machine, the versions, the commit and
the day, and out of them the table in README.md. One that can't run here is named with the reason it gives, and the
others go on. With `--only` the sections of the others stay as they were.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import subprocess
import sys
import time
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import summary

HERE = Path(__file__).parent
BENCHES = (
    "e2e",
    "index",
    "stream",
    "tail",
    "sidecar",
    "sdk",
    "redaction",
    "injection",
    "judge",
    "seal",
    "search",
    "verify",
    "growth",
)
PACKAGES = (
    "aiokafka",
    "faust-streaming",
    "presidio-analyzer",
    "hyperscan",
    "elasticsearch",
    "uvloop",
    "orjson",
    "pydantic",
)
LIMIT_S = 3600
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def machine() -> list[str]:
    """What it ran on."""
    model = (
        re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text()) if Path("/proc/cpuinfo").exists() else None
    )
    memory_gb = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    processor = model[1] if model else platform.machine()
    return [
        f"- {os.cpu_count()} cores ({processor}), {memory_gb:.0f} GB, {platform.system()}",
        f"- Python {platform.python_version()}; " + ", ".join(f"{name} {metadata.version(name)}" for name in PACKAGES),
    ]


def _results() -> str:
    return summary.RESULTS.read_text() if summary.RESULTS.exists() else ""


def _commit() -> str:
    """The commit that is measured; one that is not what is checked out is marked."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=HERE, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"


def run(name: str, quick: bool) -> str:
    """The section of one bench."""
    began = time.monotonic()
    load = os.getloadavg()[0]
    command = [sys.executable, str(HERE / f"{name}.py"), *(["--quick"] if quick else [])]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=LIMIT_S, check=False, env={**os.environ, "COLUMNS": "118"}
        )
        text, code = done.stdout, done.returncode
        if code:
            text += done.stderr[-2000:]
    except subprocess.TimeoutExpired as late:
        told = late.stdout.decode() if isinstance(late.stdout, bytes) else late.stdout
        text, code = f"not done within {LIMIT_S} s\n{told or ''}", 1
    took_s = time.monotonic() - began
    print(f"{name}: {'done' if not code else f'ended with {code}'} in {took_s:.0f} s", flush=True)
    shown = _COLOURS.sub("", text).strip()
    said = "" if not code else f"**It ended with exit code {code}.**\n\n"
    typed = f"`python bench/{name}.py{' --quick' if quick else ''}`, {took_s:.0f} s, load {load:.1f} before it; "
    typed += f"{datetime.now(UTC):%Y-%m-%d}, commit {_commit()}"
    return f"## {name}\n\n{said}{typed}\n\n```\n{shown}\n```"


def main() -> int:
    """All of them, in turn: they would measure each other else."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true", help="each takes under a minute, and is the less exact")
    options.add_argument("--only", nargs="*", choices=BENCHES, default=BENCHES, help="these alone")
    given = options.parse_args()
    before = dict(re.findall(r"^(## (\w+)\n.*?)(?=\n## |\Z)", _results(), re.MULTILINE | re.DOTALL))
    kept = {name: section.rstrip() for section, name in before.items()}
    made = {name: run(name, given.quick) for name in given.only}
    sections = [(kept | made)[name] for name in BENCHES if name in kept | made]
    told = [
        "# Results",
        "",
        "Written by `make bench`. Machines are shared: CPU seconds and paired ratios are steady, wall-clock is not.",
        "What each figure is, the bench's own first lines say. A peer that was not there is named as skipped;",
        "`python bench/peers/get.py` gets all of them.",
        "",
        *machine(),
        "",
        "\n\n".join(sections),
        "",
    ]
    summary.RESULTS.write_text("\n".join(told))
    summary.main()
    return int(any("It ended with exit code" in section for section in made.values()))


if __name__ == "__main__":
    sys.exit(main())
