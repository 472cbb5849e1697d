"""Makes vectors.json from docs/ledger.md alone: rfc8785, hashlib and cryptography, none of the product's code."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()


def _record(certificate: dict[str, Any]) -> dict[str, Any]:
    signature = KEY.sign(b"slmtrail certificate v1\n" + rfc8785.dumps(certificate))
    text = rfc8785.dumps(
        {
            "certificate": certificate,
            "key": hashlib.sha256(PUBLIC).hexdigest()[:16],
            "signature": base64.b64encode(signature).decode(),
        }
    )
    boot = hashlib.sha256(text).hexdigest()[:32]
    origin = f"slmtrail record v1\n@control\n{boot}\n0\n0\n0".encode()
    return {
        "@timestamp": "2026-01-02T03:04:05.678Z",
        "slm.kind": "system",
        "event.action": certificate["action"],
        "event.outcome": "success",
        "deployment.environment.name": "prod",
        "slm.certificate": text.decode(),
        "slm.salts": {},
        "event.id": hashlib.sha256(origin).hexdigest()[:32],
        "slm.collector.id": "@control",
        "slm.collector.boot": boot,
        "slm.collector.frame": 0,
        "slm.collector.index": 0,
        "slm.collector.part": 0,
    }


def _entry(record: dict[str, Any]) -> str:
    reduced = {name: value for name, value in record.items() if name != "slm.salts"}
    return hashlib.sha256(rfc8785.dumps({**reduced, "slm.commitments": {}})).hexdigest()


def main() -> None:
    """Writes the vectors."""
    erased = {
        "action": "erased",
        "at_ms": 1767323045678,
        "by": "admin@host",
        "reason": "ticket 7, «née»",
        "subject": "e1:0123456789abcdef01234567",
        "ledger": "ledger.example/slmtrail/0",
        "leaves": [[3, 3], [17, 4711]],
        "clean_ms": 1767927845678,
    }
    revoked = {**erased, "action": "key_revoked", "subject": "edge-1:0011223344556677", "leaves": [], "clean_ms": 0}
    removed = {**erased, "action": "removed", "subject": "standard", "policy": "ab" * 32}
    held = {**revoked, "action": "held", "subject": "", "ledger": "", "query": "user:bob", "until_ms": 1798859045678}
    vectors = [
        {"certificate": made, "record": _record(made), "entry": _entry(_record(made))}
        for made in (erased, revoked, removed, held)
    ]
    data = {"public": PUBLIC.hex(), "private": bytes(range(32)).hex(), "vectors": vectors}
    text = json.dumps(data, indent=1, ensure_ascii=False) + "\n"
    Path(__file__).with_name("vectors.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
