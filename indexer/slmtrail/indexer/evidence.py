"""A case file: records with all that is needed to prove them to someone who trusts a public key alone.

It is a zip with the records, a proof for each, the ledgers' signed heads, the keys of collectors, the policy in force,
a report to read and print, the query as it was asked, and a program of one file that checks it all offline. The
manifest names each file by its hash and is signed with the ledger's key.
"""

from __future__ import annotations

import base64
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import orjson

from slmtrail.core import canonical
from slmtrail.core.errors import LedgerError
from slmtrail.core.keys import Signer
from slmtrail.core.ports import Page, Query, Sealed
from slmtrail.indexer import export, verify_evidence
from slmtrail.indexer.ledger.checkpoint import Checkpoint
from slmtrail.indexer.ledger.log import Log
from slmtrail.indexer.ledger.proof import Proof
from slmtrail.indexer.report import report
from slmtrail.indexer.verify.folder import LedgerFolder

MAX_RECORDS = 100_000
PAGE = 1000
_STORED_RATIO = 100
"""What shrinks further is stored as it is: a reader takes such an archive for one made to fill its disk."""

Search = Callable[[Query], Page]


@dataclass(slots=True)
class Case:
    """What goes into a case besides the records."""

    query: Mapping[str, Any]
    """As it was asked, in words that the command line takes."""
    made: str
    made_by: str
    collectors: list[dict[str, Any]] = field(default_factory=list)
    """The trust file's rows, of which those of the records' collectors are kept."""
    policy: bytes = b""
    policy_digest: str = ""


@dataclass(slots=True)
class _Head:
    folder: LedgerFolder
    data: bytes
    checkpoint: Checkpoint
    log: Log


def write(
    path: Path, search: Search, query: Query, folders: list[LedgerFolder], key: Signer, case: Case
) -> dict[str, Any]:
    """Writes the case of all records that fit `query`; returns its manifest.

    Records newer than the last signed head can't be proved yet: the manifest lists them.
    """
    heads = {folder.ledger: _opened(folder) for folder in folders}
    found = sorted(_all(search, query), key=lambda sealed: (sealed.ledger, sealed.leaf))
    unknown = {sealed.ledger for sealed in found} - heads.keys()
    if unknown:
        raise LedgerError(f"records name the ledger {min(unknown)!r}, which is not here: run slmtrail verify")
    proved = [sealed for sealed in found if sealed.leaf < heads[sealed.ledger].checkpoint.size]
    named = sorted({sealed.ledger for sealed in proved})
    files: dict[str, bytes] = {"records.ndjson": b"".join(map(export.line, proved))}
    for number, ledger in enumerate(named):
        files[f"checkpoints/{number}.txt"] = heads[ledger].data
    for sealed in proved:
        head = heads[sealed.ledger]
        proof = Proof(sealed.leaf, tuple(head.log.inclusion_proof(sealed.leaf)), head.data)
        files[f"proofs/{named.index(sealed.ledger)}/{sealed.leaf}.tlog-proof"] = proof.encode()
    verifiers = [str(verifier) for ledger in named or heads for verifier in heads[ledger].folder.keys]
    files["keys/ledger.vkey"] = "".join(f"{line}\n" for line in verifiers).encode()
    origins = {sealed.record["slm.collector.id"] for sealed in proved}
    collectors = [row for row in case.collectors if row["collector"] in origins]
    files["keys/collectors.json"] = orjson.dumps(collectors, option=orjson.OPT_INDENT_2)
    files["policy.json"] = case.policy
    manifest: dict[str, Any] = {
        "format": "slmtrail evidence v1",
        "made": case.made,
        "made_by": case.made_by,
        "version": metadata.version("slmtrail"),
        "query": dict(case.query),
        "asked_of_the_store": {name: value for name, value in asdict(query).items() if name != "hashed"},
        "ledgers": named,
        "records": len(proved),
        "pending": [sealed.id for sealed in found if sealed.leaf >= heads[sealed.ledger].checkpoint.size],
        "policy_digest": case.policy_digest,
        "policies_of_records": sorted({sealed.record.get("slm.policy.digest", "") for sealed in proved}),
    }
    heads_told = [(ledger, heads[ledger].checkpoint, str(heads[ledger].folder.keys[0])) for ledger in named]
    files["report.html"] = report(manifest, proved, heads_told, collectors).encode()
    files["verify_evidence.py"] = Path(verify_evidence.__file__).read_bytes()
    manifest["files"] = {name: verify_evidence.sha256(data).hex() for name, data in files.items()}
    signed = canonical.dumps(manifest)
    files["manifest.json"] = signed
    files["manifest.sig"] = base64.b64encode(key.sign(verify_evidence.SIGNED + signed)) + b"\n"
    _pack(path, files)
    return manifest


def _opened(folder: LedgerFolder) -> _Head:
    data, checkpoint = folder.checkpoint()
    log = Log.open(folder.folder, checkpoint.size)
    if log.root() != checkpoint.root:
        raise LedgerError(f"{folder.ledger}: the tiles do not give the signed root: run slmtrail verify")
    return _Head(folder, data, checkpoint, log)


def _all(search: Search, query: Query) -> Iterator[Sealed]:
    count, asked = 0, replace(query, limit=PAGE, after="", count_to=MAX_RECORDS + 1)
    while True:
        page = search(asked)
        count += len(page.records)
        if max(count, page.total) > MAX_RECORDS:
            raise LedgerError(f"more than {MAX_RECORDS} records fit, and a case holds no more: ask for fewer")
        yield from page.records
        if not page.cursor:
            return
        asked = replace(asked, after=page.cursor, count_to=0)


def _pack(path: Path, files: dict[str, bytes]) -> None:
    """Puts files into a zip that has the same bytes for the same files."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, data)
            written = archive.getinfo(name)
            if written.file_size > _STORED_RATIO * max(written.compress_size, 1000):
                raise LedgerError(f"{name}: shrinks to less than a hundredth, which readers take for a trap")
