"""The known answers: what the generator writes is what is committed, and what the product says."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from data.ledger import make_vectors
from slmtrail.indexer.ledger import merkle
from slmtrail.indexer.ledger.checkpoint import Checkpoint
from slmtrail.indexer.ledger.log import Log
from slmtrail.indexer.ledger.note import Note, VerifierKey
from slmtrail.indexer.ledger.proof import Proof
from slmtrail.indexer.ledger.tiles import bundle_path

VECTORS: dict[str, Any] = json.loads(make_vectors.VECTORS.read_text())


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Log:
    """The ledger that the answers are about."""
    log = Log.open(tmp_path_factory.mktemp("vectors"), 0)
    log.append([make_vectors.entry(i) for i in range(VECTORS["files"]["size"])])
    return log


def test_the_generator_writes_what_is_committed() -> None:
    assert make_vectors.vectors() == VECTORS


def test_leaves_and_roots(log: Log) -> None:
    assert [log.entry(i).hex() for i in range(3)] == VECTORS["entries"]
    assert [log.leaf_hash(i).hex() for i in range(3)] == VECTORS["leaf_hashes"]
    assert {str(size): log.root(int(size)).hex() for size in VECTORS["roots"]} == VECTORS["roots"]


def test_proofs(log: Log) -> None:
    for case in VECTORS["inclusion"]:
        assert [h.hex() for h in log.inclusion_proof(case["index"], case["size"])] == case["proof"]
    for case in VECTORS["consistency"]:
        assert [h.hex() for h in log.consistency_proof(case["first"], case["second"])] == case["proof"]


def test_files(log: Log) -> None:
    found = {str(path.relative_to(log.folder)): path.read_bytes() for path in log.folder.rglob("*") if path.is_file()}
    for name, digest in VECTORS["files"]["sha256"].items():
        assert sha256(found[name]).hexdigest() == digest
        assert len(found[name]) == VECTORS["files"]["bytes"][name]
    # The example of tlog-tiles: 273 full tiles and a partial one at level 0, one and one above, and the top.
    assert len([name for name in found if name.startswith("tile/0/")]) == 274
    assert len([name for name in found if name.startswith("tile/entries/")]) == 274
    assert {name for name in found if not name.startswith(("tile/0/", "tile/entries/"))} == {
        "tile/1/000",
        "tile/1/001.p/17",
        "tile/2/000.p/1",
    }


def test_checkpoints(log: Log) -> None:
    case = VECTORS["checkpoint"]
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(case["private_key"]))
    trusted = VerifierKey.parse(case["verifier_key"])
    assert VerifierKey.of(case["origin"], key.public_key()) == trusted
    for text in case["signed"]:
        checkpoint = Checkpoint.open(text.encode(), case["origin"], [trusted])
        assert checkpoint.root == log.root(checkpoint.size)
        assert checkpoint.sign([key]) == text.encode()


def test_tlog_proof(log: Log) -> None:
    case = VECTORS["tlog_proof"]
    proof = Proof.parse(case["text"].encode())
    trusted = VerifierKey.parse(VECTORS["checkpoint"]["verifier_key"])
    checkpoint = proof.verify(bytes.fromhex(case["entry"]), VECTORS["checkpoint"]["origin"], [trusted])
    assert proof == Proof(proof.index, tuple(log.inclusion_proof(proof.index, checkpoint.size)), proof.checkpoint)
    assert proof.encode() == case["text"].encode()


def test_published_examples() -> None:
    published = VECTORS["published"]
    example = published["c2sp.org/signed-note"]
    key = VerifierKey.parse(example["verifier_key"])
    assert str(key) == example["verifier_key"]
    assert Note.parse(example["note"].encode()).verify([key]) == [key]
    for index, path in published["c2sp.org/tlog-tiles"].items():
        assert bundle_path(int(index)) == f"tile/entries/{path}"
    leaves = [bytes.fromhex(leaf) for leaf in published["certificate-transparency"]["leaves"]]
    root = merkle.fold(b"".join(map(merkle.leaf_hash, leaves))).hex()
    assert root == make_vectors.mth(leaves).hex() == published["certificate-transparency"]["root"]


def test_the_example_in_the_docs_is_one_of_them() -> None:
    docs = (Path(__file__).parents[4] / "docs" / "ledger.md").read_text()
    case = VECTORS["checkpoint"]
    assert case["signed"][2] in docs
    assert case["verifier_key"] in docs


def test_the_generator_imports_nothing_of_the_product() -> None:
    assert "slmtrail." not in Path(make_vectors.__file__).read_text()
