"""What a verifier remembers: how far each ledger was found whole, and the signed head it had then.

It serves two ends: `--since-last` checks only what is new, and a verification that was broken off goes on where it
was. It is the verifier's own, to be kept where those who could change the trail can't write; whatever the trail
says now must continue it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson

from slmtrail.core import durable
from slmtrail.core.errors import LedgerError

VERSION = 2
"""Of what spans leaves; what another version kept is not understood."""


@dataclass(slots=True)
class Known:
    """One ledger: its signed head, the leaves found whole, the root over them, and the state of what spans leaves."""

    checkpoint: str
    leaves: int = 0
    root: str = ""
    coverage: dict[str, Any] = field(default_factory=dict)
    erasures: dict[str, Any] = field(default_factory=dict)


class Memory:
    """The ledgers found whole, in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.ledgers: dict[str, Known] = {}
        try:
            given = orjson.loads(path.read_bytes())
            if given["version"] != VERSION:
                raise ValueError("another version")
            self.ledgers = {name: Known(**known) for name, known in given["ledgers"].items()}
        except FileNotFoundError:
            pass
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise LedgerError(
                f"{path}: can't be read as what was verified before ({type(error).__name__}); move it away, and all "
                "is verified anew"
            ) from None

    def keep(self, ledger: str, known: Known) -> None:
        """Notes how far a ledger was found whole; on disk when this returns."""
        self.ledgers[ledger] = known
        durable.make_folder(self._path.parent, 0o700)
        content = {"version": VERSION, "ledgers": {name: asdict(known) for name, known in self.ledgers.items()}}
        durable.write_file(self._path, orjson.dumps(content), 0o600)
