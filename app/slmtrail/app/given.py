"""The options that stand before the command, for all commands."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from slmtrail.core import settings as settings_file
from slmtrail.core.settings import Settings


@dataclass(slots=True)
class Given:
    """What was given on the command line before the command."""

    config: Path | None = None
    data: Path | None = None
    log_json: bool = False

    def settings(self) -> Settings:
        """The settings in force."""
        loaded = settings_file.load(self.config)
        return loaded.model_copy(update={"data": self.data}) if self.data else loaded


given = Given()
