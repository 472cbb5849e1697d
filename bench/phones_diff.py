"""Compares our phone numbers with those of phonenumbers: `python bench/phones_diff.py --seconds 600 --seed 7`.

The texts hold numbers of all its regions, in all its spellings and in broken ones, with what separates, extends and
surrounds numbers, in several scripts' digits; each text is looked at for a few regions. Ends with 1 if there was a
difference. `--quick` takes 15 seconds; `--json` prints one object as the last line.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time

import phonenumbers

from slmtrail.stream.redact.phones import PhoneFinder

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
TYPES = range(11)
USUAL = ["US", "GB", "DE", "FR", "IL", "IN", "CA", "BR"]
WITHIN = [
    *("", " ", "-", ".", "/", " - ", "~", "(", ")", " (", ") ", "x", " x", "ext ", ";ext=", "#", ", ", "  "),
    "--",
]
WITHIN += ["\u00a0", "\uff0d", "\u2060", "+", " + "]
BEFORE = ["", "", "0", "1", "00", "011", "8", "90", "0011", "(0)", "(1)"]
AFTER = [
    " ",
    ", ",
    "\n",
    " call ",
    "ext ",
    " int ",
    " anexo ",
    "~",
    "#",
    ";",
    " / ",
    " x ",
    "",
    "a",
    "%",
    "$",
    "\u00e9",
    "\u20ac",
]
ZEROS = (0x30, 0x660, 0xFF10, 0x966)
TEXTS = 150
"""Looked at for the same regions."""


def examples() -> list[phonenumbers.PhoneNumber]:
    """A number of each type of each region that has one."""
    made = [phonenumbers.example_number_for_type(region, type_) for region in REGIONS for type_ in TYPES]
    return [number for number in made if number]


def number(rng: random.Random, known: list[phonenumbers.PhoneNumber]) -> str:
    """A number as somebody may write it, or nearly so."""
    one = rng.choice(known)
    text = phonenumbers.format_number(one, rng.randrange(4))
    if rng.random() < 0.75:
        code = str(one.country_code)
        lead = rng.choice([*BEFORE, f"+{code}", f"+{code} ", code, f"00{code}", f"0011{code}"])
        text = lead + phonenumbers.national_significant_number(one)
        for _ in range(rng.randint(1, 4) if rng.random() < 0.6 else 0):
            place = rng.randrange(len(text) + 1)
            text = text[:place] + rng.choice(WITHIN) + text[place:]
    if rng.random() < 0.3:
        place = rng.randrange(len(text))
        text = text[:place] + rng.choice("0123456789 -.x~") + text[place + rng.randrange(2) :]
    if rng.random() < 0.1:
        text = "".join(
            chr(rng.choice(ZEROS) + int(char)) if "0" <= char <= "9" and rng.random() < 0.5 else char for char in text
        )
    return text


def main() -> int:
    """Compares until the time is up."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--quick", action="store_true")
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    rng, known = random.Random(given.seed), examples()
    end = time.monotonic() + (15 if given.quick else given.seconds)
    texts = numbers = different = 0
    while time.monotonic() < end:
        regions = rng.sample(REGIONS, 6) if rng.random() < 0.8 else USUAL
        finder = PhoneFinder(regions)
        for _ in range(TEXTS):
            text = "".join(number(rng, known) + rng.choice(AFTER) for _ in range(rng.randint(1, 4)))
            wanted = {
                (found.start, found.end)
                for region in regions
                for found in phonenumbers.PhoneNumberMatcher(text, region, leniency=1)
            }
            found_here = finder.spans(text)
            texts, numbers = texts + 1, numbers + len(wanted)
            if found_here != wanted:
                different += 1
                print(f"{regions} {text!r}: missing {wanted - found_here}, found besides {found_here - wanted}")
    print(f"{texts} texts, {numbers} numbers, {different} differences")
    if given.json:
        print(json.dumps({"texts": texts, "numbers": numbers, "differences": different}))
    return int(different > 0)


if __name__ == "__main__":
    sys.exit(main())
