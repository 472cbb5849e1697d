"""What people write in YAML, as a model; what is wrong with it is told by line and column."""

from __future__ import annotations

import difflib
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from slmtrail.core.errors import SettingsError

_Model = TypeVar("_Model", bound=BaseModel)


def read(model: type[_Model], text: str, path: str) -> _Model:
    """The model that `text` is; `path` is where it came from, for errors. Raises SettingsError."""
    try:
        tree = yaml.compose(text, Loader=_Loader)
        given = yaml.load(text, Loader=_Loader)  # noqa: S506
        return model.model_validate({} if given is None else given)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else path
        raise SettingsError(f"{where}: not YAML: {error.problem}") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, int(error.position)) + 1
        raise SettingsError(f"{path}:{line}: not YAML: {error.reason}") from None
    except ValidationError as error:
        faults = [
            ": ".join((f"{path}:{_mark(tree, fault['loc'])}", *_name(fault["loc"]), _sentence(model, fault)))
            for fault in error.errors(include_url=False, include_input=False)
        ]
        raise SettingsError("\n".join(faults)) from None
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{path}: not YAML ({type(error).__name__})") from None


def _name(location: tuple[int | str, ...]) -> list[str]:
    return [".".join(map(str, location))] if location else []


def _sentence(model: type[BaseModel], fault: ErrorDetails) -> str:
    if fault["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(fault["loc"][-1]), _keys_at(model, fault["loc"][:-1]), n=1)
        return f"no such key{f'; did you mean {near[0]}?' if near else ''}"
    if fault["type"] == "tuple_type":
        return "should be a list, in brackets or one item a line"
    if fault["type"] == "missing":
        return "is missing"
    text = fault["msg"].removeprefix("Value error, ")
    return text[:1].lower() + text[1:]


def _keys_at(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """The keys that the part of the file at `location` may have."""
    part: Any = model
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
