"""Takes up a policy and rules of the site's own when their files change, without a restart of the stream."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from slmtrail.app import parts
from slmtrail.app.running.law import Stamp, since_ms, stamp
from slmtrail.core import policy
from slmtrail.core.errors import SettingsError
from slmtrail.core.settings import Settings

if TYPE_CHECKING:
    from slmtrail.stream.process import Desk

log = logging.getLogger(__name__)

LOOK_S = 1.0


class Lawbook:
    """The policy file and the folder of rules, as they were when they were last taken up."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        # Looked at once in any case: they may have changed while all else was loaded.
        self._taken: Stamp = ()

    async def renewed(self, desk: Desk) -> Desk:
        """Waits until the files have changed and can be used; the desk under them. What can't be used is logged and
        told in an alert, and what is in force stays."""
        seen = self._taken
        while True:
            await asyncio.sleep(LOOK_S)
            before, seen = seen, await asyncio.to_thread(stamp, self._settings)
            if seen == self._taken or seen != before:  # half of a file is another file: it has to have come to rest
                continue
            self._taken = seen
            try:
                rules = await asyncio.to_thread(policy.load, self._settings.policy)
                judge = await asyncio.to_thread(parts.open_judge, self._settings, rules)
            except SettingsError as error:
                log.error("policy or rules changed and can't be used; those in force stay: %s", error)
                desk.judge.refuse(str(error))
                continue
            if (rules.digest, judge.digest) != (desk.policy.digest, desk.judge.digest):
                log.info("policy %s and rules %s are in force from now on", rules.digest[:12], judge.digest[:12])
                return dataclasses.replace(desk, policy=rules, judge=judge, since_ms=since_ms(self._settings))
            desk.judge.refuse_as(judge)


async def under_law(lawbook: Lawbook, desk: Desk, work: Callable[[Desk, asyncio.Event], Awaitable[None]]) -> None:
    """Works until cancelled, each time the law changes under the new one: `work` ends soon after its event is set."""
    while True:
        over = asyncio.Event()
        working = asyncio.ensure_future(work(desk, over))
        changing = asyncio.ensure_future(lawbook.renewed(desk))
        try:
            await asyncio.wait([working, changing], return_when=asyncio.FIRST_COMPLETED)
            over.set()
            await working
            if not changing.done():
                return
            desk = changing.result()
        finally:
            working.cancel()
            changing.cancel()
