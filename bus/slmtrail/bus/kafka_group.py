"""Where a consumer group stands in its topics, seen from outside of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment

from slmtrail.bus.kafka_cluster import Cluster


@dataclass(frozen=True, slots=True)
class Standing:
    """One partition: its end, what the group has committed, and which client holds it (none: "")."""

    topic: str
    partition: int
    end: int
    committed: int
    client_id: str

    @property
    def lag(self) -> int:
        """How many messages the group has not acknowledged."""
        return self.end - self.committed


class KafkaGroup:
    """Looks at a group. Raises BusError where the cluster does not answer."""

    def __init__(
        self, addresses: Sequence[str], group: str, topics: Sequence[str], options: Mapping[str, Any] | None = None
    ) -> None:
        self._cluster = Cluster(addresses, options or {})
        self._group = group
        self._topics = tuple(topics)

    async def standings(self) -> list[Standing]:
        """Where the group stands in each partition of its topics."""
        async with self._cluster.asked(f"looking at group {self._group}"):
            admin = AIOKafkaAdminClient(**self._cluster.options)
            consumer = AIOKafkaConsumer(**self._cluster.options)
            try:
                await admin.start()
                await consumer.start()
                held = await self._held(admin)
                committed = await admin.list_consumer_group_offsets(self._group)
                places = [
                    TopicPartition(each["topic"], part["partition"])
                    for each in await admin.describe_topics(list(self._topics))
                    for part in each["partitions"]
                ]
                first, last = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
            finally:
                await consumer.stop()
                await admin.close()
        made = []
        for place in sorted(places):
            known = committed.get(place)
            # A commit behind the end is of another topic of this name, that was deleted.
            at = max(known.offset if known and known.offset <= last[place] else 0, first[place])
            made.append(Standing(place.topic, place.partition, last[place], at, held.get(place, "")))
        return made

    async def _held(self, admin: AIOKafkaAdminClient) -> dict[TopicPartition, str]:
        """Which client holds each partition."""
        held: dict[TopicPartition, str] = {}
        for response in await admin.describe_consumer_groups([self._group]):
            for described in response.groups:
                for _, client_id, _, _, assignment in described[5]:
                    if assignment:
                        decoded = ConsumerProtocolMemberAssignment.decode(assignment)
                        held |= {TopicPartition(t, n): client_id for t, numbers in decoded.assignment for n in numbers}
        return held
