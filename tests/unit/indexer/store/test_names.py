"""Data streams, ids, cursors and templates."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slmtrail.core.errors import QueryError, SettingsError
from slmtrail.core.fields import CONTENT, FIELDS
from slmtrail.indexer.store import cursor
from slmtrail.indexer.store.connect import connect
from slmtrail.indexer.store.cursor import Cursor
from slmtrail.indexer.store.elastic_names import MAX_STREAMS, Streams, namespace
from slmtrail.indexer.store.mapping import TEXT, mappings


@pytest.mark.parametrize(
    ("environment", "name"),
    [("prod", "prod"), ("Prod-EU", "prod_eu"), ("a b/ü", "a_b__"), (None, "none"), ("", "none"), ("..", "other")],
)
def test_an_environment_names_its_data_stream(environment: str | None, name: str) -> None:
    assert namespace(environment) == name


@given(st.text())
def test_any_environment_gives_a_name_that_elasticsearch_takes(environment: str) -> None:
    assert re.fullmatch(r"[a-z0-9][a-z0-9_.]{0,59}", namespace(environment))


def test_callers_can_not_make_any_number_of_data_streams() -> None:
    streams = Streams("slm")
    names = {streams.of(f"env{number}") for number in range(1000)}
    assert len(names) == MAX_STREAMS + 1
    assert streams.of("env0") == "logs-slm.standard-env0"
    assert streams.of("one more") == "logs-slm.standard-other"


def test_an_index_fits_its_environment() -> None:
    streams = Streams("slm")
    assert streams.fits(".ds-logs-slm.standard-prod-2026.01.31-000001", "prod")
    assert streams.fits(".ds-logs-slm.standard-other-2026.01.31-000012", "prod")
    assert not streams.fits(".ds-logs-slm.standard-dev-2026.01.31-000001", "prod")
    assert not streams.fits("elsewhere", "prod")


@given(st.builds(Cursor, st.integers(-(2**60), 2**60), st.text(), st.integers(0, 2**53), st.text()))
def test_a_cursor_comes_back_from_its_text(place: Cursor) -> None:
    assert cursor.parse(place.text()) == place


@given(st.text())
def test_any_other_text_is_an_error(text: str) -> None:
    with pytest.raises(QueryError, match="cursor"):
        cursor.parse(text)


@pytest.mark.parametrize("url", ["", "sqlite:", "postgres://x", "http:x", "ftp://x", "http://host:port", "C:\\x"])
def test_a_url_of_no_store_is_an_error(url: str) -> None:
    with pytest.raises(SettingsError, match="store"):
        connect(url)


def test_every_field_is_mapped_once_and_content_is_searched_in_one_place() -> None:
    def mapped(name: str) -> dict[str, Any]:
        level: Any = mappings()
        parts = ["slm", name.removeprefix("slm.")] if name.startswith("slm.") else name.split(".")
        for part in parts:
            level = level["properties"][part]
        return dict(level)

    for name, field in FIELDS.items():
        found = mapped(name)
        if field.type == "messages":
            assert found["properties"]["parts"]["properties"]["content"]["copy_to"] == TEXT
        else:
            assert "properties" not in found, f"{name} is a value and an object"
            assert ("copy_to" in found) == (name in CONTENT and field.type != "labels")
    assert mapped(TEXT)["type"] == "text"
