"""Commands whose modules are imported when they are asked for: to import all of them takes most of a second."""

from __future__ import annotations

from importlib import import_module
from typing import Any, ClassVar

import typer
from typer.core import TyperGroup
from typer.main import get_group


class LazyGroup(TyperGroup):
    """A group that knows where other commands of its are: `module:attribute`, by name."""

    elsewhere: ClassVar[dict[str, str]] = {}

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A command by its name. What has no such name makes all known, so that the error can name those like it."""
        known = cmd_name in self.commands or cmd_name in self.elsewhere
        for name in (cmd_name,) if known else self.elsewhere:
            if name not in self.commands:
                self.add_command(_imported(name, self.elsewhere[name]), name)
        return super().get_command(ctx, cmd_name)

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of all."""
        return sorted({*super().list_commands(ctx), *self.elsewhere})


def _imported(name: str, place: str) -> Any:
    module, _, attribute = place.partition(":")
    found, parent = getattr(import_module(module), attribute), typer.Typer()
    if isinstance(found, typer.Typer):
        parent.add_typer(found, name=name)
    else:
        parent.command(name)(found)
    return get_group(parent).commands[name]
