"""Data streams, ids, cursors and templates."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slmtrail.core import certificate, retaining
from slmtrail.core.errors import QueryError, SettingsError
from slmtrail.core.fields import FIELDS, WORDED
from slmtrail.indexer.store import cursor
from slmtrail.indexer.store.columns import ENVIRONMENT
from slmtrail.indexer.store.connect import connect
from slmtrail.indexer.store.cursor import NONE, SORTS, Cursor
from slmtrail.indexer.store.elastic_names import MAX_STREAMS, Streams, class_of_stream, namespace, rewritten
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


def stream(streams: Streams, record: dict[str, Any]) -> str:
    return streams.of(streams.names(record))


def test_callers_can_not_make_any_number_of_data_streams() -> None:
    streams = Streams("slm")
    names = {stream(streams, {ENVIRONMENT: f"env{number}"}) for number in range(1000)}
    assert len(names) == MAX_STREAMS + 1
    assert stream(streams, {ENVIRONMENT: "env0"}) == "logs-slm.standard-env0"
    assert stream(streams, {ENVIRONMENT: "one more"}) == "logs-slm.standard-other"
    assert stream(streams, {ENVIRONMENT: "env0", retaining.FIELD: "audit"}) == "logs-slm.audit-other"


def test_a_record_goes_where_its_class_and_environment_say() -> None:
    streams = Streams("slm")
    assert stream(streams, {}) == "logs-slm.standard-none"
    assert stream(streams, {retaining.FIELD: "audit", ENVIRONMENT: "Prod"}) == "logs-slm.audit-prod"
    assert stream(streams, {retaining.FIELD: "a-b"}) == "logs-slm.standard-none"
    assert stream(streams, {retaining.FIELD: 7}) == "logs-slm.standard-none"
    assert stream(streams, {certificate.FIELD: "{}", ENVIRONMENT: "prod"}) == "logs-slm.certificates-prod"
    assert {class_of_stream(name) for name in streams.known} == {"standard", "audit", "certificates"}


def test_an_index_fits_its_class_and_environment() -> None:
    streams, record = Streams("slm"), {ENVIRONMENT: "prod"}
    assert streams.fits(".ds-logs-slm.standard-prod-2026.01.31-000001", record)
    assert streams.fits(".ds-logs-slm.standard-other-2026.01.31-000012", record)
    assert not streams.fits(".ds-logs-slm.standard-dev-2026.01.31-000001", record)
    assert not streams.fits(".ds-logs-slm.audit-prod-2026.01.31-000001", record)
    assert not streams.fits("elsewhere", record)


def test_a_rewritten_index_goes_on_fitting() -> None:
    streams, index = Streams("slm"), ".ds-logs-slm.standard-prod-2026.01.31-000001"
    for number in (1, 2, 3):
        index = rewritten(index)
        assert index == f"past-logs-slm.standard-prod-2026.01.31-000001-r{number}"
        assert streams.fits(index, {ENVIRONMENT: "prod"})
        assert not streams.fits(index, {ENVIRONMENT: "dev"})


_PLACES = (st.integers(-(2**60), 2**60), st.text(), st.integers(0, 2**53), st.text())


@given(
    st.builds(Cursor, st.sampled_from(["time", "-time"]), st.none(), *_PLACES)
    | st.builds(Cursor, st.sampled_from(["status", "-latency_ms"]), st.integers(-NONE, NONE), *_PLACES)
)
def test_a_cursor_comes_back_from_its_text(place: Cursor) -> None:
    assert cursor.parse(place.text(), place.sort) == place
    with pytest.raises(QueryError, match="in the same order"):
        cursor.parse(place.text(), "-output_tokens")


_PARTS = st.none() | st.integers() | st.text(max_size=5) | st.sampled_from(SORTS) | st.booleans()


@given(st.text() | st.lists(_PARTS, max_size=7).map(lambda parts: base64.urlsafe_b64encode(json.dumps(parts).encode())))
def test_any_other_text_is_an_error(given_text: str | bytes) -> None:
    text = given_text if isinstance(given_text, str) else given_text.decode()
    with pytest.raises(QueryError, match="cursor"):
        cursor.parse(text, "-time")


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
            assert ("copy_to" in found) == (name in WORDED and field.type != "labels")
    assert mapped(TEXT)["type"] == "text"
