"""Grants: what the policy lets a reader of the trail see and do."""

from __future__ import annotations

from pydantic import Field

from slmtrail.core.readers import RIGHTS, ReaderRole, Scope
from slmtrail.core.roles import Globs, Part, Who


class ReaderGrant(Part):
    """One grant. Who has none sees nothing."""

    who: Who = Field(Who(), description="Whom it is given to, of those whose bearer token was checked.")
    role: ReaderRole = Field("reader", description="What they may do: reader, investigator or admin.")
    environments: Globs = Field(description="Deployment environments whose records they see; `*` is all.")
    kinds: Globs = Field(("*",), description="Kinds of records that they see.")
    teams: Globs = Field(("*",), description="Teams that they see records of: `service.namespace` or a user's group.")

    @property
    def scope(self) -> Scope:
        """Which records may be seen."""
        return Scope(self.environments, self.kinds, self.teams, content="content" in RIGHTS[self.role])
