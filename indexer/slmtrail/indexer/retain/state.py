"""How far retention came: what was done is not looked for again. Without the file all is looked at anew, to no harm."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path

import orjson

from slmtrail.core import durable


@dataclass(slots=True)
class State:
    """What is known to be done.

    applied: by ledger, the leaf of the last certificate that was carried out. settled: what was looked at when nothing
    more was due. withheld: by action and ledger, rows of leaves that are certified and that a hold kept back.
    """

    applied: dict[str, int] = field(default_factory=dict)
    withheld: dict[str, dict[str, list[list[int]]]] = field(default_factory=dict)
    settled: str = ""

    @classmethod
    def load(cls, path: Path) -> State:
        """The state in a file; a new one where there is none that can be read."""
        try:
            return cls(**orjson.loads(path.read_bytes()))
        except (OSError, ValueError, TypeError):
            return cls()

    def save(self, path: Path) -> None:
        """Keeps it; on disk when this returns."""
        durable.make_folder(path.parent)
        durable.write_file(path, orjson.dumps(asdict(self)))
