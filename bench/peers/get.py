"""Gets the tools that benches are measured beside: `python bench/peers/get.py [NAME …]`; else all that are not there.

Each comes from its own package manager, in the version named here or as the distribution has it, and is put into
bench/peers/.got and nowhere else: nothing is installed on the machine, and deleting that folder undoes it. What a bench
finds on the PATH it takes from there first.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

GOT = Path(__file__).parent / ".got"
BIN = GOT / "bin"
OTEL = "v0.165.0"
LITELLM = "litellm[proxy]==1.108.7"
PORTKEY = "@portkey-ai/gateway@1.15.2"
LANGFUSE = "langfuse==5.0.4"
OCB = """\
dist:
  name: otelcol
  output_path: {folder}
receivers:
  - gomod: github.com/open-telemetry/opentelemetry-collector-contrib/receiver/filelogreceiver {version}
exporters:
  - gomod: github.com/open-telemetry/opentelemetry-collector-contrib/exporter/kafkaexporter {version}
"""


def command(program: str) -> str | None:
    """Where a program is: on the PATH, in the folders of administrators, or among what was got here."""
    return shutil.which(program, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", str(BIN)]))


def python(modules: str) -> str | None:
    """An interpreter that can import these: this one, or one of an environment that was got here."""
    for interpreter in (sys.executable, str(GOT / "langfuse" / "bin" / "python")):
        try:
            found = subprocess.run([interpreter, "-c", f"import {modules}"], capture_output=True, check=False)
        except OSError:
            continue
        if not found.returncode:
            return interpreter
    return None


def missing(program: str, name: str) -> str:
    """What is said of one that is not there."""
    return f"{program} is not on the PATH: get it by `python bench/peers/get.py {name}`"


def _run(*words: str | Path, **environ: str) -> None:
    subprocess.run([str(word) for word in words], check=True, env={**os.environ, **environ})


def _link(program: str, place: Path) -> None:
    BIN.mkdir(parents=True, exist_ok=True)
    (BIN / program).unlink(missing_ok=True)
    (BIN / program).symlink_to(place)


def _debian(name: str, program: str, packages: tuple[str, ...], module: str = "", option: str = "") -> None:
    """Unpacked and not installed, since two log daemons can't be; `option` tells it of the folder of a module."""
    root = GOT / name
    shutil.rmtree(root, ignore_errors=True)
    with tempfile.TemporaryDirectory() as cache:
        (Path(cache) / "partial").mkdir()
        alone = ["-o", f"Dir::Cache::archives={cache}", "-o", "Debug::NoLocking=1", "-o", "APT::Install-Recommends=0"]
        _run("apt-get", "install", "--yes", "--quiet", "--download-only", *alone, *packages)
        for package in Path(cache).glob("*.deb"):
            _run("dpkg", "--extract", package, root)
    (place,) = root.glob(f"usr/*bin/{program}")
    modules = "".join(option + str(found.parent) for found in root.rglob(module)) if module else ""
    libraries = ":".join(sorted({str(found.parent) for found in root.rglob("lib*.so.*")}))
    BIN.mkdir(parents=True, exist_ok=True)
    (BIN / program).write_text(f'#!/bin/sh\nLD_LIBRARY_PATH={libraries} exec {place} {modules} "$@"\n')
    (BIN / program).chmod(0o755)


def _rsyslog() -> None:
    _debian("rsyslog", "rsyslogd", ("rsyslog", "rsyslog-kafka"), "omkafka.so", "-M")


def _syslog_ng() -> None:
    packages = ("syslog-ng-core", "syslog-ng-mod-rdkafka")
    _debian("syslog-ng", "syslog-ng", packages, "libkafka.so", "--module-path=")


def _kcat() -> None:
    _debian("kcat", "kcat", ("kcat",))


def _nginx() -> None:
    _debian("nginx", "nginx", ("nginx",))


def _otel() -> None:
    _run("go", "install", f"go.opentelemetry.io/collector/cmd/builder@{OTEL}", GOBIN=str(GOT / "otel"))
    config = GOT / "otel" / "builder.yaml"
    config.write_text(OCB.format(folder=GOT / "otel" / "built", version=OTEL))
    _run(GOT / "otel" / "builder", "--config", config)
    _link("otelcol", GOT / "otel" / "built" / "otelcol")


def _venv(name: str, package: str) -> None:
    """In an environment of its own, so that what it needs is not what we need."""
    _run(sys.executable, "-m", "venv", "--clear", GOT / name)
    _run(GOT / name / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", package)


def _litellm() -> None:
    _venv("litellm", LITELLM)
    _link("litellm", GOT / "litellm" / "bin" / "litellm")


def _portkey() -> None:
    _run("npm", "install", "--silent", "--prefix", GOT / "npm", PORTKEY)
    _link("gateway", GOT / "npm" / "node_modules" / "@portkey-ai" / "gateway" / "build" / "start-server.js")


def _langfuse() -> None:
    _venv("langfuse", LANGFUSE)


@dataclass(frozen=True)
class Peer:
    """A tool: how it is got, and whether it is there."""

    get: Callable[[], None]
    there: Callable[[], object]


PEERS = {
    "rsyslog": Peer(_rsyslog, lambda: command("rsyslogd")),
    "syslog-ng": Peer(_syslog_ng, lambda: command("syslog-ng")),
    "otel": Peer(_otel, lambda: command("otelcol")),
    "kcat": Peer(_kcat, lambda: command("kcat")),
    "nginx": Peer(_nginx, lambda: command("nginx")),
    "litellm": Peer(_litellm, lambda: command("litellm")),
    "portkey": Peer(_portkey, lambda: command("gateway")),
    "langfuse": Peer(_langfuse, lambda: python("langfuse")),
}


def main() -> int:
    """Gets them in turn; one that can't be had is named, and the others are got."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(PEERS)}; else all that are not there")
    names = parser.parse_args().names or [name for name, peer in PEERS.items() if not peer.there()]
    if unknown := set(names) - PEERS.keys():
        parser.error(f"there is no {', '.join(sorted(unknown))}: {', '.join(PEERS)} can be got")
    failed = 0
    for name in names:
        try:
            PEERS[name].get()
        except (OSError, ValueError, subprocess.CalledProcessError) as error:
            failed = 1
            print(f"{name}: can't be got: {error}", flush=True)
        else:
            print(f"{name}: got", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
