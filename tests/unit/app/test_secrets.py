"""No secret of the settings is shown, whatever goes wrong: each is set to a canary, which then must be nowhere."""

from __future__ import annotations

import io
import logging
import os
import re
import socket
import ssl
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from certificates import certificate
from slmtrail.app import cli, log
from slmtrail.core import settings
from slmtrail.core.address import Address
from trails import Trail

CANARY = "hunter2canary"
_FILES = ("_file", "key", "certificate")
COMMANDS = (
    ["config", "check"],
    ["doctor"],
    ["doctor", "--json", "--stage", "index", "--stage", "stream"],
    ["search", "x"],
    ["verify"],
    ["control", "list"],
    ["setup", "kafka", "--dry-run"],
    ["setup", "elasticsearch", "--dry-run"],
    ["setup", "elasticsearch", "--dry-run", "--user", CANARY, "--password-file", "{bus.password_file}"],
)


def secret_settings() -> Iterator[tuple[str, str, str]]:
    """Variable, place and what it holds, of every setting that is secret or may hold one."""
    for variable, (section, key) in settings.variables().items():
        field = settings.Settings.model_fields[section].annotation.model_fields[key] if section else None  # type: ignore[union-attr]
        if field is None:
            continue
        if field.annotation is SecretStr:
            yield variable, f"{section}.{key}", "value"
        elif Address.__metadata__[0] in field.metadata:  # type: ignore[attr-defined]
            yield variable, f"{section}.{key}", "address"
        elif field.annotation == Path | None and key.endswith(_FILES):
            yield variable, f"{section}.{key}", "file"


SECRETS = tuple(secret_settings())


def test_what_is_looked_at_is_what_there_is() -> None:
    places = {place for _, place, _ in SECRETS}
    assert places >= {
        "bus.url", "bus.password", "bus.password_file", "bus.key", "store.url", "store.api_key", "store.api_key_file",
        "store.retention_api_key_file", "collector.relay", "identity.jwks", "readers.jwks", "ingest.key", "page.key",
    }  # fmt: skip
    for variable, (section, key) in settings.variables().items():
        if re.search("password|secret|token|api_key|url|jwks", key):
            assert f"{section}.{key}" in places, f"{variable} looks secret: make it a SecretStr, an Address or a file"


def planted(folder: Path, place: str, *, only: str = "", **given: str) -> dict[str, str]:
    """An environment in which each secret is a canary. `place`: host:port of what is spoken to."""
    environ = {"SLMTRAIL_DATA": str(folder / "data"), "SLMTRAIL_BUS_TLS": "true", "SLMTRAIL_BUS_USER": "stage"}
    scheme = {"bus.url": f"kafka://{place}", "store.url": f"https://user:{CANARY}@{place}"}
    for variable, name, kind in SECRETS:
        if only and name not in only.split():
            continue
        value = CANARY
        if kind == "file":
            file = folder / f"{name}.secret"
            file.write_text(CANARY)
            file.chmod(0o600)
            value = str(file)
        elif kind == "address":
            value = scheme.get(name, f"https://user:{CANARY}@{place}/keys?token={CANARY}")
        environ[variable] = value
    return {**environ, **given}


def outcome(environ: dict[str, str], arguments: list[str], monkeypatch: pytest.MonkeyPatch, capfd: Any) -> str:
    """All that a command says, its log and a traceback too."""
    with monkeypatch.context() as here:
        for name in [name for name in os.environ if name.startswith("SLMTRAIL_")]:
            here.delenv(name)
        for name, value in environ.items():
            here.setenv(name, value)
        here.setattr("sys.argv", ["slmtrail", *(part.format_map(_Files(environ)) for part in arguments)])
        capfd.readouterr()
        told = io.StringIO()
        try:
            cli.main()
        except SystemExit as ended:
            told.write(f"exit {ended.code}")
        except BaseException:
            traceback.print_exc(file=told)
        shown = capfd.readouterr()
        return f"{told.getvalue()}{shown.out}{shown.err}"


class _Files(dict[str, str]):
    """{bus.password_file}, as format has it: an attribute of `bus`."""

    def __init__(self, environ: dict[str, str]) -> None:
        super().__init__(bus=type("Bus", (), {"password_file": environ.get("SLMTRAIL_BUS_PASSWORD_FILE", "none")}))


@contextmanager
def strange_server(folder: Path) -> Iterator[str]:
    """Something that speaks TLS with a certificate which nobody believes."""
    made = certificate(folder, "strange", server=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(made.chain, made.key)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    try:
                        context.wrap_socket(connection, server_side=True).close()
                    except OSError:
                        continue

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(10)


def closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return f"127.0.0.1:{listening.getsockname()[1]}"


CONNECTING = "bus.url bus.password bus.password_file store.url identity.jwks readers.jwks"


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_nothing_that_fails_shows_a_secret(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    ask = ["--log-json", *arguments]
    outcome({"SLMTRAIL_DATA": str(tmp_path / "data")}, ["init"], monkeypatch, capfd)
    with strange_server(tmp_path) as strange:
        for what, environ in {
            "all of them, which fit nothing": planted(tmp_path, closed_port()),
            "nobody answers": planted(tmp_path, closed_port(), only=CONNECTING),
            "a stranger answers": planted(tmp_path, strange, only=CONNECTING),
            "an API key": planted(
                tmp_path, closed_port(), only="store.api_key", SLMTRAIL_STORE_URL="http://127.0.0.1:1"
            ),
            "no address": {**planted(tmp_path, "h"), "SLMTRAIL_STORE_URL": f"http://user:{CANARY}/x@127.0.0.1:1"},
            "wrong settings": {**planted(tmp_path, "h"), "SLMTRAIL_BUS_PARTITIONS": CANARY, "SLMTRAIL_BUS_TLS": CANARY},
        }.items():
            told = outcome(environ, ask, monkeypatch, capfd)
            assert told, what
            assert CANARY not in told, f"{what}: {told}"


def test_a_sidecar_without_the_keys_of_tokens_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    outcome({"SLMTRAIL_DATA": str(tmp_path / "data")}, ["init"], monkeypatch, capfd)
    environ = planted(tmp_path, closed_port(), only="identity.jwks")
    del environ["SLMTRAIL_BUS_TLS"], environ["SLMTRAIL_BUS_USER"]
    told = outcome(environ, ["sidecar", "--upstream", "http://127.0.0.1:1", "--port", "0"], monkeypatch, capfd)
    assert "identity.jwks" in told
    assert CANARY not in told


@pytest.mark.parametrize(
    "text",
    [
        f'[bus]\npassword = "{CANARY}"\npasword = "{CANARY}"\n',
        f"[bus]\npassword = {CANARY}\n",
        f'[bus]\npassword = ["{CANARY}"]\n[store]\napi_key = {{a = "{CANARY}"}}\n',
        f'bus = "{CANARY}"\n',
        f'[bus]\nmechanism = "{CANARY}"\n[store]\nurl = ["{CANARY}"]\n',
    ],
)
def test_a_wrong_file_is_not_quoted(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any) -> None:
    (tmp_path / "slmtrail.toml").write_text(text)
    told = outcome({}, ["--config", str(tmp_path / "slmtrail.toml"), "config", "check"], monkeypatch, capfd)
    assert "exit 2" in told
    assert CANARY not in told


def test_neither_a_crash_nor_a_log_entry_shows_settings(tmp_path: Path) -> None:
    loaded = settings.load(environ=planted(tmp_path, "127.0.0.1:1"))
    for text in (repr(loaded), str(loaded), loaded.model_dump_json(), f"{loaded.bus!r}{loaded.store!r}"):
        assert CANARY not in text
    formatted = log._Json()
    try:
        raise RuntimeError(f"with {loaded!r}")
    except RuntimeError as error:
        record = logging.LogRecord("slmtrail", logging.ERROR, "", 0, "%s", (error,), (type(error), error, None))
    assert CANARY not in formatted.format(record)
    assert loaded.store.url.startswith(f"https://user:{CANARY}@")  # what is used is what was given


@pytest.mark.slow
def test_a_process_that_runs_does_not_either(tmp_path: Path) -> None:
    trail = Trail(tmp_path, **planted(tmp_path, closed_port(), only="store.url bus.password"))
    trail.environ |= {"SLMTRAIL_BUS_URL": f"kafka://{closed_port()}", "SLMTRAIL_INGEST_PORT": "0"}
    assert trail.run("init").returncode == 0
    processes = [trail.process(name) for name in ("collect", "index")]
    try:
        for process in processes:
            process.start()
        processes[0].wait_for(r"(collecting at)")
        while processes[1].alive:
            if "Kafka" in processes[1].log:
                break
    finally:
        trail.kill()
    for process in processes:
        assert process.log
        assert CANARY not in process.log
