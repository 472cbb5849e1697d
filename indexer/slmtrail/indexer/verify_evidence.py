#!/usr/bin/env python3
"""Checks a case file of slmtrail: that each record in it was sealed, unchanged, in a ledger whose key you trust.

    python verify_evidence.py case.zip --key KEY

KEY is the ledger's public key, which you got from elsewhere: a PEM file, or a line `name+id+base64` or a file with
one. Without it the key inside the case is used, and nothing is proved against whoever made the case.

It needs Python 3.9 and the package `cryptography`, no network and nothing of slmtrail. What it does, in this order:

1. the manifest is signed by the key, and every file of the case is the one the manifest names;
2. the head of each ledger (`checkpoints/`) is signed by the key: so many leaves, and the root over them;
3. of each record (`records.ndjson`) the entry is computed: SHA-256 over its canonical JSON, in which each field that
   has a salt is replaced by SHA-256(salt + value);
4. the entry, hashed as a leaf, leads with the hashes of its proof (`proofs/`) to the root of that head (RFC 6962);
5. the record's id follows from the collector, boot, frame, index and part that it names.

It does not prove that the query found all there is: for that, the whole ledger is verified (`slmtrail verify`).
Exit code 0: all of it holds. 1: something does not. 2: it can't be read.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import sys
import zipfile
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

MAX_FILE_BYTES = 1 << 30
MAX_CASE_BYTES = 4 << 30
MAX_RATIO = 200
"""JSON of many equal records shrinks to a hundredth; what shrinks further was made to fill a disk."""
NAME = re.compile(r"[a-z0-9_]+(\.[a-z0-9_-]+)*(/[a-z0-9_]+(\.[a-z0-9_-]+)*)*")
SIGNED = b"slmtrail evidence v1\n"


class Wrong(Exception):
    """The case does not hold."""


class Case:
    """The files of a case, read from the archive without unpacking it."""

    def __init__(self, path: Path) -> None:
        self._zip = zipfile.ZipFile(path)
        self.sizes: dict[str, int] = {}
        for info in self._zip.infolist():
            if not NAME.fullmatch(info.filename):
                raise Wrong(f"the archive holds a file outside of it or with a strange name: {info.filename[:100]!r}")
            if info.filename in self.sizes:
                raise Wrong(f"the archive holds {info.filename} twice")
            if info.file_size > MAX_FILE_BYTES or info.file_size > MAX_RATIO * max(info.compress_size, 1000):
                raise Wrong(f"{info.filename} expands to {info.file_size} bytes: that is no case")
            self.sizes[info.filename] = info.file_size
        if sum(self.sizes.values()) > MAX_CASE_BYTES:
            raise Wrong(f"the archive expands to {sum(self.sizes.values())} bytes: that is no case")

    def read(self, name: str) -> bytes:
        """One file, and never more than the archive said of it."""
        if name not in self.sizes:
            raise Wrong(f"{name} is missing")
        with self._zip.open(name) as file:
            data = file.read(self.sizes[name] + 1)
        if len(data) != self.sizes[name]:
            raise Wrong(f"{name} has not the size that the archive says")
        return data


def sha256(data: bytes) -> bytes:
    """SHA-256."""
    return hashlib.sha256(data).digest()


def canonical(value: Any) -> bytes:
    """The one JSON text of a value (RFC 8785); values are such that Python writes it."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object, in which no name may stand twice."""
    made = dict(pairs)
    if len(made) != len(pairs):
        raise Wrong("a JSON object names a field twice")
    return made


def entry(record: dict[str, Any]) -> bytes:
    """What the ledger holds of a record."""
    reduced = {k: v for k, v in record.items() if k not in ("slm.ledger.id", "slm.ledger.leaf")}
    salts = reduced.pop("slm.salts")
    commitments = dict(reduced.pop("slm.commitments", {}))
    for name, salt in salts.items():
        if name in commitments or name not in reduced or not re.fullmatch("[0-9a-f]{32}", salt):
            raise Wrong(f"the salt of {name} covers nothing")
        commitments[name] = sha256(bytes.fromhex(salt) + canonical(reduced.pop(name))).hex()
    return sha256(canonical({**reduced, "slm.commitments": commitments}))


def record_id(record: dict[str, Any]) -> str:
    """The id that follows from where a record comes from."""
    origin = [str(record[f"slm.collector.{part}"]) for part in ("id", "boot", "frame", "index", "part")]
    return sha256("\n".join(["slmtrail record v1", *origin]).encode()).hex()[:32]


def open_note(data: bytes, key: Ed25519PublicKey) -> list[str]:
    """The lines of a signed note (C2SP signed-note). Raises Wrong unless `key` signed it under its first line."""
    text, _, tail = data.decode().rpartition("\n\n")
    text += "\n"
    name = text.split("\n", 1)[0]
    raw = key.public_bytes_raw()
    key_id = sha256(name.encode() + b"\n\x01" + raw)[:4]
    for line in tail.split("\n"):
        if line.startswith(f"\u2014 {name} "):
            signature = base64.b64decode(line.rsplit(" ", 1)[1], validate=True)
            if signature[:4] == key_id:
                key.verify(signature[4:], text.encode())
                return text.split("\n")
    raise Wrong(f"the head of {name[:100]!r} is not signed by the key")


def root_of(leaf: bytes, index: int, size: int, proof: list[bytes]) -> bytes:
    """Where a proof of inclusion leads (RFC 9162, section 2.1.3.2)."""
    node, last, found = index, size - 1, leaf
    if not 0 <= index < size:
        raise Wrong(f"leaf {index} is not among {size}")
    for sibling in proof:
        if last == 0 or len(sibling) != 32:
            raise Wrong(f"the proof of leaf {index} has not the length it must have")
        if node & 1 or node == last:
            found = sha256(b"\x01" + sibling + found)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            found = sha256(b"\x01" + found + sibling)
        node, last = node >> 1, last >> 1
    if last:
        raise Wrong(f"the proof of leaf {index} has not the length it must have")
    return found


def check_record(record: dict[str, Any], proof: bytes, head: bytes, size: int, root: bytes) -> None:
    """Raises Wrong unless the record is a leaf under the head."""
    above, _, checkpoint = proof.partition(b"\n\n")
    header, *lines = above.decode().split("\n")
    if header != "c2sp.org/tlog-proof@v1" or checkpoint != head:
        raise Wrong("its proof is none, or belongs to another head than the case's")
    if lines[0] != f"index {record['slm.ledger.leaf']}":
        raise Wrong("its proof is about another leaf")
    hashes = [base64.b64decode(line, validate=True) for line in lines[1:]]
    if root_of(sha256(b"\x00" + entry(record)), record["slm.ledger.leaf"], size, hashes) != root:
        raise Wrong("it is not the record that was sealed at its leaf")
    if record["event.id"] != record_id(record):
        raise Wrong("its id does not follow from its origin")


def load_key(text: str) -> Ed25519PublicKey:
    """A public key: PEM or verifier key, as text or in a file."""
    if "\n" not in text and Path(text).is_file():
        text = Path(text).read_text()
    text = text.strip()
    if text.startswith("-----BEGIN"):
        key = load_pem_public_key(text.encode())
        if not isinstance(key, Ed25519PublicKey):
            raise ValueError("not an Ed25519 key")
        return key
    raw = base64.b64decode(text.split("+", 2)[2], validate=True)
    if raw[:1] != b"\x01" or len(raw) != 33:
        raise ValueError("not an Ed25519 key")
    return Ed25519PublicKey.from_public_bytes(raw[1:])


def check(case: Case, key: Ed25519PublicKey) -> dict[str, Any]:
    """Checks the whole case; returns its manifest. Raises Wrong where it does not hold."""
    manifest_bytes = case.read("manifest.json")
    try:
        key.verify(base64.b64decode(case.read("manifest.sig").strip(), validate=True), SIGNED + manifest_bytes)
    except InvalidSignature:
        raise Wrong("the manifest is not signed by the key: it was changed, or the key is another") from None
    manifest: dict[str, Any] = json.loads(manifest_bytes, object_pairs_hook=unique)
    if set(case.sizes) != {*manifest["files"], "manifest.json", "manifest.sig"}:
        raise Wrong("the files of the archive are not those of the manifest")
    for name, wanted in manifest["files"].items():
        if sha256(case.read(name)).hex() != wanted:
            raise Wrong(f"{name} was changed")
    heads = {}
    for number, ledger in enumerate(manifest["ledgers"]):
        data = case.read(f"checkpoints/{number}.txt")
        try:
            origin, size, root = open_note(data, key)[:3]
        except InvalidSignature:
            raise Wrong(f"the head of {ledger} was changed") from None
        if origin != ledger:
            raise Wrong(f"a head is of {origin!r}, not of {ledger!r}")
        heads[ledger] = number, data, int(size), base64.b64decode(root, validate=True)
    lines = case.read("records.ndjson").splitlines()
    places = set()
    for line in lines:
        record = json.loads(line, object_pairs_hook=unique)
        number, data, size_, root_ = heads[record["slm.ledger.id"]]
        leaf = record["slm.ledger.leaf"]
        if (number, leaf) in places:
            raise Wrong(f"record {record['event.id']} at leaf {leaf} stands in the case twice")
        places.add((number, leaf))
        try:
            check_record(record, case.read(f"proofs/{number}/{leaf}.tlog-proof"), data, size_, root_)
        except Wrong as error:
            raise Wrong(f"record {record['event.id']} at leaf {leaf}: {error}") from None
    if len(lines) != manifest["records"]:
        raise Wrong(f"the case holds {len(lines)} records, its manifest says {manifest['records']}")
    return manifest


def say(line: str) -> None:
    """One line, in which what a case holds neither begins another nor moves the cursor."""
    sys.stdout.write("".join(c if c.isprintable() else ascii(c)[1:-1] for c in line) + "\n")


def main() -> int:
    """Prints what was found."""
    parser = argparse.ArgumentParser(description="Checks a case file of slmtrail.")
    parser.add_argument("case", type=Path)
    parser.add_argument("--key", help="the ledger's public key, got from elsewhere than the case")
    given = parser.parse_args()
    try:
        trusted = load_key(given.key) if given.key else None
    except Exception:  # whatever was given for a key
        say(f"NOT VERIFIED: {given.key[:100]!r} is no public key of a ledger: a PEM file, or a line name+id+base64")
        return 2
    try:
        case = Case(given.case)
        key = trusted or load_key(case.read("keys/ledger.vkey").decode().split("\n")[0])
        manifest = check(case, key)
    except Wrong as error:
        say(f"NOT VERIFIED: {error}")
        return 1
    except Exception as error:  # whatever a damaged archive, JSON or base64 brings: it is not verified
        say(f"NOT VERIFIED: the case can't be read ({type(error).__name__})")
        return 2
    say(f"VERIFIED: {manifest['records']} records of {', '.join(manifest['ledgers']) or 'no ledger'}")
    say(f"made {manifest['made']}, query: {json.dumps(manifest['query'], ensure_ascii=True)}")
    fingerprint = sha256(key.public_bytes_raw()).hex()[:16]
    whose = "the key you gave" if given.key else "the key INSIDE the case: compare it with one you trust"
    say(f"by {whose}, {fingerprint}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
