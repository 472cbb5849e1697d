"""Roles of Elasticsearch: nobody may more than a table of ours allows, and a reader reaches its environment alone."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import Any

import pytest

from slmtrail.indexer.store.elastic_names import Streams, rewritten
from slmtrail.indexer.store.elastic_roles import api_keys, roles
from tree import ROOT

STREAMS = Streams("slm")
ALLOWED = {
    "slmtrail_indexer": {"create_doc", "auto_configure", "maintenance", "read", "view_index_metadata"},
    "slmtrail_retention": {"index", "delete", "manage", "read", "view_index_metadata"},
    "slmtrail_investigator": {"maintenance", "read", "view_index_metadata"},
    "slmtrail_setup": {"manage"},
    "slmtrail_reader_prod": {"read", "view_index_metadata"},
}
CLUSTER = {"slmtrail_setup": {"manage_index_templates"}}


def given(role: dict[str, Any]) -> set[str]:
    return {privilege for part in role["indices"] for privilege in part["privileges"]}


def reaches(role: dict[str, Any], index: str) -> bool:
    return any(fnmatchcase(index, name) for part in role["indices"] for name in part["names"])


def test_no_role_has_a_privilege_that_the_table_does_not_allow() -> None:
    made = roles(STREAMS, ["prod"])
    assert made.keys() == ALLOWED.keys()
    for name, role in made.items():
        assert given(role) == ALLOWED[name]
        assert set(role["cluster"]) == CLUSTER.get(name, set())
        assert role.keys() == {"cluster", "indices", "metadata"}


def test_an_api_key_may_what_its_role_may() -> None:
    made = roles(STREAMS, ["prod", "dev"])
    assert {name: key["role_descriptors"][name] for name, key in api_keys(made).items()} == made


@pytest.mark.parametrize("environment", ["prod", "Prod EU", "2026.11.26", "000001", "r1", ""])
def test_a_reader_reaches_the_records_of_its_environment_alone(environment: str) -> None:
    (reader,) = (role for name, role in roles(STREAMS, [environment]).items() if "reader" in name)
    for other in ("prod", "Prod EU", "2026.11.26", "000001", "r1", "preprod", "prod2", "dev", ""):
        stream = STREAMS.of(STREAMS.names({"deployment.environment.name": other}))
        past = rewritten(f".ds-{stream}-2026.11.26-000001")
        for index in (stream, past, rewritten(past)):
            assert reaches(reader, index) == (other == environment), index
    assert not reaches(reader, "rollups-slm")


def test_who_indexes_retains_and_investigates_reaches_all_of_the_trail_and_nothing_else() -> None:
    for name in ("slmtrail_indexer", "slmtrail_retention", "slmtrail_investigator"):
        role = roles(STREAMS, [])[name]
        assert reaches(role, "logs-slm.standard-prod")
        assert reaches(role, rewritten(".ds-logs-slm.standard-prod-2026.11.26-000001"))
        assert reaches(role, STREAMS.past)
        assert not any(
            reaches(role, index) for index in ("logs-other-prod", "logs-slmx.a-b", ".security-7", "metrics-x-y")
        )


def test_the_file_is_what_the_command_prints() -> None:
    made = roles(STREAMS, ["prod"])
    kept = json.loads((ROOT / "deploy/elasticsearch/roles.json").read_text())
    assert kept == {"roles": made, "api_keys": api_keys(made)}, "run: slmtrail setup elasticsearch-roles --env prod"
