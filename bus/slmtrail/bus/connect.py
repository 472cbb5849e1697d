"""From the one setting that names a bus to the bus."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from slmtrail.core.errors import SettingsError
from slmtrail.core.ports import COMPACTED, TOPICS, Bus

_ADDRESS = re.compile(r"(?:\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})")
_FORMS = "sqlite:<path> or kafka://host:port[,host:port]"


def connect(
    url: str,
    *,
    partitions: int,
    topics: Sequence[str] = TOPICS,
    compacted: Collection[str] = COMPACTED,
    replication_factor: int = -1,
    kafka_options: Mapping[str, Any] | None = None,
) -> Bus:
    """The bus at `url`: `sqlite:<path>` or `kafka://host:port[,host:port]`. Opens nothing before its first use.

    `partitions` is what each of `topics` is made with, those in `compacted` to keep the newest message of each
    key for ever; a bus whose topics have another number is refused.
    A `replication_factor` of -1 leaves it to the cluster. `kafka_options` reach every Kafka client as they
    are (`security_protocol`, `ssl_context`, `sasl_mechanism`, …). The bus belongs to the event loop that
    uses it first.
    """
    if partitions < 1:
        raise SettingsError(f"partitions: should be 1 or more, not {partitions}")
    scheme, separator, rest = url.partition(":")
    if scheme == "sqlite" and rest:
        from slmtrail.bus.sqlite import SqliteBus

        return SqliteBus(Path(rest), partitions=partitions, topics=topics, compacted=compacted)
    if scheme == "kafka" and rest.startswith("//"):
        # Imported here, so that a pipeline without Kafka does not wait for its client to load.
        from slmtrail.bus.kafka import KafkaBus

        return KafkaBus(
            _addresses(rest[2:]),
            partitions=partitions,
            topics=topics,
            compacted=compacted,
            replication_factor=replication_factor,
            options=kafka_options or {},
        )
    shown = scheme if separator else "a word without ':'"
    raise SettingsError(f"the bus should be {_FORMS}, not {shown}")


def _addresses(text: str) -> list[str]:
    # The text is not shown: people put passwords there.
    if "@" in text:
        raise SettingsError("the address of the bus holds an '@': give user and password as Kafka options instead")
    addresses = text.rstrip("/").split(",")
    for address in addresses:
        match = _ADDRESS.fullmatch(address)
        if match is None or not 0 < int(match[1]) < 65536:
            raise SettingsError(f"{address!r} is not host:port; the bus should be {_FORMS}")
    return addresses
