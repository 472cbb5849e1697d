"""Redaction beside vanilla Presidio: `python bench/redaction.py [--quick] [--json]`.

Paired: both look at the same texts in the same process, in turns, on one core, by CPU time; each figure is a
median of several rounds. Every round has texts of its own, so that nothing is answered from memory. `--quick`
measures the usual settings only, in fewer rounds; `--json` prints one object as the last line.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import importlib.util
import json
import os
import platform
import pstats
import random
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from slmtrail.stream.redact.engine import Engine
from slmtrail.stream.redact.options import RedactOptions
from slmtrail.stream.redact.reference import ReferenceAnalyzer

CHARS = 1200
MEMORY_CHARS = 80
"""Short texts, so that a hundred thousand of them are seen in a minute: memory grows with what is new, not long."""
CORPORA = {"dense": 15.0, "prose": 40.0, "plain": 150.0}
"""Each corpus, and how many times faster than vanilla it has to be."""
TEXTS = {"dense": 100, "crammed": 60, "prose": 600, "plain": 3_000}
"""Texts a round: the fast ones need more for a time that can be measured."""
WARM_TEXTS = 200
VANILLA_TEXTS = 10
HOSTILE = {
    "dots": ".",
    "digits": "1234567890 ",
    "long digits": "7",
    "long hex": "0f9a3c",
    "addresses": "a.b@c.com ",
    "at signs": "a@",
    "hosts": "a.com.",
    "phones": "+1 212 555 0199, ",
    "cards": "4111 1111 1111 1111 ",
    "colons": "ab:",
    "keys": "sk-",
    "nested JSON": '{"a":["b",',
    "words": "phone card account ",
}
SLOWEST_S = 0.5
"""No text of 64 KB may take longer."""
STAGES = {
    "gate": ("/gate.py", "/text.py", "hyperscan"),
    "phone numbers": ("/phones.py", "/phone_gate.py", "/phone_plans.py", "/phonenumbers/"),
    "context words": ("/context.py", "tokenizer.pyx", "vocab.pyx", "doc.pyx", "/seen.py", "/spacy/"),
    "URLs": ("/urls.py",),
    "patterns": ("/patterns.py", "/window.py", "/plans.py"),
    "checks of what they match": ("_recognizer.py", "redact/checks.py", "/tldextract/"),
    "secrets": ("/secret_plan.py", "/matcher.py", "/secrets/checks.py"),
    "results": ("/engine.py", "/results.py", "/finding.py", "/allow.py"),
}
"""Parts of the work, by the files it is done in."""


def corpus() -> ModuleType:
    """The generator of texts, which stands beside the tests."""
    path = Path(__file__).parent.parent / "tests/data/redaction/generate.py"
    spec = importlib.util.spec_from_file_location("redaction_corpus", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path} can't be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cpu_s(work: Callable[..., Any], *given: Any) -> float:
    """CPU seconds of one call."""
    start = time.process_time()
    work(*given)
    return time.process_time() - start


def each(work: Callable[[str], Any], texts: list[str]) -> None:
    """Does the work on every text."""
    for text in texts:
        work(text)


def paired(
    ours: Callable[[str], Any],
    vanilla: Callable[[str], Any],
    make: Callable[[random.Random, int], str],
    rounds: int,
    texts: int,
) -> dict[str, Any]:
    """Microseconds a text of both, and how many times faster ours is."""
    rng = random.Random(7)
    ours_us, vanilla_us, ratios = [], [], []
    beside = VANILLA_TEXTS
    for _ in range(rounds):
        made = [make(rng, CHARS) for _ in range(texts)]
        mine = cpu_s(each, ours, made) / texts * 1e6
        theirs = cpu_s(each, vanilla, made[:beside]) / beside * 1e6
        ours_us.append(mine)
        vanilla_us.append(theirs)
        ratios.append(theirs / mine)
    return {
        "ours_us": round(statistics.median(ours_us), 1),
        "vanilla_us": round(statistics.median(vanilla_us), 1),
        "ratio": round(statistics.median(ratios), 1),
        "ratio_worst": round(min(ratios), 1),
        "ratio_best": round(max(ratios), 1),
        "texts_a_second": round(1e6 / statistics.median(ours_us)),
    }


def shares(engine: Engine, texts: list[str]) -> dict[str, float]:
    """Where the time goes, as shares of the whole."""
    profile = cProfile.Profile()
    profile.enable()
    for text in texts:
        engine.find(text)
    profile.disable()
    stats: Any = pstats.Stats(profile)
    spent = dict.fromkeys([*STAGES, "other"], 0.0)
    for (file, _, name), (_, _, own, _, callers) in stats.stats.items():
        stage = _stage(f"{file} {name}")
        if stage != "other" or not callers:
            spent[stage] += own
            continue
        # What is built in, or of a library, is the work of whoever calls it.
        for (caller, _, caller_name), (_, _, own_for_it, _) in callers.items():
            spent[_stage(f"{caller} {caller_name}")] += own_for_it
    total = sum(spent.values())
    return {stage: round(own / total, 3) for stage, own in spent.items()}


def _stage(where: str) -> str:
    return next((stage for stage, files in STAGES.items() if any(file in where for file in files)), "other")


def growth(engine: Engine) -> dict[str, dict[str, float]]:
    """CPU seconds of hostile texts by size in KB."""
    sizes = (1, 4, 16, 64, 256)
    return {
        name: {str(kb): round(cpu_s(engine.find, (piece * kb * 1024)[: kb * 1024]), 4) for kb in sizes}
        for name, piece in HOSTILE.items()
    }


def memory(engine: Engine, make: Callable[[random.Random, int], str], texts: int) -> dict[str, Any]:
    """Resident megabytes after each tenth of so many texts."""
    rng = random.Random(3)
    mb = []
    for _ in range(10):
        for _ in range(texts // 10):
            engine.find(make(rng, MEMORY_CHARS))
        mb.append(round(_resident_mb(), 1))
    return {"texts": texts, "resident_mb": mb, "growth_mb": round(mb[-1] - mb[2], 1)}


def _resident_mb() -> float:
    status = Path("/proc/self/statm")
    if status.exists():
        return int(status.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="under 50 seconds")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    parser.add_argument("--memory", type=int, metavar="TEXTS", help="watch memory over so many texts (100000)")
    parser.add_argument("--gate", choices=["hyperscan", "re2", "none"], default=None)
    given = parser.parse_args()
    rounds = 5 if given.quick else 9
    generator = corpus()
    result: dict[str, Any] = {"machine": platform.processor() or platform.machine(), "chars_a_text": CHARS}
    engines = {}
    settings = {"usual settings": RedactOptions()}
    if not given.quick:
        settings["threshold 0"] = RedactOptions(threshold=0, thresholds={})
    for name, options in settings.items():
        began_s = time.process_time()
        engine = Engine(options, given.gate)
        start_s = time.process_time() - began_s
        vanilla = ReferenceAnalyzer(options.model_copy(update={"secrets": False}))
        engines[name] = engine
        # As the workers do: what is loaded stays, and is not looked at again.
        gc.collect()
        gc.freeze()
        result[name] = {"gate": engine.gate_name, "start_s": round(start_s, 2)}
        for kind in (*CORPORA, "crammed"):
            make = getattr(generator, kind)
            warm = random.Random(1)
            for _ in range(WARM_TEXTS):
                engine.find(make(warm, CHARS))
            for _ in range(VANILLA_TEXTS):
                vanilla.find(make(warm, CHARS))
            result[name][kind] = paired(engine.find, vanilla.find, make, rounds, TEXTS[kind])
            goal = f" (at least {CORPORA[kind]:.0f})" if kind in CORPORA else ""
            row = result[name][kind]
            print(
                f"{name:15} {kind:8} {row['ours_us']:9.1f} µs, vanilla {row['vanilla_us']:9.1f} µs: "
                f"{row['ratio']:6.1f} times{goal}, {row['ratio_worst']}-{row['ratio_best']}"
            )
    engine = engines["usual settings"]
    rng = random.Random(9)
    result["shares"] = {
        kind: shares(engine, [getattr(generator, kind)(rng, CHARS) for _ in range(40)]) for kind in CORPORA
    }
    for kind, spent in result["shares"].items():
        print(
            f"{kind}: "
            + ", ".join(f"{stage} {share:.0%}" for stage, share in sorted(spent.items(), key=lambda s: -s[1]))
        )
    result["seconds_by_kb"] = growth(engine)
    for name, row in result["seconds_by_kb"].items():
        print(f"{name:11} " + "  ".join(f"{kb} KB {seconds:.4f} s" for kb, seconds in row.items()))
    slowest = max(result["seconds_by_kb"], key=lambda name: result["seconds_by_kb"][name]["64"])
    result["slowest_64_kb"] = {"text": slowest, "s": result["seconds_by_kb"][slowest]["64"], "at_most_s": SLOWEST_S}
    print(f"slowest of 64 KB: {slowest}, {result['slowest_64_kb']['s']} s (at most {SLOWEST_S})")
    texts = given.memory or (5_000 if given.quick else 100_000)
    result["memory"] = memory(engine, generator.dense, texts)
    print(f"memory: {result['memory']['resident_mb']} MB over {result['memory']['texts']} texts")
    if given.json:
        print(json.dumps(result))


if __name__ == "__main__":
    main()
