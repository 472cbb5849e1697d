"""The entries of a file of history: one a line, in a JSON document, or in lists as providers export them."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import orjson
import zstandard

from slmtrail.collectors.tail.source import SUFFIXES, unpacked
from slmtrail.core.errors import StorageError

PIECE_BYTES = 1024 * 1024
MAX_LINE_BYTES = 64 * 1024 * 1024
MAX_DOCUMENT_BYTES = 1024 * 1024 * 1024
"""A file that is one JSON document is in memory as a whole."""

_LISTS = ("records", "events", "value", "data")
"""Under one of these names, with little beside it, an export holds its entries."""
_MAX_BESIDE = 3
_CLOUDWATCH = frozenset({"message", "timestamp", "ingestionTime", "eventId", "logStreamName", "id"})
"""What the logs of CloudWatch wrap each entry in."""


def digest(path: Path) -> str:
    """The SHA-256 of what a file holds, unpacked."""
    made = hashlib.sha256()
    for piece in _pieces(path):
        made.update(piece)
    return made.hexdigest()


def entries(path: Path) -> Iterator[bytes]:
    """The entries of a file, in order. Raises StorageError where it can't be read to its end."""
    if not _is_document(path):
        for line in lines(path):
            yield from _within(line)
        return
    data = bytearray()
    for piece in _pieces(path):
        data += piece
        if len(data) > MAX_DOCUMENT_BYTES:
            raise StorageError(f"{path}: is a JSON document of over {MAX_DOCUMENT_BYTES} bytes: write one entry a line")
    try:
        yield from _listed(orjson.loads(data))
    except orjson.JSONDecodeError as error:
        raise StorageError(f"{path}: is no whole JSON document: {error.msg} at character {error.pos + 1}") from None


def lines(path: Path) -> Iterator[bytes]:
    """The lines of a file, the last one even without an end."""
    rest = b""
    for piece in _pieces(path):
        *whole, rest = (rest + piece).split(b"\n")
        yield from whole
        if len(rest) > MAX_LINE_BYTES:
            raise StorageError(f"{path}: has a line of over {MAX_LINE_BYTES} bytes: it is not a file of entries")
    if rest:
        yield rest


def _is_document(path: Path) -> bool:
    """Whether a file is a list, or an object over several lines."""
    first = next((line for line in lines(path) if line.strip()), b"").strip()
    return first.startswith(b"[") or first == b"{"


def _within(line: bytes) -> Iterable[bytes]:
    """A line, or the entries that it holds."""
    if any(b'"%s"' % name.encode() in line[:1000] for name in _LISTS):
        try:
            return _listed(orjson.loads(line))
        except orjson.JSONDecodeError:
            pass  # the format says what is wrong with it
    return (line,)


def _listed(document: Any) -> list[bytes]:
    found = document
    if isinstance(document, dict) and len(document) <= 1 + _MAX_BESIDE:
        held = [document[name] for name in _LISTS if isinstance(document.get(name), list)]
        found = held[0] if len(held) == 1 and all(isinstance(one, dict) for one in held[0]) else document
    return [_entry(one) for one in (found if isinstance(found, list) else [found])]


def _entry(value: Any) -> bytes:
    wrapped = isinstance(value, dict) and "message" in value and value.keys() <= _CLOUDWATCH
    return value["message"].encode() if wrapped and isinstance(value["message"], str) else orjson.dumps(value)


def _pieces(path: Path) -> Iterator[bytes]:
    try:
        with _opened(path) as file:
            while piece := file.read(PIECE_BYTES):
                yield piece
    except OSError as error:
        raise StorageError(f"{path}: can't be read: {error.strerror or error}") from None
    except (EOFError, zlib.error, zstandard.ZstdError) as error:
        raise StorageError(f"{path}: can't be unpacked to its end ({type(error).__name__}): is it whole?") from None


def _opened(path: Path) -> IO[bytes]:
    return unpacked(str(path)) if path.name.endswith(SUFFIXES) else path.open("rb")
