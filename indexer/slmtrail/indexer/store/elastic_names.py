"""Which data stream and which `_id` a record gets."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from slmtrail.core.ports import Sealed

DATASET = "slm"
"""Keeps the data streams of one trail apart from others in the cluster."""

CLASS = "standard"
"""The retention class of all records, until policy knows others."""

NO_ENVIRONMENT = "none"
OTHER_ENVIRONMENTS = "other"
MAX_STREAMS = 50
"""Callers name their environments, and a data stream costs the cluster: those beyond share one."""

_MAX_CHARS = 60
_NOT_ALLOWED = re.compile(r"[^a-z0-9_.]")


def namespace(environment: str | None) -> str:
    """The last part of a data stream's name for an environment: in small letters, `_` for what is not of
    a-z 0-9 _ . and never one of these two first. Several environments may share one; the field tells them apart."""
    if not environment:
        return NO_ENVIRONMENT
    return _NOT_ALLOWED.sub("_", environment.lower()).lstrip("_.")[:_MAX_CHARS] or OTHER_ENVIRONMENTS


def stored_id(sealed: Sealed, *, doubled: bool = False) -> str:
    """The `_id` of a record: its event.id. One whose id already stands at another leaf is `doubled`."""
    return f"{sealed.id}@{sealed.ledger}/{sealed.leaf}" if doubled else sealed.id


@dataclass(slots=True)
class Streams:
    """The data streams of one trail, `logs-<dataset>.<class>-<namespace>`, as far as they are known to be there."""

    dataset: str
    known: set[str] = field(default_factory=set)

    @property
    def pattern(self) -> str:
        """Matches them all."""
        return f"logs-{self.dataset}.*-*"

    def of(self, environment: str | None) -> str:
        """The data stream for records of this environment."""
        wanted, other = self._named(namespace(environment)), self._named(OTHER_ENVIRONMENTS)
        if wanted not in self.known and len(self.known) >= MAX_STREAMS:
            return other
        self.known.add(wanted)
        return wanted

    def fits(self, index: str, environment: str | None) -> bool:
        """Whether a record of this environment belongs into this backing index."""
        stream = re.fullmatch(r"\.ds-(.+)-\d{4}\.\d{2}\.\d{2}-\d{6,}", index)
        allowed = (self._named(namespace(environment)), self._named(OTHER_ENVIRONMENTS))
        return (stream[1] if stream else index) in allowed

    def _named(self, last: str) -> str:
        return f"logs-{self.dataset}.{CLASS}-{last}"
