"""Whatever stands in a file or comes over a line, its reader gives what it holds or an error of ours, and soon.

Each reader is given texts that it takes, changed at random: cut, doubled, spliced, with bytes of any kind put in.
Others have such a test beside them; docs/security.md lists all. SLMTRAIL_FUZZ_EXAMPLES=100000 looks for hours, at
other changes each time.
"""

from __future__ import annotations

import base64
import gzip
import io
import os
import sys
import time
from collections.abc import Callable
from contextlib import closing, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest
import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders import LEDGER, NOW_MS, Stream, inference, sealed_trail
from slmtrail.app import letters
from slmtrail.app.commands.redact import _labels_of, _text_of
from slmtrail.app.evaluation import scenarios
from slmtrail.collectors import entries
from slmtrail.collectors.tail.formats import names
from slmtrail.core import certificate, frames, policy, trust
from slmtrail.core import settings as settings_file
from slmtrail.core.errors import (
    ControlError,
    FrameError,
    KeyFileError,
    QueryError,
    SettingsError,
    StorageError,
    StoreError,
)
from slmtrail.core.ports import DEADLETTERS, Delivery, Query
from slmtrail.core.tokens import TokenFile
from slmtrail.indexer import evidence, export, verify_evidence
from slmtrail.indexer.store.language import parse
from slmtrail.indexer.store.sqlite import SqliteStore
from slmtrail.stream.judge.own import own_rules
from slmtrail.stream.judge.rule import PACKAGE
from tree import ROOT

EXAMPLES = int(os.environ.get("SLMTRAIL_FUZZ_EXAMPLES", "0"))
LONGEST_S = 5.0
"""CPU time of one example; each takes some milliseconds, and what explodes takes minutes."""
FORMATS = ("slmtrail", "bedrock", "azure", "kong", "litellm", "envoy")
TOKENS = (
    *(b"[" * 1100, b'{"a":' * 3000, b"- " * 3000, b"(" * 3000, b"&a [*a,*a,*a]", b"\n" * 2000, b"x" * 9000),
    *(b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"\\ud800", b"\xe2\x80\xae", b"\xef\xbb\xbf", b"\r\n", b"\t", b"\x1b[2J"),
    *(
        b"null",
        b"true",
        b"{}",
        b"[]",
        b'""',
        b"NaN",
        b"1e999",
        b"-0",
        b"9" * 5000,
        b"18446744073709551616",
        b"2038-01-19",
    ),
    *(
        b"!!python/object/apply:os.system [id]",
        b"%00",
        b"../../",
        b"*" * 300,
        b'"' * 99,
        b"' OR 1=1 --",
        b"(a|a)*" * 20,
    ),
)


@dataclass(frozen=True)
class Reader:
    """Reads bytes in a folder of its own; texts that it takes; and the errors that it may raise."""

    read: Callable[[bytes, Path], object]
    takes: tuple[bytes, ...]
    raises: tuple[type[Exception], ...] = ()
    examples: int = 60


def _file(data: bytes, folder: Path, name: str) -> Path:
    file = folder / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(data)
    file.chmod(0o600)
    return file


def _imported(name: str) -> Callable[[bytes, Path], object]:
    return lambda data, folder: [list(read(_file(data, folder, name))) for read in (entries.entries, entries.lines)]


def _own(data: bytes, folder: Path) -> object:
    _file(data, folder, "one/rule.yaml")
    return own_rules(folder)


def _letters(data: bytes, _: Path) -> object:
    found = Delivery(DEADLETTERS, 0, 0, "edge", data, NOW_MS)
    return [letters.is_open(letter, {}) for letter in letters.letters([found])]


def _exported(data: bytes, folder: Path) -> object:
    found = export.Export(_file(data, folder, "export.ndjson"))
    return [list(found.scan(ledger, 0, 10)) for ledger in found.ledgers()], found.faults()


def _waiting(data: bytes, _: Path) -> object:
    return [frames.from_bytes(piece) for piece in frames.split(data)]


def _trusted(data: bytes, folder: Path) -> object:
    return trust.rows(_file(data, folder, "trust.json"))


def _tokens(data: bytes, folder: Path) -> object:
    return TokenFile(_file(data, folder, "senders.json"), "senders", "slmt_", "list").rows()


def _formatted(name: str) -> Callable[[bytes, Path], object]:
    form = names.named(name, 1 << 20)
    return lambda data, _: form.events(data.splitlines() or [b""], NOW_MS)


def _labelled(data: bytes, _: Path) -> object:
    text, problem = _text_of(data)
    return problem or text or _labels_of(data, 1)


def _signed(key: Ed25519PrivateKey) -> Callable[[bytes, Path], object]:
    keys = certificate.by_id([key.public_key()])
    return lambda data, _: certificate.read({certificate.FIELD: data.decode(errors="surrogateescape")}, keys)


def _case(key: str) -> Callable[[bytes, Path], object]:
    """The program of a case as its receiver runs it, which says what it found by its exit code."""

    def judged(data: bytes, folder: Path) -> None:
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()) as said:
            patch.setattr(sys, "argv", ["verify", str(_file(data, folder, "case.zip")), "--key", key])
            code = verify_evidence.main()
        assert said.getvalue().startswith("NOT VERIFIED: " if code else "VERIFIED: ")

    return judged


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Reader]:
    folder = tmp_path_factory.mktemp("takes")
    control = Ed25519PrivateKey.generate()
    held = certificate.Certificate("held", NOW_MS, "ann", "court", "case-1", query="user:alice", leaves=((1, 2),))
    trail = sealed_trail(folder, 20)
    with closing(SqliteStore(trail.store_path)) as store:
        about = evidence.Case({"text": ""}, "2026-01-31T09:00:00.000Z", "auditor", policy=b"{}")
        evidence.write(folder / "case.zip", store.search, Query(), [trail.ledger_folder], trail.key, about)
        with (folder / "export").open("wb") as file:
            export.write(store, {LEDGER: 20}, file)
    stream = Stream(folder / "stream")
    frame = frames.to_bytes(stream.edge().frame([inference()]))
    letter = orjson.dumps({"reason": "stale", "partition": 0, "frame_base64": base64.b64encode(frame).decode()})
    lines = b'{"records": [{"message": "{}"}]}\n[{"a": 1}, {"b": "c"}]\n' + orjson.dumps(inference()) + b"\n"
    token = TokenFile(folder / "made.json", "senders", "slmt_", "list")
    token.new("app", until_ms=NOW_MS, grant={"role": "reader"})
    rule_files = sorted((ROOT / "stream" / PACKAGE.replace(".", "/")).glob("*/rule.yaml"))[::9]
    event = orjson.dumps(inference(labels={"a": "b"}) | {"@timestamp": "2026-01-15T10:00:00Z"})
    scenario = (
        b'{"scenario": "s", "users": 3, "policy": {"rules": {}}}\n{"at": 5, "event": ' + event + b"}\n"
        b'{"at": "2026-01-15T10:00:00Z", "frame": {"collector": "edge"}}\n{"expect": {"rule": "prompt-injection"}}\n'
    )
    rules = tuple(
        file.read_bytes().replace(b"\nid: ", b"\nid: own-").replace(b"id: ", b"id: own-", 1) for file in rule_files
    )
    return {
        "rule.yaml": Reader(_own, rules, examples=15),
        "policy": Reader(
            lambda data, _: policy.parse(data.decode(errors="replace"), "policy"),
            (b"version: one\nroles:\n  staff: {allow: {models: [phi-*]}}\nroutes: {o: {command: [x]}}\n",),
            (SettingsError,),
            examples=15,
        ),
        "settings": Reader(
            lambda data, folder: settings_file.load(_file(data, folder, "slmtrail.toml"), {}),
            (b'environment = "prod"\n[ingest]\nport = 1\n[bus]\nurl = "kafka://h:1"\n[stream]\nredact = {a = 1}\n',),
            (SettingsError,),
        ),
        "query": Reader(
            lambda data, _: parse.parse(data.decode(errors="replace")),
            (b'user:alice (model:phi-3* or latency_ms>2000) not "reset my password" since:2h latency_ms:[1 to 5]',),
            (QueryError,),
        ),
        "certificate": Reader(_signed(control), (held.sign(control).encode(),), (ControlError,)),
        "evidence": Reader(_case(str(trail.ledger_folder.keys[0])), ((folder / "case.zip").read_bytes(),), examples=15),
        "export": Reader(_exported, ((folder / "export").read_bytes(),), (StoreError,)),
        "frames of a spool": Reader(_waiting, (frame * 3,), (FrameError,)),
        "dead letter": Reader(_letters, (letter, b'{"reason":"r","record":"{}","ledger":"l","leaf":1}')),
        "trust": Reader(_trusted, ((folder / "stream" / "trust" / "trust.json").read_bytes(),), (KeyFileError,)),
        "tokens": Reader(_tokens, ((folder / "made.json").read_bytes(),), (KeyFileError,)),
        "scenarios": Reader(
            lambda data, folder: list(scenarios.read(_file(data, folder, "s.jsonl"))), (scenario,), (SettingsError,)
        ),
        "labelled text": Reader(
            _labelled,
            (b'{"text": "call 030 1234", "labels": [{"type": "PHONE", "start": 5, "end": 13}]}',),
            (SettingsError,),
        ),
        "history": Reader(_imported("h.json"), (lines, b"[" + event + b", {}]", b"{\n" + event[1:]), (StorageError,)),
        "history.gz": Reader(_imported("h.gz"), (gzip.compress(lines, mtime=0),), (StorageError,)),
        "history.zst": Reader(_imported("h.zst"), (zstandard.compress(lines),), (StorageError,)),
        **{f"log of {name}": Reader(_formatted(name), (event, lines)) for name in FORMATS},
    }


NAMES = (
    *("rule.yaml", "policy", "settings", "query", "certificate", "evidence", "export", "frames of a spool"),
    *("dead letter", "trust", "tokens", "scenarios", "labelled text", "history", "history.gz", "history.zst"),
    *(f"log of {name}" for name in FORMATS),
)


@st.composite
def changed(draw: st.DrawFn, takes: tuple[bytes, ...]) -> bytes:
    """One of the texts, changed in a few places."""
    data = draw(st.sampled_from(takes))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.sampled_from((0, 1, 2, 8, 100, 10_000))))
        put = draw(
            st.one_of(
                st.sampled_from(TOKENS),
                st.binary(max_size=8),
                st.just(data[start:end] * 2),
                st.just(draw(st.sampled_from(takes))[start:end]),
            )
        )
        data = data[:start] + put + data[end:]
    return data


@pytest.mark.parametrize("name", NAMES)
def test_only_an_error_of_ours_comes_out_and_soon(name: str, readers: dict[str, Reader], tmp_path: Path) -> None:
    reader = readers[name]
    assert set(NAMES) == readers.keys()
    for data in reader.takes:
        reader.read(data, tmp_path)

    @given(data=changed(reader.takes))
    @settings(
        max_examples=EXAMPLES or reader.examples,
        deadline=None,
        derandomize=not EXAMPLES,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def holds(data: bytes) -> None:
        began_s = time.process_time()
        with suppress(*reader.raises):
            reader.read(data, tmp_path)
        assert time.process_time() - began_s < LONGEST_S

    holds()
