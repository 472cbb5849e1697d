"""The table of README.md: single figures out of bench/RESULTS.md, each beside what a peer takes for the same.

Nothing is written there by hand: `python bench/summary.py` puts it between the marks, and `make bench` does so too.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent
RESULTS, README = ROOT / "bench" / "RESULTS.md", ROOT / "README.md"
BEGIN, END = "<!-- figures: written by bench/summary.py -->", "<!-- end of figures -->"
NUMBER = r"([\d.,]+)"


@dataclass(frozen=True)
class Figure:
    """What a row is about, the bench that prints it, and the texts before the figure of ours and of each peer."""

    what: str
    bench: str
    ours: str
    peers: Mapping[str, str] = field(default_factory=dict)


FIGURES = (
    Figure(
        "redacting a text of ordinary prose, CPU µs",
        "redaction",
        r"prose\s+",
        {"Presidio": r"prose\s+[\d.]+ µs, vanilla\s+"},
    ),
    Figure(
        "redacting one dense with personal data, CPU µs",
        "redaction",
        r"dense\s+",
        {"Presidio": r"dense\s+[\d.]+ µs, vanilla\s+"},
    ),
    Figure(
        "a file to Kafka, acknowledged, CPU s a million events",
        "tail",
        r"file to Kafka\s+",
        {name: rf"{name}\s+" for name in ("kcat", "syslog-ng", "rsyslog", "OTel Collector")},
    ),
    Figure(
        "one event handed to the SDK, µs of the caller",
        "sdk",
        r"slmtrail emit\s+",
        {"OpenTelemetry": r"OpenTelemetry SDK\s+", "Langfuse": r"Langfuse SDK\s+", "logging": r"logging Queue\w+\s+"},
    ),
    Figure(
        "a request through the sidecar, ms more at the median",
        "sidecar",
        r"\nsidecar\s+",
        {"nginx": r"nginx\s+", "LiteLLM": r"litellm\s+", "Portkey": r"portkey\s+"},
    ),
    Figure(
        "the stream on Kafka with redaction and all rules, CPU s a million events",
        "stream",
        r"with_redaction .*?'cpu_s_a_million': ",
        {"plain Faust and Presidio": r"plain_faust_vanilla_presidio .*?'cpu_s_a_million': "},
    ),
    Figure("sealing a record into the ledger, CPU µs", "seal", r"% of CPU: "),
    Figure("verifying, records a CPU second", "verify", r"tiles and an export:\n"),
    Figure("a search over five fields, ms at p95", "search", r"five_fields\s.*?p95\s+"),
    Figure("the same and words of the text, ms at p95", "search", r"five_fields_and_text\s.*?p95\s+"),
    Figure("the whole way in one process, CPU s a million events", "e2e", r"history x1: .*?a second,\s+"),
)


def table(results: str) -> str:
    """The rows of which the results have our figure, the pictures of growth, and where it was measured."""
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", results, re.MULTILINE | re.DOTALL))
    rows = ["| what | slmtrail | beside it |", "|---|---|---|"]
    for figure in FIGURES:
        printed = sections.get(figure.bench, "")
        ours = _found(figure.ours, printed)
        others = {name: _found(before, printed) for name, before in figure.peers.items()}
        if ours:
            beside = ", ".join(f"{name} {number}" for name, number in others.items() if number)
            rows.append(f"| {figure.what} | **{ours}** | {beside} |")
    pictures = [
        f"![CPU of an event by {name}](docs/images/growth-{name}.svg)"
        for name in ("actors", "rules", "partitions", "history")
        if "growth" in sections
    ]
    return "\n".join([*rows, *([""] if pictures else []), *pictures])


def _found(before: str, printed: str) -> str:
    match = re.search(before + NUMBER, printed)
    return match[1].rstrip(".,") if match else ""


def written(readme: str, results: str) -> str:
    """README.md with the table of these results in its place."""
    head, _, rest = readme.partition(BEGIN)
    _, _, tail = rest.partition(END)
    if not tail:
        raise SystemExit(f"{README}: has no place for the table: put {BEGIN} and {END} into it")
    return f"{head}{BEGIN}\n{table(results)}\n{END}{tail}"


def main() -> int:
    """Writes README.md."""
    README.write_text(written(README.read_text(), RESULTS.read_text()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
