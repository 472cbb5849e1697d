"""A worker is stuck when it holds work and commits nothing of it for long, or nobody holds it; nothing else counts."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

import pytest

from slmtrail.bus.kafka_group import Standing
from slmtrail.stream.job.watchdog import Watchdog

SEEN = Standing("slm.frames", 0, end=10, committed=5, client_id="ours-1")


def stuck(*looks: tuple[float, Standing]) -> list[int]:
    """What the last look finds; a stall takes 100 s."""
    standings: list[Standing] = []

    async def look() -> list[Standing]:
        return standings

    async def all_looks() -> list[int]:
        watchdog, found = Watchdog(look, ["ours-0", "ours-1"], 100.0), []
        for at_s, standing in looks:
            standings[:] = [standing]
            found = await watchdog.stuck(at_s)
        return found

    return asyncio.run(all_looks())


def changed(**change: Any) -> Standing:
    """What was seen, changed."""
    return dataclasses.replace(SEEN, **change)


def test_no_commits_while_there_is_work() -> None:
    assert stuck((0, SEEN), (60, changed(end=90)), (101, changed(end=99))) == [1]
    assert stuck((0, SEEN), (99, SEEN)) == []


@pytest.mark.parametrize(
    "between",
    [changed(committed=6), changed(end=5), changed(client_id=""), changed(client_id="another-1")],
    ids=["it commits", "nothing to do", "shared out anew", "another's"],
)
def test_what_begins_its_time_anew(between: Standing) -> None:
    assert stuck((0, SEEN), (60, between), (101, SEEN)) == []


def test_it_is_given_the_whole_time_again_after_a_restart() -> None:
    assert stuck((0, SEEN), (101, SEEN), (150, SEEN)) == []


def test_a_worker_of_another_job_is_not_ours_to_stop() -> None:
    other = changed(client_id="another-1")
    assert stuck((0, other), (500, other)) == []


def test_work_that_nobody_holds_is_for_all_of_ours_to_ask_for() -> None:
    nobodys = changed(client_id="")
    assert stuck((0, nobodys), (101, nobodys)) == [0, 1]
    assert stuck((0, nobodys), (60, SEEN), (101, nobodys)) == []
    assert stuck((0, changed(client_id="", end=5)), (101, changed(client_id="", end=5))) == []
