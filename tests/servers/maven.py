"""Jars from Maven Central and the classes compiled against them, cached between runs."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from servers.java import jdk_tool
from servers.server import UnavailableError

_HERE = Path(__file__).parent
_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"
_TIMEOUT_S = 900


def cache_folder() -> Path:
    """Where jars are kept: SLMTRAIL_TEST_CACHE, or .cache/servers in the repository's root."""
    folder = os.environ.get("SLMTRAIL_TEST_CACHE")
    return Path(folder).absolute() if folder else _HERE.parents[1] / ".cache" / "servers"


def resolve(name: str, artifacts: Sequence[str], sources: Sequence[str]) -> Path:
    """A folder with `libs/` (the artifacts and all they depend on) and `classes/` (the compiled `sources`).

    Several runs may ask at once: one builds, the others wait for it. What a run left half done is redone.
    """
    pom = _pom(name, artifacts)
    digest = hashlib.sha256(pom.encode())
    for source in sources:
        digest.update((_HERE / source).read_bytes())
    folder = cache_folder() / f"{name}-{digest.hexdigest()[:12]}"
    complete = folder / ".complete"
    if complete.exists():
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with (folder.parent / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not complete.exists():
                _build(folder, pom, sources)
                complete.touch()
    except OSError as error:
        raise UnavailableError(f"{error}: set SLMTRAIL_TEST_CACHE to a folder that can be written") from error
    return folder


def _build(folder: Path, pom: str, sources: Sequence[str]) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise UnavailableError("no mvn on the PATH (install Maven 3.6.3 or later)")
    javac = jdk_tool("javac")
    if folder.exists():
        shutil.rmtree(folder)
    libs, classes = folder / "libs", folder / "classes"
    classes.mkdir(parents=True)
    pom_file = folder / "pom.xml"
    pom_file.write_text(pom)
    # -C: a jar whose checksum does not match is an error.
    copy = [maven, "-B", "-q", "-ntp", "-C", "-f", str(pom_file), f"{_PLUGIN}:copy-dependencies"]
    _run([*copy, f"-DoutputDirectory={libs}"], "Maven can't resolve the jars (is there a network?)")
    compile_all = [javac, "-cp", f"{libs}/*", "-d", str(classes), *(str(_HERE / source) for source in sources)]
    _run(compile_all, "javac fails")


def _run(command: list[str], complaint: str) -> None:
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=_TIMEOUT_S
        )
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(f"{complaint}: nothing after {_TIMEOUT_S} s") from error
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-20:])
        raise UnavailableError(f"{complaint}:\n{tail}")


def _pom(name: str, artifacts: Sequence[str]) -> str:
    dependencies = []
    for artifact in artifacts:
        group, identifier, version = artifact.split(":")
        dependencies.append(
            f"<dependency><groupId>{group}</groupId><artifactId>{identifier}</artifactId>"
            f"<version>{version}</version></dependency>"
        )
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        f"<groupId>slmtrail.tests</groupId><artifactId>{name}</artifactId><version>1</version>"
        f"<dependencies>{''.join(dependencies)}</dependencies></project>\n"
    )
