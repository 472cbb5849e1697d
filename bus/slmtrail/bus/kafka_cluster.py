"""A Kafka cluster as the bus speaks to it: in bounded time, and with errors that say what to do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import errors

from slmtrail.bus.limits import MAX_MESSAGE_BYTES
from slmtrail.core.errors import BusError

ANSWER_TIMEOUT_S = 15.0
MAX_BATCH_BYTES = MAX_MESSAGE_BYTES + 64 * 1024
"""What a topic and a request must hold: the largest message with all that Kafka puts around it."""


class Cluster:
    """Where the cluster is, and the options every client of it is made with."""

    def __init__(self, addresses: Sequence[str], options: Mapping[str, Any]) -> None:
        self.name = "kafka://" + ",".join(addresses)
        self.options = {"client_id": "slmtrail", **options, "bootstrap_servers": list(addresses)}

    @asynccontextmanager
    async def asked(self, what: str, timeout_s: float = ANSWER_TIMEOUT_S) -> AsyncIterator[None]:
        """Turns whatever goes wrong inside, and silence for `timeout_s`, into a BusError."""
        try:
            async with asyncio.timeout(timeout_s):
                yield
        except TimeoutError as error:
            raise BusError(
                f"{self.name}: {what}: no answer within {timeout_s:g} s; is Kafka running and reachable there?"
            ) from error
        except (errors.KafkaError, OSError) as error:
            raise BusError(f"{self.name}: {what}: {type(error).__name__}; {_advice(error)}") from error


def _advice(error: Exception) -> str:
    for kinds, advice in _ADVICE:
        if isinstance(error, kinds):
            return advice
    return "look at the broker's log"


_ADVICE: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    (
        (errors.TopicAuthorizationFailedError, errors.GroupAuthorizationFailedError),
        "give this user the right to do that",
    ),
    (
        (errors.MessageSizeTooLargeError, errors.RecordListTooLargeError),
        f"set max.message.bytes of the topic to {MAX_BATCH_BYTES}",
    ),
    (
        (errors.NotEnoughReplicasError, errors.NotEnoughReplicasAfterAppendError),
        "too few brokers are in sync: start those that are down",
    ),
    (
        (OSError, errors.KafkaConnectionError, errors.NodeNotReadyError, errors.KafkaTimeoutError),
        "is Kafka running and reachable there?",
    ),
)
