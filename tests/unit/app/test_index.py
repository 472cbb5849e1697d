"""`slmtrail index`: which partitions it is given."""

from __future__ import annotations

import pytest

from slmtrail.app.commands.index import _parsed
from slmtrail.core.errors import SettingsError


@pytest.mark.parametrize(("text", "partitions"), [("", None), ("3", [3]), ("0,2-4, 3", [0, 2, 3, 4]), ("2-2", [2])])
def test_partitions_are_numbers_and_ranges(text: str, partitions: list[int] | None) -> None:
    assert _parsed(text) == partitions


@pytest.mark.parametrize("text", [",", "x", "1-", "-1", "4-2", "1-2-3", "²"])
def test_what_names_no_partition_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="--partitions"):
        _parsed(text)
