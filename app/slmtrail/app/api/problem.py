"""What went wrong, as `application/problem+json` (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from starlette.responses import Response

from slmtrail.core.errors import KeyFileError, NotAllowed, NotFound, QueryError, StorageError, StoreError, TrailError

MEDIA_TYPE = "application/problem+json"


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None, **more: Any) -> Response:
    """An answer that says what was wrong and what to do."""
    content = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, **more}
    return Response(orjson.dumps(content), status, headers, MEDIA_TYPE)


def of(error: TrailError) -> Response:
    """The answer for one of our errors."""
    if isinstance(error, QueryError):
        more = {"at": error.at} if error.at else {}
        return problem(400, str(error), None, **more)
    if isinstance(error, NotAllowed):
        return problem(403, str(error))
    if isinstance(error, NotFound):
        return problem(404, str(error))
    if isinstance(error, StoreError | StorageError | KeyFileError):
        return problem(503, str(error), {"retry-after": "10"})
    return problem(500, str(error))
