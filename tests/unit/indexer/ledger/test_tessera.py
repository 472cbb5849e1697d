"""An independent implementation accepts the ledger: Tessera's fsck, over HTTP, as an outsider would run it."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from data.ledger.make_vectors import entry
from slmtrail.indexer.ledger.checkpoint import Checkpoint
from slmtrail.indexer.ledger.log import Log
from slmtrail.indexer.ledger.note import VerifierKey

pytestmark = pytest.mark.slow

# One version, so that a test that fails is about this code.
VERSION = "v1.0.4"
FSCK = Path(__file__).parents[4] / ".cache" / f"tessera-{VERSION}" / "fsck"
ORIGIN = "ledger.example/test/0"
SIZE = 100_000

Check = Callable[[Path], "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def fsck_path() -> Path:
    """Tessera's fsck, built once into the repository's cache folder."""
    if FSCK.exists():
        return FSCK
    go = shutil.which("go")
    if go is None:
        pytest.skip("Tessera's fsck needs Go, which isn't installed here")
    module = f"github.com/transparency-dev/tessera/cmd/fsck@{VERSION}"
    try:
        built = subprocess.run(
            [go, "install", module],
            env={**os.environ, "GOBIN": str(FSCK.parent)},
            capture_output=True,
            text=True,
            timeout=600,
        )
    except subprocess.TimeoutExpired:
        pytest.skip("Tessera's fsck wasn't built within ten minutes")
    if built.returncode:
        pytest.skip(f"Tessera's fsck can't be had: {built.stderr.strip()[-300:]}")
    return FSCK


@pytest.fixture
def fsck(fsck_path: Path, tmp_path: Path, key: Ed25519PrivateKey) -> Iterator[Check]:
    """Runs fsck over a ledger's folder, served on loopback like any static web site."""
    public = tmp_path / "key.pub"
    public.write_text(str(VerifierKey.of(ORIGIN, key.public_key())))
    ledger = tmp_path / "ledger"

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(ledger))) as server:
        Thread(target=server.serve_forever, daemon=True).start()

        def check(folder: Path) -> subprocess.CompletedProcess[str]:
            assert folder == ledger
            url = f"http://127.0.0.1:{server.server_port}/"
            command = [str(fsck_path), "--ui=false", "--N=2", f"--storage_url={url}", f"--public_key={public}"]
            return subprocess.run(command, capture_output=True, text=True, timeout=300)

        yield check
        server.shutdown()


def publish(log: Log, key: Ed25519PrivateKey) -> bytes:
    """Puts the signed checkpoint of all leaves where a web server finds it."""
    checkpoint = Checkpoint(ORIGIN, log.size, log.root()).sign([key])
    (log.folder / "checkpoint").write_bytes(checkpoint)
    return checkpoint


def grow(log: Log, size: int, chance: random.Random, largest: int) -> None:
    """Appends in batches of any size until there are `size` leaves, pruning now and then."""
    while log.size < size:
        batch = min(chance.randint(1, largest), size - log.size)
        log.append([entry(i) for i in range(log.size, log.size + batch)])
        if chance.random() < 0.5:
            log.prune(log.size)


def accepted(found: subprocess.CompletedProcess[str], size: int) -> bool:
    """Whether fsck went through the whole ledger and found nothing wrong. Its exit code is 0 either way."""
    return f"Successfully fsck'd log with size {size} " in found.stderr


def test_it_accepts_a_ledger_at_any_size_and_after_crashes(fsck: Check, tmp_path: Path, key: Ed25519PrivateKey) -> None:
    chance = random.Random(7)
    log = Log.open(tmp_path / "ledger", 0)
    published = {}
    for size in (1, 255, 256, 257, 1000, 65_535, 65_536, 65_537, 70_000, 90_112, SIZE):
        grow(log, size, chance, 4000)
        published[size] = publish(log, key)
        found = fsck(log.folder)
        assert accepted(found, size), found.stderr[-2000:]
        # A crash: what was appended after the commit is on the disk, in part, and lost.
        before = {path for path in log.folder.rglob("*") if path.is_file()}
        log.append([entry(-i) for i in range(1, chance.randint(2, 900))])
        for path in {path for path in log.folder.rglob("*") if path.is_file()} - before:
            if chance.random() < 0.5:
                os.truncate(path, chance.randrange(path.stat().st_size))
        log = Log.open(log.folder, size)
        found = fsck(log.folder)
        assert accepted(found, size), found.stderr[-2000:]
    for size, checkpoint in published.items():
        (log.folder / "checkpoint").write_bytes(checkpoint)
        found = fsck(log.folder)
        assert accepted(found, size), found.stderr[-2000:]


def test_it_refuses_each_kind_of_damage(fsck: Check, tmp_path: Path, key: Ed25519PrivateKey) -> None:
    """So that its silence above means something."""
    log = Log.open(tmp_path / "ledger", 0)
    grow(log, 1000, random.Random(1), 300)
    publish(log, key)
    assert accepted(fsck(log.folder), 1000)
    for name in ("tile/0/001", "tile/0/003.p/232", "tile/1/000.p/3", "tile/entries/002", "checkpoint"):
        path = log.folder / name
        data = path.read_bytes()
        path.write_bytes(data[:40] + bytes([data[40] ^ 1]) + data[41:])
        assert not accepted(fsck(log.folder), 1000), name
        path.write_bytes(data)
    assert accepted(fsck(log.folder), 1000)
