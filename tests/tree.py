"""Where the product's own files are."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("core", "bus", "collectors", "stream", "indexer", "app")


def modules(package: str) -> list[Path]:
    """The Python files of one of our packages."""
    return sorted((ROOT / package / "slmtrail" / package).rglob("*.py"))
