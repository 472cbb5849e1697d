"""Writing many documents at once, each of them once."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import orjson
from elastic_transport import TransportError
from elasticsearch import ApiError

from slmtrail.core.errors import StoreError
from slmtrail.core.fields import FIELDS
from slmtrail.core.ports import Refusal, Sealed
from slmtrail.indexer.store.columns import objection
from slmtrail.indexer.store.elastic_client import CLOSED_TOO, ElasticClient
from slmtrail.indexer.store.elastic_names import Streams, stored_id, stream_of
from slmtrail.indexer.store.elastic_pace import Pace
from slmtrail.indexer.store.mapping import LEAF, LEDGER, TEXT
from slmtrail.indexer.store.text import supplement

MAX_ID_BYTES = 512
_BUSY = frozenset({429, 502, 503, 504})
_REFUSED_OUTRIGHT = 429
_TOO_LARGE = 413
_CREATED = 201
_OF_THE_CLUSTER = frozenset({"validation_exception", "index_closed_exception"})
"""What is answered with 400 though no document is at fault, such as a cluster that has all the shards it may have."""
_ANSWER = ",".join(
    f"items.create.{name}" for name in ("status", "error.type", "error.reason", "_index", "failure_store")
)
_QUOTES = re.compile(r"\. Preview of field's value|\. The prefix of|: \[|For input string|Original message")
_REASON_CHARS = 300
_ESCAPED = re.compile(rb"\\[\\u]")
_PLACE = b'{"%b":%%b,"%b":%%d' % (LEDGER.encode(), LEAF.encode())
_Extract = tuple[tuple[str, str], bytes]
_LABELS = frozenset(name for name, field in FIELDS.items() if field.type == "labels")


@dataclass(slots=True)
class _Document:
    sealed: Sealed
    stream: str
    id: str
    line: bytes

    def lines(self) -> tuple[bytes, bytes, bytes]:
        action = b'{"create":{"_index":%b,"_id":%b}}\n' % (orjson.dumps(self.stream), orjson.dumps(self.id))
        return action, self.line, b"\n"


class Bulk:
    """The writing half of the store on Elasticsearch. Several threads may write at once."""

    def __init__(self, client: ElasticClient, streams: Streams, patience_s: float) -> None:
        self._client = client
        self._streams = streams
        self._patience_s = patience_s
        self._pace = Pace()

    def extract(self, sealed: Sealed) -> str | _Extract:
        """The names of a record's data stream and the words to search it by, or why it can't be stored."""
        record = sealed.record
        return _objection(sealed, record) or (self._streams.names(record), _words(sealed.data, record))

    def write(self, records: Sequence[Sealed]) -> list[Refusal]:
        """Stores each record once. Raises StoreError when the server is busy or absent for longer than the patience;
        then some may be stored."""
        refusals: list[Refusal] = []
        documents = []
        for sealed in records:
            extract: str | _Extract = sealed.extract or self.extract(sealed)
            if isinstance(extract, str):
                refusals.append(Refusal(sealed, extract))
            else:
                names, words = extract
                documents.append(_Document(sealed, self._streams.of(names), stored_id(sealed), _line(sealed, words)))
        for batch in self._pace.batches(documents, lambda document: len(document.line)):
            refusals += self._store(batch)
        return refusals

    def _store(self, pending: list[_Document]) -> list[Refusal]:
        refusals: list[Refusal] = []
        waits = _waits(self._patience_s)
        unsure = False
        while pending:
            try:
                if unsure:
                    pending, unsure = self._absent(pending), False
                if not pending:
                    break
                began_s = time.monotonic()
                body = b"".join(chain.from_iterable([document.lines() for document in pending]))
                answer = self._client.raw("POST", "/_bulk", body, filter_path=_ANSWER)
                self._pace.answered(len(pending), time.monotonic() - began_s)
            except ApiError as error:
                self._pace.held_up()
                if error.status_code == _TOO_LARGE:
                    return refusals + self._store_parted(pending, error)
                if error.status_code not in _BUSY or not next(waits, False):
                    raise self._client.refused(error) from error
                # What stands between us and the server may have lost an answer of its.
                unsure = unsure or error.status_code != _REFUSED_OUTRIGHT
            except TransportError as error:
                self._pace.held_up()
                if not next(waits, False):
                    raise self._client.unreachable(error) from error
                unsure = True
            else:
                busy, doubled = self._again(pending, answer, refusals)
                if busy and not next(waits, False):
                    raise StoreError(f"Elasticsearch at {self._client.place} is too busy to take records; try later")
                pending = busy + doubled
        return refusals

    def _again(
        self, sent: list[_Document], answer: Any, refusals: list[Refusal]
    ) -> tuple[list[_Document], list[_Document]]:
        """Of documents that were answered, those to be sent again: later, and at once.

        What is refused for good comes to `refusals`.
        """
        busy, doubled = [], []
        try:
            for document, item in zip(sent, answer["items"], strict=True):
                one = item["create"]
                if one["status"] in (_CREATED, 409) and "failure_store" not in one:
                    self._see_that_it_is_of(document.stream, one["_index"])
                if one["status"] == _CREATED and "failure_store" not in one:
                    continue
                if one["status"] in _BUSY:
                    busy.append(document)
                elif one["status"] == 409:
                    doubled.append((document, one["_index"]))
                elif one["status"] in (400, _TOO_LARGE) and one["error"]["type"] not in _OF_THE_CLUSTER:
                    refusals.append(Refusal(document.sealed, _reason(one["error"])))
                elif one["status"] >= 300:
                    kind = one["error"]["type"]
                    raise StoreError(f"Elasticsearch at {self._client.place} takes no records: {kind}")
                elif one.get("failure_store") == "used":
                    refusals.append(Refusal(document.sealed, "it went to the failure store, where nobody searches"))
        except (KeyError, TypeError, ValueError):
            raise StoreError(
                f"Elasticsearch at {self._client.place}: a bulk request is not answered as Elasticsearch does; "
                "look at what stands between"
            ) from None
        if busy:
            self._pace.held_up()
        return busy, self._at_other_leaves(doubled)

    def _see_that_it_is_of(self, stream: str, index: str) -> None:
        """A pipeline of the cluster may lead documents elsewhere, where no search would find them."""
        if stream_of(index) != stream:
            raise StoreError(
                f"Elasticsearch at {self._client.place} puts what is written to {stream} into {index}: take away the "
                "pipeline or alias that leads it there"
            )

    def _store_parted(self, pending: list[_Document], error: ApiError) -> list[Refusal]:
        if len(pending) == 1:
            return [Refusal(pending[0].sealed, f"the server takes no request of its size ({error.status_code})")]
        middle = len(pending) // 2
        return self._store(pending[:middle]) + self._store(pending[middle:])

    def _absent(self, documents: list[_Document]) -> list[_Document]:
        """Those that did not arrive, after a request whose answer is not known. An index that was rolled over since
        would take the others once more."""
        self._client.raw("POST", f"/{self._streams.searched}/_refresh", **CLOSED_TOO)
        body = {
            "size": len(documents) * 2,
            "query": {"ids": {"values": [document.id for document in documents]}},
            "_source": [LEDGER, LEAF],
        }
        path = f"/{self._streams.searched}/_search"
        hits = self._client.raw("POST", path, body, allow_partial_search_results="false")["hits"]["hits"]
        there = {(hit["_id"], *_place(hit["_source"])) for hit in hits}
        return [d for d in documents if (d.id, d.sealed.ledger, d.sealed.leaf) not in there]

    def _at_other_leaves(self, doubled: list[tuple[_Document, str]]) -> list[_Document]:
        """Of documents whose id is taken, those that stand at another leaf, under an id of their own.

        They are kept, so that verification finds them; an id that is refused again is the same record.
        """
        if not doubled:
            return []
        wanted = [{"_index": index, "_id": document.id, "_source": [LEDGER, LEAF]} for document, index in doubled]
        found = self._client.ask("POST", "/_mget", {"docs": wanted})["docs"]
        again = []
        for (document, _), other in zip(doubled, found, strict=True):
            sealed = document.sealed
            elsewhere = _place(other.get("_source", {})) != (sealed.ledger, sealed.leaf)
            if elsewhere and document.id == stored_id(sealed):
                again.append(replace(document, id=stored_id(sealed, doubled=True)))
        return again


def line(sealed: Sealed) -> bytes:
    """The document of a record: its own text, its place and the words to search it by put in front."""
    return _line(sealed, _words(sealed.data, sealed.record))


def _words(data: bytes, record: dict[str, Any]) -> bytes:
    """What stands in a document between its place and the record's own text."""
    # Only where there is a backslash in a string, however it is written, is there anything behind one; few have any.
    if (b"\\" in data and _ESCAPED.search(data)) or not record.keys().isdisjoint(_LABELS):
        words = supplement(record)
        return b',"%b":%b,' % (TEXT.encode(), orjson.dumps(words)) if words else b","
    return b","


def _line(sealed: Sealed, words: bytes) -> bytes:
    # A newline can only stand between values, where a blank means the same; here it would end the document.
    data = sealed.data.replace(b"\n", b" ")
    place = _PLACE % (orjson.dumps(sealed.ledger), sealed.leaf)
    return b"".join((place, words, data[data.index(b"{") + 1 :]))


def _objection(sealed: Sealed, record: dict[str, Any]) -> str:
    if len(stored_id(sealed, doubled=True).encode()) > MAX_ID_BYTES:
        return (
            f"event.id: is longer than the {MAX_ID_BYTES} bytes that Elasticsearch takes, or its leaf does not fit too"
        )
    return objection(sealed.id, record)


def _waits(patience_s: float) -> Iterator[bool]:
    """Sleeps ever longer at each step, until the patience is over."""
    deadline = time.monotonic() + patience_s
    pause_s = 0.1
    while (left := deadline - time.monotonic()) > 0:
        time.sleep(min(left, pause_s * random.uniform(0.5, 1)))  # noqa: S311 - no secret, only spread
        yield True
        pause_s = min(pause_s * 2, 5)


def _place(source: dict[str, Any]) -> tuple[Any, Any]:
    return source.get(LEDGER), source.get(LEAF)


def _reason(error: dict[str, Any]) -> str:
    """Why the server refused a document, without the pieces of it that the server likes to quote."""
    return f"{error['type']}: {_QUOTES.split(str(error.get('reason')))[0][:_REASON_CHARS]}"
