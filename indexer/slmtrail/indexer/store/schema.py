"""The tables of the embedded store."""

from __future__ import annotations

import sqlite3
from collections.abc import Set
from pathlib import Path

from slmtrail.core.errors import StoreError

APPLICATION_ID = 0x736C6D74
VERSION = 6
_PAGE_BYTES = 8192
"""Five records of common size fill a page of this size well; of the usual 4096 bytes a third stays empty."""


def _statistics(table: str) -> str:
    """Of hours, or of whole days, which is what a long span is told from."""
    return f"""CREATE TABLE {table} (
      hour_ms INTEGER NOT NULL, model TEXT NOT NULL, environment TEXT NOT NULL, kind TEXT NOT NULL,
      count INTEGER NOT NULL, failures INTEGER NOT NULL, blocked INTEGER NOT NULL, input_tokens INTEGER NOT NULL,
      output_tokens INTEGER NOT NULL, findings INTEGER NOT NULL, latency TEXT NOT NULL,
      PRIMARY KEY (hour_ms, model, environment, kind)
    ) STRICT, WITHOUT ROWID"""


# A record's searched columns lie apart from its data, so that a search reads few pages; a term (a user, model,
# session, …) carries the most common of them too, so that a search for it reads its rows alone. An id that stands at
# two leaves, or a leaf that has two records, is kept as it is: verification names it.
_TABLES = (
    """CREATE TABLE record (
      place INTEGER PRIMARY KEY, ledger TEXT NOT NULL, leaf INTEGER NOT NULL, id TEXT NOT NULL,
      ts_ms INTEGER NOT NULL, kind TEXT, environment TEXT, outcome TEXT, collector TEXT,
      service TEXT, latency_ms INTEGER, input_tokens INTEGER, output_tokens INTEGER, status INTEGER
    ) STRICT""",
    "CREATE UNIQUE INDEX record_leaf ON record (ledger, leaf, id)",
    "CREATE INDEX record_id ON record (id)",
    "CREATE INDEX record_newest ON record (ts_ms, ledger, leaf, id, kind, environment, outcome, collector, "
    "service, latency_ms, input_tokens, output_tokens, status)",
    """CREATE TABLE term (
      name TEXT NOT NULL, value TEXT NOT NULL, ts_ms INTEGER NOT NULL, place INTEGER NOT NULL,
      kind TEXT, environment TEXT, outcome TEXT, collector TEXT,
      PRIMARY KEY (name, value, ts_ms, place)
    ) STRICT, WITHOUT ROWID""",
    "CREATE TABLE payload (place INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT",
    *map(_statistics, ("rollup", "rollup_day")),
)
ALONG = {
    "kind": ("kind", "ts_ms", "environment"),
    "collector": ("collector", "ts_ms", "environment"),
    "outcome": ("outcome", "ts_ms", "environment", "kind"),
}
"""Columns with an index of their own, and what stands in it: alerts, changes, failures and a silent collector's last
word are few among many. Each costs a record 30 to 40 bytes."""

_ALONG = {name: f"CREATE INDEX record_{name} ON record ({', '.join(columns)})" for name, columns in ALONG.items()}
_SINCE = {3: (_ALONG["kind"], _ALONG["collector"]), 4: (_statistics("rollup_day"),), 5: (_ALONG["outcome"],)}
"""By the version of an older store, what it lacks."""

_TOKENIZER = """ascii tokenchars '_.:,;""#*'''"""


def searched_text(create: str, payload: str) -> str:
    """The view that stands for the indexed text: no copy of it is kept, it is made anew from the data."""
    return f"CREATE {create} searched_text (place, text) AS SELECT place, searched(data) FROM {payload}"  # noqa: S608


def words(name: str) -> str:
    """The index of words. Its tokenizer only splits at blanks: `words.py` has found the words already."""
    return (
        f"CREATE VIRTUAL TABLE {name} USING fts5 (text, content = 'searched_text', content_rowid = 'place', "
        f'columnsize = 0, tokenize = "{_TOKENIZER}")'
    )


def create(db: sqlite3.Connection) -> None:
    """Makes the tables in an empty database."""
    for statement in (*_TABLES, *_ALONG.values(), searched_text("VIEW", "payload"), words("words")):
        db.execute(statement)
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute(f"PRAGMA user_version = {VERSION}")


def pristine() -> sqlite3.Connection:
    """An empty store in memory, to compare with."""
    db = sqlite3.connect(":memory:")
    create(db)
    return db


def prepare(db: sqlite3.Connection, path: Path) -> None:
    """Makes the tables in a new file, and what those of an older version lack; leaves alone what is none."""
    if not _is_empty(db):
        _check(db, path, {VERSION, *_SINCE})
    db.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("BEGIN IMMEDIATE")
    if _is_empty(db):
        create(db)
    else:
        _complete(db)
    db.execute("COMMIT")


def none_yet(path: Path) -> StoreError:
    """What a reader is told where no pipeline has run, or is about to make its tables."""
    return StoreError(f"{path}: there is no store here yet; start the pipeline, or look at the setting `store`")


def _is_empty(db: sqlite3.Connection) -> bool:
    return db.execute("SELECT 1 FROM sqlite_schema").fetchone() is None


def _complete(db: sqlite3.Connection) -> None:
    from slmtrail.indexer.store.sqlite_retain import put_days_together

    before = _version(db)
    for version in range(before, VERSION):
        for statement in _SINCE[version]:
            db.execute(statement)
    if before < VERSION:
        put_days_together(db, [hour_ms for (hour_ms,) in db.execute("SELECT DISTINCT hour_ms FROM rollup")])
    db.execute(f"PRAGMA user_version = {VERSION}")


def check(db: sqlite3.Connection, path: Path) -> None:
    """Raises StoreError for a file that is no store of this version."""
    if _is_empty(db):
        raise none_yet(path)
    _check(db, path, {VERSION})


def _check(db: sqlite3.Connection, path: Path, versions: Set[int]) -> None:
    (application,) = db.execute("PRAGMA application_id").fetchone()
    if application != APPLICATION_ID:
        raise StoreError(f"{path}: is not a store of slmtrail; look at the setting `store`")
    version = _version(db)
    if version in versions:
        return
    advice = (
        "start the pipeline once, which brings it up to date"
        if version in _SINCE
        else "move it away and index the records anew, or read it with the slmtrail that wrote it"
    )
    raise StoreError(f"{path}: is a store of version {version}, this slmtrail reads version {VERSION}; {advice}")


def _version(db: sqlite3.Connection) -> int:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    return int(version)
