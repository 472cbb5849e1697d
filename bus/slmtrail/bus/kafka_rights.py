"""What each part of slmtrail may do on a Kafka that asks: the least that it works with, as ACLs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from aiokafka import errors
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import CreateAclsRequest, DescribeAclsRequest

from slmtrail.bus.kafka_cluster import Cluster
from slmtrail.core.errors import BusError
from slmtrail.core.ports import ALERTS, CHECKPOINTS, CONTROL, DEADLETTERS, FRAMES, RECORDS, SIGNALS, STATE

Part = Literal["collector", "stream", "indexer", "reader"]
Operation = Literal["read", "write", "describe"]

STREAM_GROUP, ROUTES_GROUP, READERS_GROUPS = "slmtrail-stream", "slmtrail-routes", "slmtrail-reader-"

_CODES = {"read": 3, "write": 4, "describe": 8}
_KINDS = {"topic": 2, "group": 3}
_LITERAL, _PREFIXED = 3, 4
_ALLOW, _ANY = 3, 1
_NO_AUTHORIZER = 54


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """That a user may do something to a topic, or to a group or all whose names begin so (`prefix*`)."""

    user: str
    operation: Operation
    kind: Literal["topic", "group"]
    name: str

    def __str__(self) -> str:
        return f"{self.user} may {self.operation} {self.kind} {self.name}"


RIGHTS: Mapping[Part, Mapping[Operation, Sequence[str]]] = {
    "collector": {"write": [FRAMES], "read": [CONTROL]},
    "stream": {
        "read": [FRAMES, SIGNALS, STATE, CONTROL, ALERTS],
        "write": [RECORDS, ALERTS, DEADLETTERS, SIGNALS, STATE, CONTROL, FRAMES],
    },
    "indexer": {"read": [RECORDS, CHECKPOINTS, CONTROL], "write": [CHECKPOINTS, DEADLETTERS]},
    "reader": {"read": [ALERTS]},
}
"""Who consumes alerts is a reader. The stream writes frames too: what it says of itself is an event like others."""

GROUPS: Mapping[Part, Sequence[str]] = {
    "collector": [],
    "stream": [STREAM_GROUP, ROUTES_GROUP],
    "indexer": [],
    "reader": [f"{READERS_GROUPS}*"],
}


def rights(users: Mapping[Part, str]) -> list[Right]:
    """What these users need. To read or write implies to describe; the stream also looks at its own group."""
    needed = {
        Right(user, operation, "topic", topic)
        for part, user in users.items()
        for operation, topics in RIGHTS[part].items()
        for topic in topics
    }
    needed |= {Right(user, "read", "group", group) for part, user in users.items() for group in GROUPS[part]}
    return sorted(needed)


async def missing_topics(cluster: Cluster, wanted: Iterable[str]) -> list[str]:
    """Those of the topics that are not there, or that this user may not see."""
    async with cluster.asked("looking for the topics"):
        admin = AIOKafkaAdminClient(**cluster.options)
        try:
            await admin.start()
            there = {each["topic"] for each in await admin.describe_topics() if not each["error_code"]}
        finally:
            await admin.close()
    return [topic for topic in wanted if topic not in there]


async def missing(cluster: Cluster, wanted: Iterable[Right]) -> list[Right]:
    """Those that are not given yet. Raises BusError where the cluster asks nobody, or would not tell."""
    async with cluster.asked("reading the rights"):
        admin = AIOKafkaAdminClient(**cluster.options)
        try:
            await admin.start()
            request = DescribeAclsRequest(_ANY, None, _ANY, None, None, _ANY, _ANY)
            answer = await _ask(admin, request)
        finally:
            await admin.close()
    if answer.error_code == _NO_AUTHORIZER:
        raise BusError(
            f"{cluster.name}: has no authorizer: everyone may do everything there; set authorizer.class.name"
        )
    _check(cluster, answer.error_code, answer.error_message)
    given = set()
    for kind, name, pattern, entries in answer.resources:
        for principal, host, operation, permission in entries:
            if permission == _ALLOW and host == "*":
                given.add((kind, name, pattern, principal, operation))
    return [right for right in wanted if _coded(right) not in given]


async def give(cluster: Cluster, wanted: Iterable[Right]) -> None:
    """Gives these rights; one that is there already stays as it is."""
    async with cluster.asked("giving rights"):
        admin = AIOKafkaAdminClient(**cluster.options)
        try:
            await admin.start()
            for right in wanted:
                kind, name, pattern, principal, operation = _coded(right)
                answer = await _ask(admin, CreateAclsRequest(kind, name, pattern, principal, "*", operation, _ALLOW))
                for code, text in answer.creation_responses:
                    _check(cluster, code, text)
        finally:
            await admin.close()


def _coded(right: Right) -> tuple[int, str, int, str, int]:
    pattern = _PREFIXED if right.name.endswith("*") else _LITERAL
    return _KINDS[right.kind], right.name.rstrip("*"), pattern, f"User:{right.user}", _CODES[right.operation]


async def _ask(admin: AIOKafkaAdminClient, request: Any) -> Any:
    # aiokafka speaks these requests and has no method of its own for them.
    return await admin._send_to_controller(request)


def _check(cluster: Cluster, code: int, text: str | None) -> None:
    if code:
        raise BusError(
            f"{cluster.name}: rights: {text or errors.for_code(code).__name__}; ask as a user who may alter them"
        )
