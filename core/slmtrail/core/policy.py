"""The policy: one file that says who may do what, what is kept and what is judged. Without one, the defaults hold.

Its digest stands in every record, so that each judgement can be traced to the rules it was made under.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from slmtrail.core import canonical, yaml_text
from slmtrail.core.capturing import Capture
from slmtrail.core.granting import ReaderGrant
from slmtrail.core.guards import Guard
from slmtrail.core.judging import RulePolicy, Suppression, Windows
from slmtrail.core.retaining import Retention
from slmtrail.core.roles import ANYONE, Part, Role, RoleName
from slmtrail.core.routing import Hook, Route
from slmtrail.core.settings import read_text

_UNNAMED = Role()
"""Of anyone, where the policy does not name that role; made once, as it is asked for with each request."""


class Policy(Part):
    """The whole file. Of roles the first that fits counts."""

    version: Annotated[str, Field(max_length=64)] = Field(
        "", description="What people call this version; records name it by its digest."
    )
    roles: dict[RoleName, Role] = Field({}, description="Who may do what; the role `anyone` is of all others.")
    readers: dict[RoleName, ReaderGrant] = Field(
        {}, description="Who may look at the trail; of several grants the first that fits counts."
    )
    guard: Guard = Field(Guard(), description="What a sidecar looks at before the model does.")
    capture: Capture = Field(Capture(), description="How much of events is kept.")
    rules: dict[RoleName, RulePolicy] = Field({}, description="What differs about rules, by their id.")
    windows: Windows = Field(Windows(), description="How much judgement remembers.")
    suppress: dict[RoleName, Suppression] = Field({}, description="Alerts that wake nobody, by a name of your own.")
    routes: dict[RoleName, Route] = Field({}, description="Where alerts go beside the bus, by a name of your own.")
    hooks: dict[RoleName, Hook] = Field({}, description="What alerts set off, by a name of your own.")

    retention: Retention = Field(Retention(), description="How long records are kept.")

    @model_validator(mode="after")
    def _lets_someone_in(self) -> Policy:
        everyone = [*self.roles.values(), *(() if ANYONE in self.roles else (Role(),))]
        if not any(role.allow.models and role.allow.operations for role in everyone):
            raise ValueError("roles: no role may use any model: this would lock everyone out")
        return self

    @property
    def digest(self) -> str:
        """SHA-256 of the policy's canonical form."""
        return hashlib.sha256(canonical.dumps(self.model_dump(mode="json"))).hexdigest()

    def role(self, user: str, groups: Sequence[str], key_hash: str, certificate: str) -> tuple[str, Role]:
        """The role of someone of whom this is verified; empty is what is not."""
        for name, role in self.roles.items():
            if role.who.fits(user, groups, key_hash, certificate):
                return name, role
        return ANYONE, self.roles.get(ANYONE, _UNNAMED)

    def reader(self, user: str, groups: Sequence[str]) -> ReaderGrant | None:
        """What a reader of whom this is verified may see and do; None where that is nothing."""
        return next((grant for grant in self.readers.values() if grant.who.fits(user, groups, "", "")), None)


def load(path: Path | None) -> Policy:
    """The policy in `path`. Raises SettingsError naming file, line and column."""
    if path is None:
        return Policy()
    return parse(read_text(path), str(path))


def parse(text: str, path: str) -> Policy:
    """The policy that `text` is; `path` is where it came from, for errors."""
    return yaml_text.read(Policy, text, path)
