"""A store built anew beside the one in use, and put in its place when it is whole.

How it fails: until `swap` the store in use is as it was, and what was built so far is there for the next attempt. A
crash within `swap` loses nothing: the new store is deleted last, so the next attempt swaps again.
"""

from __future__ import annotations

import logging
from contextlib import closing
from itertools import chain, groupby, islice
from pathlib import Path
from typing import Protocol

from slmtrail.core import durable
from slmtrail.core.errors import SettingsError, StorageError, StoreError
from slmtrail.core.ports import Store
from slmtrail.indexer.store.elastic_names import DATASET, Streams

log = logging.getLogger(__name__)

FRESH = "_fresh"
"""Behind the name of what is built anew."""

BATCH = 500
END = 2**62


class Rebuild(Protocol):
    """What is built and put in place. `store` is the new one."""

    store: Store

    def swap(self) -> None:
        """Puts the new store in the place of the old one, which is deleted."""
        ...


def rebuild(url: str, *, dataset: str = DATASET, api_key: str | None = None, ca_file: Path | None = None) -> Rebuild:
    """Begins or goes on with a store that is to take the place of the one at `url`."""
    scheme, _, rest = url.partition(":")
    if scheme == "sqlite" and rest:
        return SqliteRebuild(Path(rest))
    if scheme in ("http", "https"):
        return ElasticRebuild(url, dataset, api_key, ca_file)
    raise SettingsError("store: is neither sqlite:<path> nor http(s)://host:port of Elasticsearch")


class SqliteRebuild:
    """A file beside the file."""

    def __init__(self, path: Path) -> None:
        from slmtrail.indexer.store.sqlite import SqliteStore

        self._path = path
        self._fresh = path.with_name(path.name + FRESH)
        self.store: Store = SqliteStore(self._fresh, writable=True)

    def swap(self) -> None:
        """Puts the new file in the place of the old one."""
        self._take_statistics_over()
        self.store.close()
        try:
            # What the old file has not taken in yet must not be taken into the new one.
            for suffix in ("-wal", "-shm"):
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
            self._fresh.replace(self._path)
            durable.sync_folder(self._path.parent)
        except OSError as error:
            raise StorageError(f"{self._path}: can't be replaced: {error.strerror}; {durable.advice(error)}") from error

    def _take_statistics_over(self) -> None:
        """Hourly statistics outlive the records that they were made from."""
        from slmtrail.indexer.store.sqlite import SqliteStore

        if not self._path.exists():
            return
        try:
            with closing(SqliteStore(self._path)) as old:
                for hour_ms, rollups in groupby(old.rollups(0, END), key=lambda one: one.hour_ms):
                    self.store.roll_up(hour_ms, list(rollups))
        except (StorageError, StoreError) as error:
            log.warning("hourly statistics are made anew only of the records that are there: %s", error)


class ElasticRebuild:
    """Data streams under another name. When they are whole they are copied behind those in use, and what these had
    before is deleted: by core requests alone, which every cluster has. Searches find records twice meanwhile."""

    def __init__(self, url: str, dataset: str, api_key: str | None, ca_file: Path | None) -> None:
        from slmtrail.indexer.store.elastic import ElasticStore
        from slmtrail.indexer.store.elastic_client import ElasticClient

        self._client = ElasticClient(url, api_key=api_key, ca_file=ca_file)
        self._in_use = ElasticStore(url, writable=True, dataset=dataset, api_key=api_key, ca_file=ca_file)
        self._streams = Streams(dataset), Streams(dataset + FRESH)
        self.store: Store = ElasticStore(url, writable=True, dataset=dataset + FRESH, api_key=api_key, ca_file=ca_file)

    def swap(self) -> None:
        """Copies the new store behind the old one, and deletes what was there before once the copies are found."""
        in_use, fresh = self._streams
        old = self._rolled_over(in_use)
        for ledger in self.store.ledgers():
            records = self.store.scan(ledger, 0, END)
            while batch := list(islice(records, BATCH)):
                if refused := self._in_use.write(batch):
                    raise StoreError(f"leaf {refused[0].sealed.leaf}: {refused[0].reason}")
        self.store.close()
        self._client.refresh(in_use.searched)
        for index in (*old, *self._rolled_over(fresh)):
            self._client.ask("DELETE", f"/{index}")
        self._in_use.close()
        self._client.close()

    def _rolled_over(self, streams: Streams) -> list[str]:
        """All indices that there were before each data stream got a new one."""
        from slmtrail.indexer.store.elastic_retain import backing

        there = backing(self._client, streams)
        for name in there:
            self._client.ask("POST", f"/{name}/_rollover")
        rewritten = self._client.ask("GET", f"/_alias/{streams.past}") or {}
        return [*chain(*there.values()), *rewritten]
