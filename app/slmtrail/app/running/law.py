"""The files that say what is judged and how: the policy, and a site's own rules."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from slmtrail.core import durable, policy
from slmtrail.core.errors import SettingsError, StorageError
from slmtrail.core.policy import Policy
from slmtrail.core.settings import Settings

log = logging.getLogger(__name__)

MAX_FILES = 5000

Stamp = tuple[tuple[str, int, int], ...]
"""Of each file its path, when it was written and its size: another stamp, another law."""


def stamp(settings: Settings) -> Stamp:
    """The files as they are now; those that can't be looked at are left out."""
    given = [settings.policy, *_rules(settings.stream.rules)]
    return tuple(filter(None, (_one(file) for file in given if file is not None)))


def since_ms(settings: Settings) -> int:
    """When the newest of them was written; 0 where there are none."""
    return max((written_ns for _, written_ns, _ in stamp(settings)), default=0) // 1_000_000


def keep_copy(settings: Settings, in_force: Policy, copy: Path) -> None:
    """Keeps a copy of the policy file, with its time, unless it is another one by now than the one in force."""
    if settings.policy is None:
        return
    try:
        written, text = settings.policy.stat(), settings.policy.read_text(encoding="utf-8")
        if policy.parse(text, str(settings.policy)).digest == in_force.digest:
            durable.make_folder(copy.parent)
            durable.write_file(copy, text.encode())
            os.utime(copy, ns=(written.st_atime_ns, written.st_mtime_ns))
    except (OSError, UnicodeDecodeError, SettingsError, StorageError) as error:
        log.warning("no copy of the policy is kept, to start under where it can't be used: %s", error)


def _rules(folder: Path | None) -> list[Path]:
    if folder is None:
        return []
    try:
        return sorted(file for file in folder.rglob("*") if file.suffix in (".yaml", ".py"))[:MAX_FILES]
    except OSError:
        return []


def _one(file: Path) -> tuple[str, int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return str(file), status.st_mtime_ns, status.st_size
