"""Makes a cluster ready for records: its templates, and the mappings of data streams that are there already.

It looks first and changes only what differs, so a second time changes nothing. Templates of a newer slmtrail are left
alone. A field that is new is added to the indices there are; where a field is indexed in another way than before, the
data stream gets a new index for what comes, and what was indexed stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from elastic_transport import TransportError
from elasticsearch import ApiError

from slmtrail.indexer.store.elastic_client import ElasticClient
from slmtrail.indexer.store.elastic_names import Streams
from slmtrail.indexer.store.mapping import component_templates, index_template, leaves, mappings, settings


@dataclass(frozen=True, slots=True)
class Change:
    """One request that brings the cluster closer to what it should be."""

    what: str
    method: str
    path: str
    body: dict[str, Any] | None = None
    differences: tuple[str, ...] = ()
    """What is otherwise now; empty for what is not there at all."""


@dataclass(slots=True)
class Plan:
    """What is to be changed, in order, and what is left as it is though it differs."""

    changes: list[Change] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    logsdb: bool = False
    """Whether the cluster has the index mode that is made for logs, and takes half of the disk."""


def plan(client: ElasticClient, streams: Streams) -> Plan:
    """Compares the cluster with what it should be."""
    made = Plan(logsdb=_takes_logsdb(client))
    wanted = component_templates(streams.dataset, logsdb=made.logsdb)
    for name, body in wanted.items():
        _template(client, made, "component_template", name, body)
    _template(client, made, "index_template", f"slmtrail-{streams.dataset}", index_template(streams.pattern, wanted))
    if not made.left:
        made.changes += _indices(client, streams, made)
    return made


def apply(client: ElasticClient, made: Plan) -> None:
    """Carries out a plan."""
    for change in made.changes:
        client.ask(change.method, change.path, change.body)


def _takes_logsdb(client: ElasticClient) -> bool:
    """Asks for a template that is not kept: versions, licences and offerings differ in what they allow."""
    body = {"index_patterns": ["slmtrail-*-*"], "data_stream": {}, "template": {"settings": settings(logsdb=True)}}
    try:
        client.raw("POST", "/_index_template/_simulate", body)
    except ApiError as error:
        if error.status_code != 400:
            raise client.refused(error) from error
        return False
    except TransportError as error:
        raise client.unreachable(error) from error
    return True


def _template(client: ElasticClient, made: Plan, kind: str, name: str, wanted: dict[str, Any]) -> None:
    what, path = f"{kind.replace('_', ' ')} {name}", f"/_{kind}/{name}"
    answer = client.ask("GET", path)
    if answer is None:
        made.changes.append(Change(what, "PUT", path, wanted))
        return
    found = answer[f"{kind}s"][0][kind]
    if found.get("version", 0) > wanted["version"]:
        made.left.append(f"{what} is of a newer slmtrail (version {found['version']}, this has {wanted['version']})")
    elif differences := tuple(_differences(found, wanted)):
        made.changes.append(Change(what, "PUT", path, wanted, differences))


def _indices(client: ElasticClient, streams: Streams, made: Plan) -> Iterator[Change]:
    resolved = client.ask("GET", f"/_resolve/index/{streams.pattern}") or {"data_streams": []}
    newest = {_newest(stream["backing_indices"]): stream["name"] for stream in resolved["data_streams"]}
    wanted = leaves(mappings())
    for index, answer in sorted((client.ask("GET", f"/{streams.searched}/_mapping") or {}).items()):
        there = leaves(answer["mappings"])
        added = tuple(f"{name} is not searched" for name in wanted if name not in there)
        other = [name for name in wanted if name in there and there[name] != wanted[name]]
        if other:
            made.left.append(f"{index} indexes {', '.join(other[:3])} in another way; slmtrail reindex makes it anew")
            if index in newest:
                yield Change(f"a new index for {newest[index]}", "POST", f"/{newest[index]}/_rollover")
        elif added:
            yield Change(f"mapping of {index}", "PUT", f"/{index}/_mapping", mappings(), added)


def _newest(indices: Any) -> str:
    return str(indices[-1] if isinstance(indices, list) else indices)


def _differences(found: Any, wanted: Any, path: str = "") -> Iterator[str]:
    """Where the server's form of a template, which may say more, has not what is wanted."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        for key, value in wanted.items():
            where = f"{path}.{key}" if path else key
            if key in found:
                yield from _differences(found[key], value, where)
            else:
                yield f"{where} is missing"
    elif isinstance(wanted, list) and isinstance(found, list) and [*map(_spelt, found)] == [*map(_spelt, wanted)]:
        return
    elif _spelt(found) != _spelt(wanted):
        yield f"{path} is {_spelt(found)}, should be {_spelt(wanted)}"


def _spelt(value: Any) -> str:
    """A value as the server spells it: settings come back as text."""
    return str(value).lower()
