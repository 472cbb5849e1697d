"""How many injections are recognised in wordings the rule was not made with, and what looking costs.

python bench/injection.py [--quick] [--json]
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from pathlib import Path
from typing import Any

import orjson

from slmtrail.stream.judge.rules.prompt_injection.rule import wants

HALVES = (
    "improve",
    "improve_wild",
    "improve_voices",
    "held_out",
    "held_out_hard",
    "held_out_wild",
    "held_out_voices",
)
CORPUS = Path(__file__).parents[1] / "tests" / "data" / "injection"


def scored(half: str) -> dict[str, Any]:
    """Recall, false alarms, and the styles in which some were missed, over one part of the corpus."""
    lines = [orjson.loads(line) for line in (CORPUS / f"{half}.jsonl").read_bytes().splitlines()]
    begun = time.process_time()
    fired = [wants(line["text"], content=line["style"] == "content") is not None for line in lines]
    spent_s = time.process_time() - begun
    attacks = [found for found, line in zip(fired, lines, strict=True) if line["attack"]]
    harmless = [found for found, line in zip(fired, lines, strict=True) if not line["attack"]]
    missed = Counter(line["style"] for found, line in zip(fired, lines, strict=True) if line["attack"] and not found)
    return {
        "attacks": len(attacks),
        "recall": round(sum(attacks) / len(attacks), 4),
        "harmless": len(harmless),
        "false_rate": round(sum(harmless) / len(harmless), 4),
        "missed_by_style": dict(sorted(missed.items())),
        "cpu_us_a_text": round(spent_s / len(lines) * 1e6),
    }


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="changes nothing: it takes a second")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    given = parser.parse_args()
    told = {half: scored(half) for half in HALVES}
    if given.json:
        print(orjson.dumps(told).decode())
        return
    for half, score in told.items():
        print(half)
        for name, value in score.items():
            print(f"  {name:18} {value}")


if __name__ == "__main__":
    main()
