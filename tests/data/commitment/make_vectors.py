"""Makes vectors.json from the specification alone: rfc8785 and hashlib, none of the product's code."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import rfc8785

CONTENT_AND_PERSON = {"gen_ai.input.messages", "user.id", "labels", "message"}


def _event_seed(frame_seed: bytes, index: int) -> bytes:
    return hmac.new(frame_seed, b"slmtrail event v1" + index.to_bytes(4, "big"), "sha256").digest()


def _salt(event_seed: bytes, path: str) -> str:
    return hmac.new(event_seed, b"slmtrail salt v1" + path.encode() + b"\x01", "sha256").hexdigest()[:32]


def _entry(record: dict[str, Any]) -> str:
    reduced = {key: value for key, value in record.items() if key not in CONTENT_AND_PERSON}
    salts = reduced.pop("slm.salts")
    commitments = dict(reduced.pop("slm.commitments", {}))
    for name in CONTENT_AND_PERSON & record.keys():
        commitments[name] = hashlib.sha256(bytes.fromhex(salts[name]) + rfc8785.dumps(record[name])).hexdigest()
    reduced["slm.commitments"] = commitments
    return hashlib.sha256(rfc8785.dumps(reduced)).hexdigest()


def main() -> None:
    seed = bytes(range(32))
    salts = [
        {
            "frame_seed": seed.hex(),
            "index": index,
            "path": path,
            "event_seed": _event_seed(seed, index).hex(),
            "salt": _salt(_event_seed(seed, index), path),
        }
        for index, path in [(1, "user.id"), (1, "message"), (2, "user.id"), (70000, "gen_ai.input.messages")]
    ]
    plain: dict[str, Any] = {
        "@timestamp": "2026-01-02T03:04:05.678Z",
        "slm.kind": "system",
        "event.action": "gap",
        "slm.trail.first": 7,
        "slm.salts": {},
    }
    full: dict[str, Any] = {
        "@timestamp": "2026-01-02T03:04:05.678Z",
        "slm.kind": "inference",
        "gen_ai.request.model": "phi-3",
        "gen_ai.request.temperature": 0.7,
        "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "\u20ac\n\U0001f600"}]}],
        "labels": {"team": "x"},
        "user.id": "u1",
    }
    full["slm.salts"] = {name: _salt(_event_seed(seed, 1), name) for name in sorted(CONTENT_AND_PERSON & full.keys())}
    erased = {key: value for key, value in full.items() if key != "gen_ai.input.messages"}
    salt = bytes.fromhex(full["slm.salts"]["gen_ai.input.messages"])
    digest = hashlib.sha256(salt + rfc8785.dumps(full["gen_ai.input.messages"])).hexdigest()
    erased["slm.commitments"] = {"gen_ai.input.messages": digest}
    erased["slm.salts"] = {name: text for name, text in full["slm.salts"].items() if name != "gen_ai.input.messages"}
    entries = [
        {"about": "nothing to commit to", "record": plain, "entry": _entry(plain)},
        {"about": "content and a person", "record": full, "entry": _entry(full)},
        {"about": "the same with its messages erased", "record": erased, "entry": _entry(erased)},
    ]
    text = json.dumps({"salts": salts, "entries": entries}, indent=1) + "\n"
    Path(__file__).with_name("vectors.json").write_text(text)


if __name__ == "__main__":
    main()
