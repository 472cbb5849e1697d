"""Little that unfolds to much, at each door that unfolds by itself: what comes out is bounded, and soon there.

Receivers are in test_ways_in.py, frames in core/test_frames.py, the sidecar's records in sidecar/test_record.py and
evidence in indexer/test_evidence.py.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from slmtrail.collectors import entries
from slmtrail.collectors.guard import asked
from slmtrail.core.errors import StorageError

SIZE_BYTES = 100 << 20
FOLDED: dict[str, Callable[[bytes], bytes]] = {
    "gz": lambda data: gzip.compress(data, 6),
    "zst": lambda data: zstandard.compress(data, 3),
}


@pytest.mark.parametrize("form", FOLDED)
@pytest.mark.parametrize("read", [entries.lines, entries.entries])
def test_a_file_of_history(
    form: str, read: Callable[[Path], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unfolded = 0
    pieces = entries._pieces

    def counted(path: Path) -> object:
        nonlocal unfolded
        for piece in pieces(path):
            unfolded += len(piece)
            yield piece

    monkeypatch.setattr(entries, "_pieces", counted)
    monkeypatch.setattr(entries, "MAX_LINE_BYTES", 4 << 20)
    file = tmp_path / f"history.ndjson.{form}"
    file.write_bytes(FOLDED[form](bytes(SIZE_BYTES)))
    with pytest.raises(StorageError, match="it is not a file of entries"):
        for _ in read(file):  # type: ignore[attr-defined]
            pass
    assert unfolded < SIZE_BYTES / 2


@pytest.mark.parametrize(
    ("coding", "fold"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("zstd", zstandard.compress)]
)
def test_what_a_guard_looks_into(coding: str, fold: Callable[[bytes], bytes]) -> None:
    assert asked._decoded(fold(bytes(SIZE_BYTES)), coding, 1 << 20) is None
    assert asked._decoded(fold(b"x" * 1000), coding, 1 << 20) == b"x" * 1000
