"""Looks at what slmtrail brings along: licences of the packages that are installed, and what is known against those
that are locked.

    make audit                                # exit code 0: all is well, 1: not, 75: the advisories can't be reached
    python deploy/audit.py --licences         # without the network
    python deploy/audit.py --write            # docs/licences.md anew
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import urllib.request
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/licences.md"
ADVISORIES = "https://api.osv.dev/v1/querybatch"
ANSWER_S = 30

ALLOWED = {
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "CNRI-Python",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",  # asks for changes of its own files alone, and we change none
    "PSF-2.0",
    "Repoze Public License",  # BSD's terms, and a notice in changed files
    "Unlicense",
    "Zlib",
}
"""What may be passed on under Apache-2.0. Copyleft that reaches what it is combined with is not among them."""

SPELT = {
    "apache": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "3-clause bsd license": "BSD-3-Clause",
    "bsd license": "BSD-3-Clause",
    "isc license (iscl)": "ISC",
    "mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "python software foundation license": "PSF-2.0",
}
"""Names from before SPDX."""


def licence(about: metadata.PackageMetadata) -> str:
    """What a package says of itself; empty where it says nothing that is a name."""
    if said := about.get("License-Expression"):
        return str(said)
    classes = [
        each.rpartition(" :: ")[2] for each in about.get_all("Classifier") or () if each.startswith("License ::")
    ]
    names = classes or [str(about.get("License") or "").partition("\n")[0].strip()]
    return " AND ".join(SPELT.get(name.lower(), name) for name in names)


def allowed(said: str) -> bool:
    """Whether each licence that is named is allowed, or one of those to choose from."""
    names = re.split(r"\s+(?:AND|OR)\s+", said.replace("(", " ").replace(")", " ").strip())
    choice = any if " OR " in said and " AND " not in said else all
    return choice(name.strip() in ALLOWED for name in names)


def brought(package: str = "slmtrail", extras: Iterable[str] = ("", "stream", "indexer", "all")) -> dict[str, str]:
    """Each package that comes with it, and the first extra that brings it."""
    found: dict[str, str] = {}
    for extra in extras:
        waiting = [(package, frozenset({extra}))]
        seen = set(waiting)
        while waiting:
            name, wanted = waiting.pop()
            for need in _needs(name, wanted):
                key = (canonicalize_name(need.name), frozenset({"", *need.extras}))
                if key not in seen:
                    seen.add(key)
                    waiting.append(key)
                    if key[0] != package:
                        found.setdefault(key[0], extra)
    return found


def _needs(name: str, extras: frozenset[str]) -> Iterator[Requirement]:
    try:
        listed = metadata.requires(name) or ()
    except metadata.PackageNotFoundError:
        return  # of another platform
    for need in map(Requirement, listed):
        if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in extras):
            yield need


def licences() -> dict[str, tuple[str, str]]:
    """Licence and extra of each package that is installed here."""
    found = {}
    for name, extra in sorted(brought().items()):
        try:
            found[name] = (licence(metadata.metadata(name)), extra)
        except metadata.PackageNotFoundError:
            continue
    return found


def page(found: dict[str, tuple[str, str]]) -> str:
    """docs/licences.md."""
    rows = [
        f"| {name} | {said or 'says nothing'} | {extra or 'every install'} |" for name, (said, extra) in found.items()
    ]
    head = (
        "Made by `python deploy/audit.py --write` from what the packages say of themselves. `make audit` fails on one\n"
        f"that is not among {', '.join(sorted(ALLOWED))}.\n"
        "What tests and development need is not passed on, and not listed."
    )
    return f"# Licences\n\n{head}\n\n| package | licence | comes with |\n|---|---|---|\n" + "\n".join(rows) + "\n"


def locked(file: Path = ROOT / "requirements.lock") -> dict[str, str]:
    """The packages and versions of the lock."""
    return dict(re.findall(r"^([a-z0-9][\w.-]*)==([^\s;]+)", file.read_text(), re.MULTILINE))


def advisories(packages: dict[str, str], url: str) -> dict[str, list[str]]:
    """What is known against these versions, by package. Raises OSError where nobody answers."""
    asked = [{"package": {"name": n, "ecosystem": "PyPI"}, "version": v} for n, v in packages.items()]
    request = urllib.request.Request(  # noqa: S310
        url, json.dumps({"queries": asked}).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=ANSWER_S) as answer:  # noqa: S310
        results = json.load(answer)["results"]
    return {
        name: [known["id"] for known in each["vulns"]]
        for name, each in zip(packages, results, strict=True)
        if each.get("vulns")
    }


def main() -> int:
    """Says what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--licences", action="store_true", help="look at the licences alone")
    parser.add_argument("--write", action="store_true", help="write docs/licences.md")
    parser.add_argument("--advisories", default=ADVISORIES, help="where to ask (the API of OSV)")
    given = parser.parse_args()
    found = licences()
    if given.write:
        PAGE.write_text(page(found))
        return 0
    wrong = [f"{name}: its licence is {said or 'not said'}" for name, (said, _) in found.items() if not allowed(said)]
    listed = PAGE.read_text() if PAGE.exists() else ""
    wrong += [f"{name}: run python deploy/audit.py --write" for name in found if f"| {name} |" not in listed]
    reached = True
    if not given.licences:
        packages = locked()
        try:
            known = advisories(packages, given.advisories)
        except OSError as error:
            reached = False
            _say(f"advisories: {given.advisories} can't be reached ({error}): not looked at")
        else:
            wrong += [f"{name} {packages[name]}: {', '.join(ids)}" for name, ids in known.items()]
    for line in wrong:
        _say(line)
    _say(
        f"{len(found)} licences, {'and the advisories, ' if reached and not given.licences else ''}{len(wrong)} faults"
    )
    return 1 if wrong else 0 if reached else os.EX_TEMPFAIL


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    raise SystemExit(main())
