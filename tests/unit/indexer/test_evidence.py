"""A case file holds for an outsider with the key alone, and every changed one is refused, never with a traceback."""

from __future__ import annotations

import base64
import random
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from builders import SealedTrail, sealed_trail
from slmtrail.core import canonical
from slmtrail.core.ports import Query
from slmtrail.indexer import evidence, verify_evidence
from slmtrail.indexer.store.sqlite import SqliteStore
from slmtrail.indexer.verify_evidence import Case, Wrong

SCRIPT = Path(verify_evidence.__file__)


@dataclass
class Made:
    """A case, the key it is believed by, and the trail it comes from."""

    path: Path
    trail: SealedTrail

    @property
    def vkey(self) -> str:
        return str(self.trail.ledger_folder.keys[0])

    def files(self) -> dict[str, bytes]:
        with zipfile.ZipFile(self.path) as archive:
            return {name: archive.read(name) for name in archive.namelist()}


def write(trail: SealedTrail, path: Path, query: Query) -> dict[str, object]:
    about = evidence.Case({"text": query.text}, "2026-01-31T09:00:00.000Z", "auditor@host", policy=b"{}")
    with closing(SqliteStore(trail.store_path)) as store:
        return evidence.write(path, store.search, query, [trail.ledger_folder], trail.key, about)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    folder = tmp_path_factory.mktemp("case")
    trail = sealed_trail(folder, 300)
    manifest = write(trail, folder / "case.zip", Query("alice", kind="inference"))
    assert manifest["records"] == 300
    yield Made(folder / "case.zip", trail)


def judge(path: Path, vkey: str) -> str:
    """What is said of a case: nothing where it holds."""
    try:
        verify_evidence.check(Case(path), verify_evidence.load_key(vkey))
    except Wrong as error:
        return str(error)
    return ""


def pack(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data, zipfile.ZIP_DEFLATED if len(data) > 10_000_000 else None)
    return path


def signed(files: dict[str, bytes], key: Ed25519PrivateKey) -> dict[str, bytes]:
    """The files under a manifest that fits them, signed."""
    manifest = orjson.loads(files["manifest.json"])
    rest = {name: data for name, data in files.items() if not name.startswith("manifest.")}
    manifest["files"] = {name: verify_evidence.sha256(data).hex() for name, data in rest.items()}
    data = canonical.dumps(manifest)
    signature = base64.b64encode(key.sign(verify_evidence.SIGNED + data))
    return {**rest, "manifest.json": data, "manifest.sig": signature}


def test_a_case_holds_and_has_all_that_is_needed(made: Made) -> None:
    assert judge(made.path, made.vkey) == ""
    files = made.files()
    assert {name.split("/")[0] for name in files} == {
        "records.ndjson",
        "checkpoints",
        "proofs",
        "keys",
        "policy.json",
        "report.html",
        "verify_evidence.py",
        "manifest.json",
        "manifest.sig",
    }
    assert files["verify_evidence.py"] == SCRIPT.read_bytes()
    assert b"question 17 of alice" in files["report.html"]
    assert orjson.loads(files["manifest.json"])["query"] == {"text": "alice"}


def test_the_program_is_short_and_needs_nothing_of_ours() -> None:
    text = SCRIPT.read_text()
    assert len(text.splitlines()) < 300
    imported = {line.split()[1].split(".")[0] for line in text.splitlines() if line.startswith(("import ", "from "))}
    assert imported - set(sys.stdlib_module_names) == {"cryptography"}


def test_the_same_case_has_the_same_bytes(made: Made, tmp_path: Path) -> None:
    write(made.trail, tmp_path / "again.zip", Query("alice", kind="inference"))
    assert (tmp_path / "again.zip").read_bytes() == made.path.read_bytes()


def test_a_report_shows_markup_as_text(tmp_path: Path) -> None:
    from slmtrail.indexer.report import report

    manifest = {"made": "", "made_by": "<script>", "query": {"text": "<img>"}, "records": 0, "pending": []}
    page = report({**manifest, "policy_digest": "", "policies_of_records": [], "version": ""}, [], [], [])
    assert "<script>" not in page
    assert "<img>" not in page


@pytest.mark.parametrize("seed", range(2))
def test_any_changed_byte_of_any_file_is_refused(made: Made, tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    files = made.files()
    for _ in range(40):
        name = rng.choice([*files, "records.ndjson", "manifest.json"])
        data, place = bytearray(files[name]), rng.randrange(len(files[name]))
        data[place] ^= 1 << rng.randrange(8)
        path = pack(tmp_path / "changed.zip", {**files, name: bytes(data)})
        done = program(path, made.vkey) if rng.random() < 0.05 else None
        try:
            assert judge(path, made.vkey), (name, place)
        except (ValueError, KeyError):  # the program says that it can't be read
            assert name.startswith("manifest.")
        assert done is None or done.stdout.startswith("NOT VERIFIED")


def program(path: Path, vkey: str, python: str | Path = sys.executable) -> subprocess.CompletedProcess[str]:
    command = [str(python), "-I", str(SCRIPT), str(path), *(["--key", vkey] if vkey else [])]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


Change = Callable[[dict[str, bytes]], dict[str, bytes]]


def lines(files: dict[str, bytes], change: Callable[[list[bytes]], list[bytes]]) -> dict[str, bytes]:
    return {**files, "records.ndjson": b"\n".join(change(files["records.ndjson"].splitlines())) + b"\n"}


def proof(files: dict[str, bytes], change: Callable[[bytes], bytes]) -> dict[str, bytes]:
    name = sorted(name for name in files if name.startswith("proofs/"))[3]
    return {**files, name: change(files[name])}


FORGERIES: dict[str, Change] = {
    "a record is another": lambda f: lines(f, lambda r: [r[0].replace(b"question", b"answer!!"), *r[1:]]),
    "a record is missing": lambda f: lines(f, lambda r: r[1:]),
    "a record is doubled": lambda f: lines(f, lambda r: [r[0], *r]),
    "a record stands for another": lambda f: lines(f, lambda r: [r[0], r[0], *r[2:]]),
    "a record is at another leaf": lambda f: lines(f, lambda r: [r[0].replace(b'leaf":1,', b'leaf":2,'), *r[1:]]),
    "a salt is gone": lambda f: lines(f, lambda r: [r[0].replace(b'"user.id":"', b'"user.ix":"', 1), *r[1:]]),
    "a field twice": lambda f: lines(
        f, lambda r: [r[0].replace(b'"user.id"', b'"user.id":"bob","user.id"', 1), *r[1:]]
    ),
    "a proof is too short": lambda f: proof(f, lambda p: p.replace(p.split(b"\n")[2] + b"\n", b"", 1)),
    "a proof is too long": lambda f: proof(f, lambda p: p.replace(b"\n\n", b"\n" + p.split(b"\n")[2] + b"\n\n", 1)),
    "a proof is of another leaf": lambda f: proof(f, lambda p: p.replace(b"index ", b"index 1", 1)),
    "a proof is missing": lambda f: {n: d for n, d in f.items() if n != min(k for k in f if k.startswith("proofs/"))},
    "the head is another": lambda f: {**f, "checkpoints/0.txt": f["checkpoints/0.txt"].replace(b"\n3", b"\n4", 1)},
}


@pytest.mark.parametrize("name", FORGERIES)
def test_who_forges_a_case_and_signs_the_manifest_is_still_found(made: Made, tmp_path: Path, name: str) -> None:
    """Even by the ledger's key: what is proved is proved by the tree."""
    before = made.files()
    files = FORGERIES[name](before)
    assert files != before
    path = pack(tmp_path / "forged.zip", signed(files, made.trail.key))
    assert judge(path, made.vkey), name


def test_another_key_and_the_key_inside(made: Made) -> None:
    stranger = SealedTrail(made.trail.folder).ledger_folder.keys[0]
    assert "signed by the key" in judge(made.path, str(stranger))
    done = program(made.path, "")
    assert done.returncode == 0
    assert "INSIDE" in done.stdout


def test_the_program_in_words_and_exit_codes(made: Made, tmp_path: Path) -> None:
    done = program(made.path, made.vkey)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("VERIFIED: 300 records")
    (tmp_path / "torn.zip").write_bytes(made.path.read_bytes()[:-400])
    for path in (tmp_path / "torn.zip", tmp_path / "none.zip", SCRIPT):
        done = program(path, made.vkey)
        assert (done.returncode, done.stderr) == (2, "")
        assert done.stdout.startswith("NOT VERIFIED")


def test_what_is_no_key_is_told_as_such(made: Made, tmp_path: Path) -> None:
    (tmp_path / "private.pem").write_text("-----BEGIN PRIVATE KEY-----\n")
    for key in (str(tmp_path / "none.pub"), str(tmp_path), str(tmp_path / "private.pem"), "a+b+c"):
        done = program(made.path, key)
        assert (done.returncode, done.stderr) == (2, "")
        assert "is no public key" in done.stdout


@pytest.mark.parametrize(
    "name", ["../escape", "/etc/passwd", "proofs/../../x", "a\\..\\b", "c:x", "", "x/", "\u202e.py"]
)
def test_files_that_escape_are_refused(made: Made, tmp_path: Path, name: str) -> None:
    files = made.files()
    path = tmp_path / "escape.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for known, data in files.items():
            archive.writestr(known, data)
        info = zipfile.ZipInfo("x")
        info.filename = name
        archive.writestr(info, b"x")
    assert "strange name" in judge(path, made.vkey)


def test_archives_that_expand_without_end_are_refused(made: Made, tmp_path: Path) -> None:
    path = pack(tmp_path / "bomb.zip", {**made.files(), "policy.json": bytes(60_000_000)})
    assert "expands to" in judge(path, made.vkey)
    with zipfile.ZipFile(tmp_path / "lies.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", bytes(200_000))
    data = (tmp_path / "lies.zip").read_bytes().replace((200_000).to_bytes(4, "little"), (100).to_bytes(4, "little"))
    (tmp_path / "lies.zip").write_bytes(data)
    assert program(tmp_path / "lies.zip", made.vkey).returncode in (1, 2)


def test_a_file_that_stands_twice_is_refused(made: Made, tmp_path: Path) -> None:
    path = tmp_path / "twice.zip"
    shutil.copy(made.path, path)
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("records.ndjson", b"")
    assert "twice" in judge(path, made.vkey)


@pytest.mark.slow
def test_in_an_empty_environment_with_cryptography_alone(made: Made, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    wanted = f"cryptography=={metadata.version('cryptography')}"
    done = subprocess.run([python, "-m", "pip", "install", "-q", wanted], capture_output=True, text=True, timeout=300)
    if done.returncode:
        pytest.skip(f"the package registry can't be reached: {done.stderr[-200:]}")
    assert program(made.path, made.vkey, python).stdout.startswith("VERIFIED: 300 records")
    for name, change in FORGERIES.items():
        path = pack(tmp_path / "forged.zip", signed(change(made.files()), made.trail.key))
        done = program(path, made.vkey, python)
        assert done.stdout.startswith("NOT VERIFIED"), name
        assert not done.stderr, name
