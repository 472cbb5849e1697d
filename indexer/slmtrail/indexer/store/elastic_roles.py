"""Who may do what in Elasticsearch: a role, and an API key with the same rights, for each part of slmtrail.

An indexer creates records and can neither change nor delete one: whoever takes its key can't rewrite the trail. Erasing
and retention have a role of their own, whose key is used for nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from slmtrail.indexer.store.elastic_names import Streams, namespace

READ = ("read", "view_index_metadata")
CREATE = ("create_doc", "auto_configure", "maintenance", *READ)
"""`maintenance` is what it takes to refresh; `auto_configure` makes the data stream of a new environment."""
RETAIN = ("index", "delete", "manage", *READ)
"""`manage` rolls over, copies behind an alias, and deletes whole indices."""


def roles(streams: Streams, environments: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The roles by name; a reader for each environment, who sees its records alone."""
    past, rollups = f"past-logs-{streams.dataset}.*", f"rollups-{streams.dataset}"
    everything = [streams.pattern, past, streams.past]
    made = {
        "indexer": _role((everything, CREATE)),
        "retention": _role(([*everything, rollups], RETAIN)),
        "investigator": _role(([*everything, rollups], (*READ, "maintenance"))),
        "setup": _role((everything, ("manage",)), cluster=["manage_index_templates"]),
    }
    for environment in environments:
        name = namespace(environment)
        # With the date spelt out: an environment may be named like one.
        made[f"reader_{name}"] = _role(([f"logs-{streams.dataset}.*-{name}", f"{past}-{name}-????.??.??-*"], READ))
    return {f"slmtrail_{name}": role for name, role in made.items()}


def api_keys(definitions: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """For each role, what to post to `/_security/api_key` for a key that may the same, whoever makes it."""
    return {
        name: {"name": name, "role_descriptors": {name: role}, "metadata": role["metadata"]}
        for name, role in definitions.items()
    }


def _role(*given: tuple[Sequence[str], Sequence[str]], cluster: Sequence[str] = ()) -> dict[str, Any]:
    return {
        "cluster": list(cluster),
        "indices": [{"names": list(names), "privileges": sorted(privileges)} for names, privileges in given],
        "metadata": {"managed_by": "slmtrail"},
    }
