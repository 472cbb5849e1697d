"""Setting Elasticsearch up: what differs is changed, once, and what a newer slmtrail made is left alone."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from contract.stored import LEDGER, sealed
from servers.elastic import Elastic
from slmtrail.core.errors import StoreError
from slmtrail.indexer.store import elastic_setup as setup
from slmtrail.indexer.store.elastic import ElasticStore
from slmtrail.indexer.store.elastic_client import ElasticClient
from slmtrail.indexer.store.elastic_names import Streams

pytestmark = pytest.mark.servers


@pytest.fixture
def streams() -> Streams:
    return Streams(f"t{uuid.uuid4().hex}")


@pytest.fixture
def client(elastic: Elastic) -> Iterator[ElasticClient]:
    made = ElasticClient(elastic.url)
    yield made
    made.close()


def changed(client: ElasticClient, streams: Streams) -> list[str]:
    """Carries out a plan, and looks that nothing is left to do."""
    plan = setup.plan(client, streams)
    setup.apply(client, plan)
    assert setup.plan(client, streams).changes == []
    return [change.what.replace(streams.dataset, "slm") for change in plan.changes]


def written(elastic: Elastic, streams: Streams, leaf: int) -> None:
    store = ElasticStore(elastic.url, writable=True, dataset=streams.dataset)
    assert store.write([sealed(leaf)]) == []
    assert store.faults() == []
    store.close()


def altered(client: ElasticClient, streams: Streams, part: str, alter: Any) -> None:
    """Puts a component template that differs."""
    path = f"/_component_template/slmtrail-{streams.dataset}-{part}"
    body = client.ask("GET", path)["component_templates"][0]["component_template"]
    alter(body)
    client.ask("PUT", path, body)


def test_all_is_made_at_first_and_nothing_after(client: ElasticClient, streams: Streams, elastic: Elastic) -> None:
    assert changed(client, streams) == [
        *(f"component template slmtrail-slm-{part}" for part in ("ecs", "genai", "slm", "settings")),
        "index template slmtrail-slm",
    ]
    written(elastic, streams, 0)
    assert changed(client, streams) == []


def test_what_differs_is_told_and_put_right(client: ElasticClient, streams: Streams, elastic: Elastic) -> None:
    changed(client, streams)

    def without_user(body: dict[str, Any]) -> None:
        del body["template"]["mappings"]["properties"]["user"]
        body["version"] -= 1

    altered(client, streams, "ecs", without_user)
    streams_name = f"logs-{streams.dataset}.standard-none"
    line = b'{"create":{"_index":"%s","_id":"1"}}\n{"@timestamp":"2026-01-01T00:00:00Z"}\n' % streams_name.encode()
    client.ask("POST", "/_bulk", line)
    plan = setup.plan(client, streams)
    template, index = plan.changes
    assert "template.mappings.properties.user is missing" in template.differences
    assert "user.id is not searched" in index.differences
    assert len(changed(client, streams)) == 2


def test_a_field_that_is_mapped_in_another_way_gets_a_new_index(client: ElasticClient, streams: Streams) -> None:
    changed(client, streams)

    def other_kind(body: dict[str, Any]) -> None:
        body["template"]["mappings"]["properties"]["server"]["properties"]["port"] = {"type": "keyword"}

    altered(client, streams, "ecs", other_kind)
    stream = f"logs-{streams.dataset}.standard-none"
    line = b'{"create":{"_index":"%s","_id":"1"}}\n{"@timestamp":"2026-01-01T00:00:00Z"}\n' % stream.encode()
    client.ask("POST", "/_bulk", line)
    assert changed(client, streams) == ["component template slmtrail-slm-ecs", f"a new index for {stream}".replace(
        streams.dataset, "slm"
    )]  # fmt: skip
    (left,) = setup.plan(client, streams).left
    assert "server.port" in left


def test_templates_of_a_newer_slmtrail_are_left_alone(client: ElasticClient, streams: Streams) -> None:
    changed(client, streams)

    def newer(body: dict[str, Any]) -> None:
        body["version"] += 10_000
        body["template"]["mappings"]["properties"]["user"]["properties"]["id"] = {"type": "text"}

    altered(client, streams, "ecs", newer)
    plan = setup.plan(client, streams)
    assert plan.changes == []
    assert "newer" in plan.left[0]


def test_a_closed_index_is_an_error_wherever_all_records_are_looked_at(
    client: ElasticClient, streams: Streams, elastic: Elastic
) -> None:
    store = ElasticStore(elastic.url, writable=True, dataset=streams.dataset)
    assert store.write([sealed(0)]) == []
    stream = f"logs-{streams.dataset}.standard-none"
    (first,) = client.ask("GET", f"/{stream}/_mapping")
    client.ask("POST", f"/{stream}/_rollover")
    client.ask("POST", f"/{first}/_close")
    for look in (
        lambda: store.holding(LEDGER, [0]),
        lambda: store.tally(LEDGER, 0, 1),
        lambda: list(store.scan(LEDGER, 0, 1)),
        lambda: store.erase(LEDGER, [(0, 0)]),
        lambda: store.expire({}, {LEDGER: [(0, 0)]}),
    ):
        with pytest.raises(StoreError, match="open it"):
            look()
    client.ask("POST", f"/{first}/_open")
    assert store.holding(LEDGER, [0]) == {0}
    store.close()
