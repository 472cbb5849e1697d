"""What a rule is: a folder with `rule.yaml` (see manifest.py) and, where conditions do not suffice, `rule.py`.

`rule.py` holds `judge(record, about)`: why the rule fires on this record (a sentence or a Hit), or None. It sees the
record after redaction and must be a function of what it is given alone. A rule that comes with slmtrail may also hold
`fold(state, at_ms, value, parameters)`, a window of its own.
"""

from __future__ import annotations

import hashlib
import importlib
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from itertools import product
from typing import Any

import yaml

from slmtrail.core import canonical
from slmtrail.core.spans import span_ms
from slmtrail.stream.judge.folds import FOLDS, Fold
from slmtrail.stream.judge.hit import About, Answer, Hit, hit
from slmtrail.stream.judge.manifest import Manifest
from slmtrail.stream.judge.match import Condition, condition, needed

PACKAGE = "slmtrail.stream.judge.rules"
_PLACEHOLDER = re.compile(r"\{(@?[a-z_.]+)\}")

Judges = Callable[[dict[str, Any], About], Answer]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule ready to run."""

    manifest: Manifest
    digest: str
    matches: Condition | None
    excepted: Condition | None
    code: Judges | None = None
    fold: Fold | None = None
    quiet_ms: int = 3_600_000
    id: str = field(init=False)
    """The name by which policy and alerts speak of it."""
    needs: tuple[frozenset[str], ...] = field(init=False)
    """Sets of fields: of a record that holds none of them whole, the rule has nothing to say."""

    def __post_init__(self) -> None:
        manifest = self.manifest
        object.__setattr__(self, "id", manifest.id)
        window = [frozenset([manifest.window.value])] if manifest.window and manifest.window.value else []
        each = (needed(manifest.match), [frozenset([name]) for name in manifest.needs], [] if self.code else window)
        combined = [frozenset().union(*sets) for sets in product(*filter(None, each))]
        object.__setattr__(self, "needs", tuple(combined))

    def concerns(self, names: Collection[str]) -> bool:
        """Whether it may have something to say of a record with fields of these names."""
        return any(need.issubset(names) for need in self.needs)

    @property
    def asks(self) -> Judges:
        """What `look` does, without its detours."""
        return self.look if self.matches or self.excepted or self.code is None else self.code

    def look(self, record: dict[str, Any], about: About) -> Hit | None:
        """Whether it fires on `record`, or, where it has a window, what that is to see."""
        if self.matches and not self.matches(record, about.parameters):
            return None
        if self.excepted and self.excepted(record, about.parameters):
            return None
        if self.code:
            return hit(self.code(record, about))
        window = self.manifest.window
        value = record.get(window.value) if window and window.value else None
        if window and window.value and value is None:
            return None
        return Hit(filled(self.manifest.why or self.manifest.name, record), value=value)


def filled(text: str, values: Mapping[str, Any]) -> str:
    """`text` with `{name}` replaced where `values` has it; a field that is not there is unknown."""
    return _PLACEHOLDER.sub(
        lambda found: str(values.get(found[1], "unknown" if "." in found[1] else found[0]))[:200], text
    )


def made(text: str, code: str, judges: Judges | None, fold: Fold | None, given: Any) -> Rule:
    """A rule from its parts. Raises ValueError for what can't be one."""
    manifest = Manifest.model_validate(given)
    window = manifest.window
    if window and window.kind != "own":
        fold = FOLDS[window.kind]
    if window and fold is None:
        raise ValueError("window: of kind 'own' needs a function `fold` in rule.py")
    if judges is None and manifest.match is None and not (window and window.value):
        raise ValueError("match: is missing, and there is no rule.py in its place")
    return Rule(
        manifest,
        hashlib.sha256(canonical.dumps([text, code])).hexdigest(),
        condition(manifest.match) if manifest.match else None,
        condition(manifest.unless) if manifest.unless else None,
        judges,
        fold if window else None,
        span_ms(manifest.quiet),
    )


@cache
def built_in() -> tuple[Rule, ...]:
    """The rules that come with slmtrail, by id."""
    rules = []
    for folder in resources.files(PACKAGE).iterdir():
        if not (folder.is_dir() and (folder / "rule.yaml").is_file()):
            continue
        text = (folder / "rule.yaml").read_text(encoding="utf-8")
        code, module = "", None
        if (folder / "rule.py").is_file():
            # What it is made of beside rule.py decides as well.
            pieces = sorted(piece.name for piece in folder.iterdir() if piece.name.endswith(".py"))
            code = "".join((folder / name).read_text(encoding="utf-8") for name in pieces)
            module = importlib.import_module(f"{PACKAGE}.{folder.name}.rule")
        judges, fold = getattr(module, "judge", None), getattr(module, "fold", None)
        rules.append(made(text, code, judges, fold, yaml.safe_load(text)))
    return tuple(sorted(rules, key=lambda rule: rule.id))
