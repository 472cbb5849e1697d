"""The docs say what is: links lead somewhere, the reference is made from this code, examples parse."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from slmtrail.core import policy

ROOT = Path(__file__).parents[2]
FIRST = ("README.md", "SECURITY.md", "CONTRIBUTING.md")
PAGES = sorted([*(ROOT / name for name in FIRST), *(ROOT / "docs").rglob("*.md")])


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if target.startswith(("http://", "https://")):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file), target


def test_the_reference_is_current() -> None:
    done = subprocess.run([sys.executable, ROOT / "docs" / "reference.py", "--check"], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def test_every_setting_topic_and_command_in_the_docs_exists() -> None:
    reference = (ROOT / "docs" / "reference.md").read_text()
    of_tests = "".join(file.read_text() for file in (ROOT / "tests").rglob("*.py"))
    for page in PAGES:
        text = page.read_text()
        for name in re.findall(r"\bSLMTRAIL_[A-Z_]+[A-Z]", text):
            assert name in reference or f'"{name}"' in of_tests, f"{page.name}: {name}"
        for topic in re.findall(
            r"`(slm\.(?:frames|records|alerts|deadletters|checkpoints|state|signals|control))`", text
        ):
            assert f"| `{topic}` |" in reference, f"{page.name}: {topic}"
        for command in re.findall(r"`slmtrail ([a-z]+)(?=[` ])(?! v1)", text):
            assert f"`slmtrail {command}" in reference, f"{page.name}: slmtrail {command}"


def test_every_policy_in_the_docs_is_one() -> None:
    blocks = [
        block for page in PAGES for block in re.findall(r"```yaml\n(version:.*?)```", page.read_text(), re.DOTALL)
    ]
    assert blocks
    for block in blocks:
        assert policy.parse(block, "the docs").version
