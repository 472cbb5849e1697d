"""The options that stand before the command, for all commands."""

from __future__ import annotations

import sys
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

    def command(self, *arguments: str) -> list[str]:
        """The command line of another process of ours, under the same options."""
        command = [sys.executable, "-m", "slmtrail.app.cli"]
        if self.config:
            command += ["--config", str(self.config)]
        if self.data:
            command += ["--data", str(self.data)]
        if self.log_json:
            command.append("--log-json")
        return [*command, *arguments]


given = Given()
