"""Readers: who looks at the trail, which records they may see, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

ReaderRole = Literal["reader", "investigator", "admin"]
Right = Literal["search", "content", "export", "verify", "triage", "readers"]

RIGHTS: dict[str, frozenset[Right]] = {
    "reader": frozenset({"search"}),
    "investigator": frozenset({"search", "content", "export", "verify", "triage"}),
    "admin": frozenset(get_args(Right)),
}
"""What each role may do. `content`: search and see what was said; `triage`: acknowledge and close alerts."""

ANY = ("*",)


@dataclass(frozen=True, slots=True)
class Scope:
    """Which records may be seen: those that fit all three.

    Each is a list of names, where `*` stands for anything and `?` for one character; an empty one lets nothing through.

    content: whether texts may be searched and seen, or only what surrounds them.
    """

    environments: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    content: bool = False

    @property
    def whole(self) -> bool:
        """Whether this is every record."""
        return all("*" in names for names in (self.environments, self.kinds, self.teams))


EVERYTHING = Scope(ANY, ANY, ANY, content=True)
NOTHING = Scope()


@dataclass(frozen=True, slots=True)
class Reader:
    """Someone who looks at the trail, as far as it was checked.

    method: what they showed: `none` is the one person at this machine, where nobody has to show anything.
    """

    name: str
    role: str = ""
    scope: Scope = NOTHING
    method: Literal["none", "token", "api_key"] = "none"

    def may(self, right: Right) -> bool:
        """Whether the role allows it; a role that is none allows nothing."""
        return right in RIGHTS.get(self.role, frozenset())


LOCAL = Reader("local", "admin", EVERYTHING)
"""Whoever is at this machine, while no reader is known."""
