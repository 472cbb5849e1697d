"""Compares the engine with vanilla Presidio: `python bench/redaction_diff.py --seconds 600 --seed 7`.

Every text is made from the seed and its number, so that a difference can be made again. Ends with 1 if there
was one. The texts: corpus-like, random, mutated and hostile, in many scripts. `--quick` compares two of the option
sets for 15 seconds; `--json` prints one object as the last line.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import random
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from slmtrail.stream.redact.engine import Engine
from slmtrail.stream.redact.options import RedactOptions
from slmtrail.stream.redact.reference import ReferenceAnalyzer

FRAGMENTS = [
    *("my phone number is ", "card ", "account ", "SSN: ", "passport# ", "us ", "iban", "born ", "birthday ", "date: "),
    *(
        "http://",
        "https://",
        "www.",
        ".com",
        ".co.uk",
        "/path?x=1",
        "@",
        "@example.com",
        "a.b-c_d",
        ".",
        "..",
        "::",
        ":",
    ),
    *(
        "192.168.",
        "10.0.0.1",
        "fe80::",
        "2001:db8::",
        "%eth0",
        "/24",
        "00:1B:44:",
        "-",
        " ",
        "  ",
        "\n",
        "\t",
        ",",
        "/",
    ),
    *(
        "(",
        ")",
        "[",
        "]",
        "+",
        "+1 ",
        "+44 ",
        "0049 ",
        "011 ",
        "ext. 12",
        " x123",
        "~",
        "#",
        ";ext=9",
        "'",
        '"',
        "<",
        "$",
    ),
    *("DE89", "GB82 WEST", "4111 1111 1111 1111", "078-05-1120", "bc1q", "1A1zP1", "AB1234563", "JAN-", "-2024"),
    *(
        "\u0131",
        "İ",
        "\u017f",
        "K",
        "é",
        "ß",
        "Σ",
        "ς",
        "中文",
        "日本",
        "السلام",
        "שלום",
        "😀",
        "👍🏽",
        "\u0301",
        "\u200b",
        "\u00a0",
        "\u2060",
    ),
    *(
        "٣",
        "۴",
        "१",
        "\uff14",
        "\uff0d",
        "\uff0b",
        "\uff08",
        "²",
        "½",
        "_",
        "e",
        "a",
        "x",
        "B",
        "Z",
        "i",
        "s",
        "k",
        "€",
        "°",
        "­",
    ),
    *(
        "the",
        "of",
        "be",
        "Be",
        "don't",
        "U.S.",
        "e.g.",
        ":)",
        "a:b",
        "10:30",
        "2024-05-06T10:11:12Z",
        "06/07/1985",
        "1.2.3",
    ),
]
HOSTILE: list[Callable[[random.Random], str]] = [
    lambda rng: (
        rng.choice([".", "-", "1", "a", "@", "::", "1.", "a.", "1-", "+", "( ", "0 ", "x", "/", "é"])
        * rng.randint(5, 120)
    ),
    lambda rng: "a@" * rng.randint(1, 30) + "b.com",
    lambda rng: ".".join("a" * rng.randint(1, 5) for _ in range(rng.randint(1, 80))) + ".com",
    lambda rng: "a" * rng.randint(240, 270) + rng.choice([".com", ".x", ".co/" + "b" * 20]),
    lambda rng: "www" + "1" * rng.randint(0, 4) + "." + "b" * rng.randint(240, 262) + ".org",
    lambda rng: " ".join(str(rng.randint(0, 10 ** rng.randint(1, 12))) for _ in range(rng.randint(2, 40))),
    lambda rng: "".join(rng.choice("0123456789-. ()/+x") for _ in range(rng.randint(5, 200))),
    lambda rng: "".join(rng.choice("0123456789abcdefABCDEF:.-%/ ") for _ in range(rng.randint(5, 120))),
    lambda rng: "".join(rng.choice("0123456789ABZ ") for _ in range(rng.randint(5, 120))),
    lambda rng: "".join(
        chr(rng.choice([rng.randrange(32, 127), rng.randrange(32, 0x250), rng.randrange(0x300, 0xD7FF)]))
        for _ in range(rng.randint(5, 150))
    ),
]
OPTIONS = {
    "all": RedactOptions(threshold=0, thresholds={}, secrets=False),
    "usual": RedactOptions(secrets=False),
    "languages": RedactOptions(languages=["en", "es", "it", "pl"], threshold=0, thresholds={}, secrets=False),
    "some": RedactOptions(
        types=["EMAIL_ADDRESS", "PHONE_NUMBER", "US_SSN"], threshold=0.3, thresholds={}, secrets=False
    ),
    "context": RedactOptions(
        context=["bank", "phone"], allow_list=["example.com", "10.0.0.1"], threshold=0, thresholds={}, secrets=False
    ),
}
QUICK = ["all", "usual"]
QUICK_S = 15.0


def generator() -> ModuleType:
    """The corpus' generator, which stands beside the tests."""
    path = Path(__file__).parent.parent / "tests/data/redaction/generate.py"
    spec = importlib.util.spec_from_file_location("redaction_corpus", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path} can't be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def text_of(corpus: ModuleType, seed: int, number: int) -> str:
    """Text `number` of a seed."""
    rng = random.Random(f"{seed}/{number}")
    kind = rng.random()
    if kind < 0.3:
        text = str(corpus.line(rng)["text"])
    elif kind < 0.7:
        text = "".join(
            rng.choice(FRAGMENTS) + rng.choice(["", "", " ", str(rng.randint(0, 99999))])
            for _ in range(rng.randint(1, 25))
        )
    else:
        text = " ".join(rng.choice(HOSTILE)(rng) for _ in range(rng.randint(1, 3)))
    if rng.random() < 0.4:
        text = mutated(rng, text)
    return text


def mutated(rng: random.Random, text: str) -> str:
    """`text` with a few characters taken out, doubled, or changed."""
    for _ in range(rng.randint(1, 6)):
        if not text:
            break
        place = rng.randrange(len(text))
        change = rng.choice(
            ["", text[place] * 2, rng.choice(FRAGMENTS), rng.choice("0123456789 .-@"), text[place].swapcase()]
        )
        text = text[:place] + change + text[place + 1 :]
    return text


def key(findings: list[Any]) -> set[tuple[str, int, int, float]]:
    """What has to be equal of findings."""
    return {(found.type, found.start, found.end, found.score) for found in findings}


def differences(name: str, seed: int, numbers: Iterator[int] | range, gate: str | None = None) -> Iterator[str]:
    """A line for each difference, and an empty one for each text that is the same."""
    corpus = generator()
    engine, reference = Engine(OPTIONS[name], gate), ReferenceAnalyzer(OPTIONS[name])
    for number in numbers:
        text = text_of(corpus, seed, number)
        try:
            wanted = key(reference.find_personal(text))
        except Exception as error:  # what vanilla can't do is not compared; ours must be able to
            engine.find(text)
            yield "" if isinstance(error, ValueError | TimeoutError) else f"{name} {seed}/{number}: vanilla {error!r}"
            continue
        got = key(engine.find(text))
        if got == wanted:
            yield ""
        else:
            yield f"{name} {seed}/{number}: missing {sorted(wanted - got)}, too many {sorted(got - wanted)} in {text!r}"


def main() -> int:
    """Runs for a while and says how many texts were compared."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--options", choices=[*OPTIONS, "each"], default="each")
    parser.add_argument("--gate", choices=["hyperscan", "re2", "none"], default=None)
    parser.add_argument("--quick", action="store_true", help="under 50 seconds")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    given = parser.parse_args()
    every = QUICK if given.quick else list(OPTIONS)
    names = every if given.options == "each" else [given.options]
    seconds = min(given.seconds, QUICK_S) if given.quick else given.seconds
    compared = different = 0
    for name in names:
        until = 0.0
        for line in differences(name, given.seed, iter(range(10**9)), given.gate):
            compared += 1
            until = until or time.monotonic() + seconds / len(names)  # from when the analysers are there
            if line:
                different += 1
                print(line)
            if time.monotonic() > until or different > 20:
                break
    print(f"{compared} texts compared, {different} differences")
    if given.json:
        print(json.dumps({"seed": given.seed, "options": names, "texts": compared, "differences": different}))
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
