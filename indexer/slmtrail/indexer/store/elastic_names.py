"""Which data stream and which `_id` a record gets, and where it stands once its backing index was rewritten."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from slmtrail.core import certificate, retaining
from slmtrail.core.ports import Sealed
from slmtrail.indexer.store.columns import ENVIRONMENT

DATASET = "slm"
"""Keeps the data streams of one trail apart from others in the cluster."""

CERTIFICATES = "certificates"
"""In the place of a retention class: certificates are kept as long as the ledger that they explain."""

NO_ENVIRONMENT = "none"
OTHER_ENVIRONMENTS = "other"
MAX_STREAMS = 50
"""Callers name their environments, and a data stream costs the cluster: those beyond share one a class."""

_MAX_CHARS = 60
_NOT_ALLOWED = re.compile(r"[^a-z0-9_.]")
_CLASS = re.compile(r"[a-z][a-z0-9_]{0,30}")
_BACKING = re.compile(r"(?:\.ds-|past-)(?P<stream>.+)-\d{4}\.\d{2}\.\d{2}-\d{6,}(?:-r(?P<round>\d+))?")


def retention_class(record: Mapping[str, Any]) -> str:
    """The class in the name of a record's data stream."""
    given = record.get(retaining.FIELD)
    if certificate.FIELD in record:
        return CERTIFICATES
    return given if isinstance(given, str) and _CLASS.fullmatch(given) else retaining.STANDARD


def namespace(environment: str | None) -> str:
    """The last part of a data stream's name for an environment: in small letters, `_` for what is not of
    a-z 0-9 _ . and never one of these two first. Several environments may share one; the field tells them apart."""
    if not environment:
        return NO_ENVIRONMENT
    return _NOT_ALLOWED.sub("_", environment.lower()).lstrip("_.")[:_MAX_CHARS] or OTHER_ENVIRONMENTS


def stored_id(sealed: Sealed, *, doubled: bool = False) -> str:
    """The `_id` of a record: its event.id. One whose id already stands at another leaf is `doubled`."""
    return f"{sealed.id}@{sealed.ledger}/{sealed.leaf}" if doubled else sealed.id


def rewritten(index: str) -> str:
    """The name of the index that takes the place of this one."""
    found = _BACKING.fullmatch(index)
    base = index.removeprefix(".ds-").removeprefix("past-")
    if found and found["round"]:
        base = base.removesuffix(f"-r{found['round']}")
    return f"past-{base}-r{int(found['round'] or 0) + 1 if found else 1}"


@lru_cache(4 * MAX_STREAMS)
def stream_of(index: str) -> str:
    """The data stream that an index is of, by its name; one of no data stream goes by its own."""
    found = _BACKING.fullmatch(index)
    return found["stream"] if found else index


def class_of_stream(stream: str) -> str:
    """The retention class that a data stream's name says."""
    return stream.split("-")[1].rpartition(".")[2]


@dataclass(slots=True)
class Streams:
    """The data streams of one trail, `logs-<dataset>.<class>-<namespace>`, as far as they are known to be there."""

    dataset: str
    known: set[str] = field(default_factory=set)

    @property
    def pattern(self) -> str:
        """Matches all data streams."""
        return f"logs-{self.dataset}.*-*"

    @property
    def past(self) -> str:
        """The alias of all indices that were rewritten."""
        return f"past-{self.dataset}.records"

    @property
    def searched(self) -> str:
        """Where records are: the data streams, and what was rewritten."""
        return f"{self.pattern},past-{self.dataset}.*"

    def of(self, names: tuple[str, str]) -> str:
        """The data stream for a record that may be in these."""
        wanted, other = names
        if wanted not in self.known and len(self.known) >= MAX_STREAMS:
            return other
        self.known.add(wanted)
        return wanted

    def fits(self, index: str, record: Mapping[str, Any]) -> bool:
        """Whether a record belongs into this backing index."""
        return stream_of(index) in self.names(record)

    def names(self, record: Mapping[str, Any]) -> tuple[str, str]:
        """The data streams that a record may be in: its own, and the one that takes the place of those beyond."""
        environment, first = record.get(ENVIRONMENT), f"logs-{self.dataset}.{retention_class(record)}"
        named = _namespace(environment if isinstance(environment, str) else None)
        return f"{first}-{named}", f"{first}-{OTHER_ENVIRONMENTS}"


_namespace = lru_cache(MAX_STREAMS)(namespace)
