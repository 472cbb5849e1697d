"""The OpenAPI document against the API: whatever is asked is answered as the document says, and never by a fault."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import checks
from starlette.applications import Starlette

from readable_trail import ReadableTrail, a_day
from slmtrail.app.api.openapi import document
from slmtrail.app.readers.known import PREFIX, Readers
from slmtrail.app.web.pages import page_routes
from slmtrail.core.tokens import TokenFile

ENDLESS = "/stream"
PATHS = sorted(path for path in document()["paths"] if path != ENDLESS)
EXAMPLES = 12


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, str]]:
    """The document as it is served, and a token that lets everything through."""
    folder = tmp_path_factory.mktemp("api")
    trail, tokens = (
        ReadableTrail(folder),
        TokenFile(folder / "readers.json", "readers", PREFIX, "slmtrail readers list"),
    )
    trail.seal(*a_day())
    token, _ = tokens.new("schema", grant={"role": "admin", "environments": ["*"]})
    routes = page_routes(trail.reading, ["testserver"], Readers(tokens), requests_a_minute=1_000_000)
    yield schemathesis.openapi.from_asgi("/api/v1/openapi.json", Starlette(routes=routes)), token
    trail.close()


@pytest.mark.parametrize("path", PATHS)
def test_whatever_is_asked_is_answered_as_the_document_says(api: tuple[Any, str], path: str) -> None:
    schema, token = api
    (method,) = document()["paths"][path]

    @given(case=schema[path][method].as_strategy())
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any) -> None:
        answer = case.call(headers={"authorization": f"Bearer {token}"})
        case.validate_response(
            answer,
            checks=[
                checks.not_a_server_error,
                checks.status_code_conformance,
                checks.content_type_conformance,
                checks.response_schema_conformance,
            ],
        )

    ask()
