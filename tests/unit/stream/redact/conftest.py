"""The redactor takes seconds to make: one for all tests of a run."""

from __future__ import annotations

import pytest

from slmtrail.stream.redact.engine import Engine
from slmtrail.stream.redact.options import RedactOptions
from slmtrail.stream.redact.redactor import Redactor

KEY = b"k" * 32


@pytest.fixture(scope="session")
def engine() -> Engine:
    """The engine with the usual options."""
    return Engine(RedactOptions())


@pytest.fixture(scope="session")
def redactor(engine: Engine) -> Redactor:
    """The redactor with the usual options."""
    return Redactor(RedactOptions(), KEY, analyzer=engine)
