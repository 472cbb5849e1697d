"""Writes vectors.json: known answers for the ledger's formats. Run it with no argument.

Follows RFC 6962 and the C2SP texts as they are written, slowly, and imports nothing of the product, so
that the product and a second implementation can both be held to what it says.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

VECTORS = Path(__file__).with_name("vectors.json")
ORIGIN = "ledger.example/slmtrail/0"
SEED = bytes(range(32))
LARGE = 70_000


def entry(index: int) -> bytes:
    """The entry of leaf `index` in every tree here."""
    return sha256(b"slmtrail ledger vector %d" % index).digest()


def split(n: int) -> int:
    """The largest power of two smaller than n."""
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def mth(d: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962, section 2.1."""
    if len(d) == 0:
        return sha256(b"").digest()
    if len(d) == 1:
        return sha256(b"\x00" + d[0]).digest()
    k = split(len(d))
    return sha256(b"\x01" + mth(d[:k]) + mth(d[k:])).digest()


def path(m: int, d: Sequence[bytes]) -> list[bytes]:
    """PATH of RFC 6962, section 2.1.1."""
    if len(d) == 1:
        return []
    k = split(len(d))
    if m < k:
        return [*path(m, d[:k]), mth(d[k:])]
    return [*path(m - k, d[k:]), mth(d[:k])]


def proof(m: int, d: Sequence[bytes]) -> list[bytes]:
    """PROOF of RFC 6962, section 2.1.2."""
    return subproof(m, d, True)


def subproof(m: int, d: Sequence[bytes], b: bool) -> list[bytes]:
    """SUBPROOF of RFC 6962, section 2.1.2."""
    if m == len(d):
        return [] if b else [mth(d)]
    k = split(len(d))
    if m <= k:
        return [*subproof(m, d[:k], b), mth(d[k:])]
    return [*subproof(m - k, d[k:], False), mth(d[:k])]


def tile(level: int, n: int, d: Sequence[bytes]) -> bytes:
    """A tile of the tree over `d`, as tlog-tiles defines it: full, or as wide as `d` allows."""
    span = 256**level
    starts = range(n * 256 * span, min((n + 1) * 256 * span, len(d) - span + 1), span)
    return b"".join(mth(d[start : start + span]) for start in starts)


def bundle(n: int, d: Sequence[bytes]) -> bytes:
    """An entry bundle of the tree over `d`."""
    return b"".join(len(e).to_bytes(2, "big") + e for e in d[n * 256 : (n + 1) * 256])


def b64(data: bytes) -> str:
    """Standard base64."""
    return base64.b64encode(data).decode()


def vectors() -> dict[str, Any]:
    """All of vectors.json."""
    d = [entry(i) for i in range(LARGE)]
    key = Ed25519PrivateKey.from_private_bytes(SEED)
    typed = b"\x01" + key.public_key().public_bytes_raw()
    key_id = sha256(ORIGIN.encode() + b"\n" + typed).digest()[:4]

    def signed(size: int, *extensions: str) -> str:
        text = "".join(f"{line}\n" for line in (ORIGIN, str(size), b64(mth(d[:size])), *extensions))
        return f"{text}\n— {ORIGIN} {b64(key_id + key.sign(text.encode()))}\n"

    pairs = [(0, 1), (0, 2), (1, 2), (2, 3), (4, 7), (6, 7), (0, 256), (255, 256), (256, 257), (100, 600), (599, 600)]
    steps = [(1, 1), (1, 2), (2, 3), (3, 7), (4, 7), (6, 8), (8, 8), (255, 256), (256, 257), (256, 600), (300, 600)]
    files = {
        "tile/0/000": tile(0, 0, d),
        "tile/0/272": tile(0, 272, d),
        "tile/0/273.p/112": tile(0, 273, d),
        "tile/1/000": tile(1, 0, d),
        "tile/1/001.p/17": tile(1, 1, d),
        "tile/2/000.p/1": tile(2, 0, d),
        "tile/entries/000": bundle(0, d),
        "tile/entries/273.p/112": bundle(273, d),
    }
    leaf = 69_999
    head = ["c2sp.org/tlog-proof@v1", f"index {leaf}", *(b64(h) for h in path(leaf, d)), ""]
    return {
        "entry": "entry i is the SHA-256 of the ASCII text 'slmtrail ledger vector i', i in decimal",
        "entries": [e.hex() for e in d[:3]],
        "leaf_hashes": [mth([e]).hex() for e in d[:3]],
        "roots": {str(n): mth(d[:n]).hex() for n in (*range(18), 255, 256, 257, 511, 512, 513, 600, 65_536, LARGE)},
        "inclusion": [{"index": m, "size": n, "proof": [h.hex() for h in path(m, d[:n])]} for m, n in pairs],
        "consistency": [{"first": m, "second": n, "proof": [h.hex() for h in proof(m, d[:n])]} for m, n in steps],
        "files": {
            "size": LARGE,
            "sha256": {name: sha256(data).hexdigest() for name, data in files.items()},
            "bytes": {name: len(data) for name, data in files.items()},
        },
        "checkpoint": {
            "origin": ORIGIN,
            "private_key": SEED.hex(),
            "verifier_key": f"{ORIGIN}+{key_id.hex()}+{b64(typed)}",
            "signed": [signed(0), signed(600), signed(LARGE), signed(7, "an extension line", "another")],
        },
        "tlog_proof": {"entry": d[leaf].hex(), "text": "".join(f"{line}\n" for line in head) + signed(LARGE)},
        "published": {
            "c2sp.org/signed-note": {
                "verifier_key": "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
                "note": "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ON"
                "ncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n",
            },
            "c2sp.org/tlog-tiles": {"1234067": "x001/x234/067"},
            "certificate-transparency": {
                "leaves": [
                    "",
                    "00",
                    "10",
                    "2021",
                    "3031",
                    "40414243",
                    "5051525354555657",
                    "606162636465666768696a6b6c6d6e6f",
                ],
                "root": "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
            },
        },
    }


if __name__ == "__main__":
    VECTORS.write_text(json.dumps(vectors(), indent=1, ensure_ascii=False) + "\n")
