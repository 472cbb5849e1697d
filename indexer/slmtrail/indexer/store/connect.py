"""Opens the store that a url names."""

from __future__ import annotations

from pathlib import Path

from slmtrail.core.errors import SettingsError
from slmtrail.core.ports import Store


def connect(
    url: str,
    *,
    writable: bool = False,
    dataset: str = "slm",
    api_key: str | None = None,
    retention_api_key: str | None = None,
    ca_file: Path | None = None,
) -> Store:
    """The store at `sqlite:<path>` or `http(s)://host:port`. Raises SettingsError for any other url.

    `writable` makes the file or the index templates where they are missing; one process may write at a time
    into a SQLite store, any number may read. The other options are Elasticsearch's: `dataset` keeps several
    trails of one cluster apart, `retention_api_key` erases and expires where `api_key` may not, `ca_file` says whom its
    certificate is from.
    """
    scheme, _, rest = url.partition(":")
    if scheme == "sqlite" and rest:
        from slmtrail.indexer.store.sqlite import SqliteStore

        return SqliteStore(Path(rest), writable=writable)
    if scheme in ("http", "https") and rest.startswith("//"):
        from slmtrail.indexer.store.elastic import ElasticStore

        return ElasticStore(
            url,
            writable=writable,
            dataset=dataset,
            api_key=api_key,
            retention_api_key=retention_api_key,
            ca_file=ca_file,
        )
    raise SettingsError("store: is neither sqlite:<path> nor http(s)://host:port of Elasticsearch")
