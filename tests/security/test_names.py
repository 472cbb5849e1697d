"""Names that become parts of files' names lead nowhere else; those in frames are tried in core/test_frames.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError

from slmtrail.core import trust
from slmtrail.core.errors import KeyFileError, SettingsError
from slmtrail.core.settings import CollectorSettings, Settings
from slmtrail.core.tokens import TokenFile

OUTSIDE = (
    "../x",
    "a/b",
    "/etc/passwd",
    "a\\b",
    "..",
    ".",
    "",
    "a\n",
    "a\x00b",
    "%2e%2e",
    "c:x",
    "a" * 64,
    "A",
    "\u202ea",
)


@pytest.mark.parametrize("name", OUTSIDE, ids=range(len(OUTSIDE)))
def test_a_name_that_could_lead_outside_is_none(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValidationError):
        CollectorSettings(name=name)
    with pytest.raises(ValidationError):
        Settings(environment=name)
    with pytest.raises(KeyFileError):
        trust.admit(tmp_path / "trust.json", name, "dev", Ed25519PrivateKey.generate().public_key())
    with pytest.raises(SettingsError):
        TokenFile(tmp_path / "senders.json", "senders", "slmt_", "list").new(name)
