"""The rights on Kafka, as a file for those who give them by other means than `slmtrail setup kafka`."""

from __future__ import annotations

import json

from slmtrail.bus.kafka_rights import RIGHTS, rights
from slmtrail.core.ports import TOPICS
from tree import ROOT


def test_the_file_says_what_the_command_gives() -> None:
    told = {
        (
            row["principal"],
            row["operation"],
            row["resource"],
            row["name"] + ("*" if row["pattern"] == "prefixed" else ""),
        )
        for row in json.loads((ROOT / "deploy/kafka/acls.json").read_text())
    }
    needed = rights({part: f"slmtrail-{part}" for part in RIGHTS})
    assert told == {(f"User:{right.user}", right.operation, right.kind, right.name) for right in needed}


def test_every_topic_is_somebodys() -> None:
    assert {topic for needed in RIGHTS.values() for topics in needed.values() for topic in topics} == set(TOPICS)


def test_no_collector_reads_what_others_sent() -> None:
    assert RIGHTS["collector"] == {"write": ["slm.frames"], "read": ["slm.control"]}
