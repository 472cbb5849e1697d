"""The policy: one file that says who may do what, what is kept and what is judged. Without one, the defaults hold.

Its digest stands in every record, so that each judgement can be traced to the rules it was made under.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Sequence
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import yaml
from pydantic import Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from slmtrail.core import canonical
from slmtrail.core.capturing import Capture
from slmtrail.core.errors import SettingsError
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
    try:
        tree = yaml.compose(text, Loader=_Loader)
        given = yaml.load(text, Loader=_Loader)  # noqa: S506
        return Policy.model_validate({} if given is None else given)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else path
        raise SettingsError(f"{where}: not YAML: {error.problem}") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, int(error.position)) + 1
        raise SettingsError(f"{path}:{line}: not YAML: {error.reason}") from None
    except ValidationError as error:
        faults = [
            ": ".join((f"{path}:{_mark(tree, fault['loc'])}", *_name(fault["loc"]), _sentence(fault)))
            for fault in error.errors(include_url=False, include_input=False)
        ]
        raise SettingsError("\n".join(faults)) from None
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{path}: not YAML ({type(error).__name__})") from None


def _name(location: tuple[int | str, ...]) -> list[str]:
    return [".".join(map(str, location))] if location else []


def _sentence(fault: ErrorDetails) -> str:
    if fault["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(fault["loc"][-1]), _keys_at(fault["loc"][:-1]), n=1)
        return f"no such key{f'; did you mean {near[0]}?' if near else ''}"
    if fault["type"] == "tuple_type":
        return "should be a list, in brackets or one item a line"
    text = fault["msg"].removeprefix("Value error, ")
    return text[:1].lower() + text[1:]


def _keys_at(location: tuple[int | str, ...]) -> list[str]:
    """The keys that the part of the file at `location` may have."""
    part: Any = Policy
    for step in location:
        fields = getattr(part, "model_fields", {})
        part = fields[str(step)].annotation if step in fields else [it for it in get_args(part) if it is not ...][-1]
        while get_origin(part) in (Annotated, Union, UnionType):
            part = get_args(part)[0]
    return list(part.model_fields)


class _Loader(yaml.SafeLoader):
    """YAML without what makes a small file large (aliases) or lets one line hide another (keys given twice)."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event: Any = self.get_event()  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem="aliases are not taken", problem_mark=event.start_mark)
        node = super().compose_node(parent, index)
        if isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for key in [pair[0] for pair in node.value if isinstance(pair[0], yaml.ScalarNode)]:
                if key.value in seen:
                    raise yaml.MarkedYAMLError(problem="a key is given twice", problem_mark=key.start_mark)
                seen.add(key.value)
        return node


def _mark(node: Any, location: tuple[int | str, ...]) -> str:
    """Line and column of the deepest node on the way to `location`."""
    mark = node.start_mark if node is not None else None
    for part in location:
        if isinstance(node, yaml.MappingNode):
            pairs = [pair for pair in node.value if pair[0].value == str(part)]
            if not pairs:
                break
            mark, node = pairs[0][0].start_mark, pairs[0][1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            mark = node.start_mark
    return f"{mark.line + 1}:{mark.column + 1}" if mark else "1:1"
