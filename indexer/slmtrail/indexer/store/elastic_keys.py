"""Gives the parts of slmtrail API keys of a cluster, and Kibana its password; what still holds is left as it is.

How it fails: a crash between the cluster's answer and the file leaves a key that nobody has; the next run makes
another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from slmtrail.core import durable, keys
from slmtrail.core.errors import StoreError
from slmtrail.indexer.store.elastic_client import ElasticClient, NotAllowed
from slmtrail.indexer.store.elastic_names import Streams
from slmtrail.indexer.store.elastic_roles import api_keys, roles

PARTS = ("indexer", "retention", "investigator")
"""Which have a key, in a file of that name."""

KIBANA = "kibana_system"
"""The user that Kibana is to Elasticsearch."""

Shown = Callable[[str], ElasticClient]
"""A client of the same cluster that shows this instead: an API key, or a password."""


def give(client: ElasticClient, streams: Streams, folder: Path, shown: Shown, *, apply: bool) -> Iterator[str]:
    """Makes the keys that `folder` lacks, or that the cluster does not know; says of each what it is for."""
    bodies = api_keys(roles(streams, ()))
    for part in PARTS:
        file = folder / f"{part}.key"
        if file.exists() and _knows(shown(keys.read_private(file).decode(errors="replace").strip())):
            continue
        if apply:
            answer = client.ask("POST", "/_security/api_key", bodies[f"slmtrail_{part}"])
            if answer is None:
                raise StoreError(f"Elasticsearch at {client.place} makes no keys: set xpack.security.enabled there")
            durable.make_folder(folder, 0o700)
            durable.write_file(file, str(answer["encoded"]).encode(), 0o600)
        yield f"API key of the {part}, in {file}"


def give_password(client: ElasticClient, password: str, shown: Shown, *, apply: bool) -> Iterator[str]:
    """Makes `password` that of Kibana's user, unless it is."""
    if not _knows(shown(password)):
        if apply:
            client.ask("POST", f"/_security/user/{KIBANA}/_password", {"password": password})
        yield f"password of {KIBANA}"


def _knows(client: ElasticClient) -> bool:
    with closing(client):
        try:
            return client.ask("GET", "/_security/_authenticate") is not None
        except NotAllowed:
            return False
