"""What `slmtrail doctor` asks elsewhere: bus, topics, lag, store, its version and template, gateway, clocks."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import time
from collections.abc import Collection, Iterator
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from slmtrail.app import parts
from slmtrail.app.examine.symptoms import Stage, Symptom, fault, warning
from slmtrail.app.running import tls
from slmtrail.core.address import shown
from slmtrail.core.errors import TrailError
from slmtrail.core.ports import COMPACTED, FRAMES, SIGNALS, TOPICS
from slmtrail.core.settings import Settings

if TYPE_CHECKING:
    from slmtrail.bus.kafka_rights import Part

KAFKA = "kafka://"
GROUP, TEMPLATE = "slmtrail-stream", "slmtrail-slm"
MUCH = 10_000
"""Messages that wait; more than minutes of work."""
ANSWER_S = 10.0
CLOCK_S, CLOCK_FAULT_S = 2.0, 60.0
"""How far clocks may lie apart; beyond the second, signed requests and times of validity fail."""
OLDEST = (8, 15)
"""Of Elasticsearch."""


_HIDDEN = "hidden"
PARTS: dict[Stage, Part] = {"collect": "collector", "stream": "stream", "index": "indexer"}
"""The names of stages where rights are given."""


class _NoAnswer(Exception):
    pass


async def examine(settings: Settings, stages: Collection[Stage]) -> list[Symptom]:
    """All of it, for these stages."""
    found: list[Symptom] = []
    if settings.collector.relay:
        found += _gateway(settings)
    if settings.bus.url.startswith(KAFKA) and (not settings.collector.relay or set(stages) - {"collect"}):
        found += await _bus(settings, stages)
    if settings.store.url.startswith("http") and "index" in stages:
        found += _store(settings)
    return found


async def _bus(settings: Settings, stages: Collection[Stage]) -> list[Symptom]:
    from slmtrail.bus.kafka_rights import RIGHTS  # it brings aiokafka, which takes its time

    found: list[Symptom] = []
    used = {topic for stage in stages for topics in RIGHTS[PARTS[stage]].values() for topic in topics}
    bus = parts.open_bus(settings, topics=())  # to see them as they are
    try:
        counts: dict[str, int] = {}
        for topic in (topic for topic in TOPICS if topic in used or not stages):
            try:
                counts[topic] = await bus.partitions(topic)
            except TrailError as error:
                if "has no topic" not in str(error):
                    return [
                        fault("bus", shown(settings.bus.url), error, "see that Kafka runs and is reachable from here")
                    ]
                fix = "run slmtrail setup kafka, which makes it and lets this user see it"
                found.append(fault("topics", topic, "is not there", fix))
        for topic, count in counts.items():
            if count != settings.bus.partitions and topic not in COMPACTED:
                text = f"has {count} partitions, and bus.partitions says {settings.bus.partitions}"
                fix = f"set bus.partitions to {count} where it was made so; if it got more later: docs/recovery.md"
                found.append(fault("topics", topic, text, fix))
    finally:
        await bus.close()
    # Who is not the stream may not see how far it is, where Kafka asks.
    return found if found or "stream" not in stages else await _lag(settings)


async def _lag(settings: Settings) -> list[Symptom]:
    try:
        standings = await parts.bus_group(settings, GROUP, [FRAMES, SIGNALS]).standings()
    except TrailError as error:
        return [warning("lag", GROUP, error, "let this user describe the group")]
    found = []
    for each in standings:
        where = f"{each.topic}/{each.partition}"
        if each.lag and not each.client_id:
            text = f"{each.lag} messages wait, and no worker holds this partition"
            found.append(fault("lag", where, text, "start slmtrail stream, and look at its log"))
        elif each.lag > MUCH:
            fix = "add workers up to the number of partitions, or see why they are slow: docs/operating.md"
            found.append(warning("lag", where, f"{each.lag} messages wait for the stream", fix))
    return found


def _store(settings: Settings) -> Iterator[Symptom]:
    url, place = settings.store.url, _shown(settings.store.url)
    try:
        context = tls.trusting(settings.store.ca) if settings.store.ca else None
        key = parts.store_api_key(settings) or ""
        about, clock = _ask(url, "/", context, key)
        template, _ = _ask(url, f"/_index_template/{TEMPLATE}", context, key)
        health, _ = _ask(url, "/_cluster/health", context, key)
    except TrailError as error:
        yield fault("store", place, error, "correct store.ca and store.api_key_file")
        return
    except _NoAnswer as error:
        yield fault("store", place, error, "see that Elasticsearch runs and is reachable from here with store.url")
        return
    yield from clock
    number = str((about.get("version") or {}).get("number", ""))
    newer = f"run Elasticsearch {OLDEST[0]}.{OLDEST[1]} or newer"
    if not number and _HIDDEN not in about:
        yield warning("versions", place, "does not say which version it is", newer)
    elif number and tuple(int(part) for part in number.split(".")[:2] if part.isdecimal()) < OLDEST:
        yield fault("versions", place, f"is of version {number}", newer)
    # An indexer's own key may not look at templates, nor at the cluster.
    if not template.keys() & {"index_templates", _HIDDEN}:
        fix = "run slmtrail setup elasticsearch, which makes it"
        yield fault("templates", TEMPLATE, "this index template is not there", fix)
    if health.get("status") == "red":
        yield fault(
            "store", place, "its health is red: shards are missing", "GET /_cluster/allocation/explain says why"
        )


def _gateway(settings: Settings) -> Iterator[Symptom]:
    relay, place = settings.collector.relay, shown(settings.collector.relay)
    try:
        context = ssl.create_default_context(cafile=settings.collector.relay_ca)
        _, clock = _ask(relay, "/health/live", context)
    except OSError as error:
        yield fault("gateway", place, f"collector.relay_ca: {error.strerror or error}", "correct collector.relay_ca")
    except _NoAnswer as error:
        yield fault("gateway", place, error, "see that it runs, and that collector.relay_ca holds its authority")
    else:
        yield from clock


def _ask(
    url: str, path: str, context: ssl.SSLContext | None = None, api_key: str = ""
) -> tuple[dict[str, Any], list[Symptom]]:
    """A JSON answer (or nothing, or that it is hidden from us), and what is to be said of the clocks."""
    parts_ = urlsplit(url)
    secure = parts_.scheme == "https"
    try:
        connection: http.client.HTTPConnection = (
            http.client.HTTPSConnection(parts_.hostname or "", parts_.port, timeout=ANSWER_S, context=context)
            if secure
            else http.client.HTTPConnection(parts_.hostname or "", parts_.port or 9200, timeout=ANSWER_S)
        )
        headers = {"authorization": f"ApiKey {api_key}"} if api_key else {}
        if parts_.username:
            pair = f"{unquote(parts_.username)}:{unquote(parts_.password or '')}"
            headers["authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        before = time.time()
        connection.request("GET", parts_.path.rstrip("/") + path, headers=headers)
        answer = connection.getresponse()
        after = time.time()
        body = answer.read(1024 * 1024)
        connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _NoAnswer(f"no answer: {error or type(error).__name__}") from None
    if answer.status == 401:
        raise _NoAnswer("it knows nobody by these credentials (401)")
    try:
        content = {_HIDDEN: True} if answer.status == 403 else json.loads(body)
    except ValueError:
        content = {}
    return content if isinstance(content, dict) else {}, _clock(_shown(url), answer.getheader("date"), before, after)


def _clock(place: str, date: str | None, before_s: float, after_s: float) -> list[Symptom]:
    """The clock over there tells whole seconds, of a moment between the two."""
    try:
        told_s = parsedate_to_datetime(date or "").timestamp()
    except ValueError:
        return []
    apart_s = max(before_s - (told_s + 1), told_s - after_s, 0.0)
    if apart_s <= CLOCK_S:
        return []
    text = f"its clock and the one here are {apart_s:.0f} s apart"
    tell = fault if apart_s > CLOCK_FAULT_S else warning
    return [tell("clocks", place, text, "let both follow a time server (chrony, systemd-timesyncd)")]


def _shown(url: str) -> str:
    """The address without who goes there."""
    parts_ = urlsplit(url)
    return f"{parts_.scheme}://{parts_.hostname}{f':{parts_.port}' if parts_.port else ''}"
