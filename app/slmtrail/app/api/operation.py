"""An operation of the API: what it takes, what it does. Routes, checks and the OpenAPI document are made from these."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from starlette.datastructures import QueryParams

from slmtrail.app.readers.looking import Looking
from slmtrail.core.errors import QueryError

Given = dict[str, Any]
"""The parameters of a request, checked, by their names."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter, in the address or in its path."""

    name: str
    description: str
    type: Literal["string", "integer", "boolean"] = "string"
    default: Any = ""
    least: int = 0
    most: int = 4096
    """Of an integer, or of a text's characters."""
    values: tuple[str, ...] = ()
    many: bool = False
    required: bool = False
    in_path: bool = False

    def read(self, given: list[str]) -> Any:
        """Its value. Raises QueryError naming it."""
        if not given:
            if self.required:
                raise QueryError(f"{self.name}: is missing")
            return self.default
        if len(given) > (self.most if self.many else 1):
            raise QueryError(f"{self.name}: is given {len(given)} times")
        values = [self._one(text) for text in given]
        return values if self.many else values[0]

    def _one(self, text: str) -> Any:
        if self.type == "boolean":
            if text not in ("true", "false"):
                raise QueryError(f"{self.name}: is true or false")
            return text == "true"
        if self.type == "integer":
            number = int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else -1
            if not self.least <= number <= self.most:
                raise QueryError(f"{self.name}: is a whole number from {self.least} to {self.most}")
            return number
        if self.values and text not in self.values:
            raise QueryError(f"{self.name}: is one of {', '.join(self.values)}")
        if not self.many and not self.least <= len(text) <= self.most:
            raise QueryError(f"{self.name}: has {self.least} to {self.most} characters")
        if self.required and not text.strip():
            raise QueryError(f"{self.name}: is empty")
        return text


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `work` blocks; what it returns is the answer's JSON."""

    name: str
    path: str
    summary: str
    answer: Mapping[str, Any]
    """The schema of the answer."""
    parameters: tuple[Parameter, ...]
    work: Callable[[Looking, Given], dict[str, Any]]
    method: Literal["GET", "POST"] = "GET"
    reason: Literal["", "optional", "required"] = ""
    """Whether the body gives a reason."""


def read(parameters: tuple[Parameter, ...], query: QueryParams, path: Mapping[str, str]) -> Given:
    """The parameters of a request. Raises QueryError for what is missing, wrong or not known."""
    in_path = {parameter.name for parameter in parameters if parameter.in_path}
    known = {parameter.name for parameter in parameters} - in_path
    for name in query:
        if name not in known:
            raise QueryError(f"{name[:40]!r} is no parameter here; there are {', '.join(sorted(known)) or 'none'}")
    return {
        parameter.name: parameter.read([path[parameter.name]] if parameter.in_path else query.getlist(parameter.name))
        for parameter in parameters
    }
