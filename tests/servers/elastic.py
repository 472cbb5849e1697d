"""A one-node Elasticsearch without security.

From Maven it is the engine, HTTP and x-pack-core: templates, data streams, bulk, search, rollover, ingest. It
has no ILM, security, reindex, by-query or `_data_stream` routes and no `GET /`; tests must not need them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from servers.docker import Container
from servers.java import JavaProcess, jdk_tool
from servers.maven import resolve
from servers.server import Server, UnavailableError, first_available, free_port, serve

VERSION = "8.19.4"
_HEAP = ("-Xms1g", "-Xmx1g")
_ARTIFACTS = (
    f"org.elasticsearch:elasticsearch:{VERSION}",
    f"org.elasticsearch.plugin:transport-netty4:{VERSION}",
    f"org.elasticsearch.plugin:x-pack-core:{VERSION}",
)
# A plugin's jars are loaded by a class loader of its own; all others are the server's modules.
_PLUGINS = {
    "transport-netty4": ("transport-netty4-", "netty-", "elasticsearch-ssl-config-"),
    "x-pack-core": ("x-pack-", "unboundid-", "http", "elasticsearch-ssl-config-"),
}
_LOGGING = """\
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d %p %c{1.} %m%n
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
"""
_NOBODY = 65534


class Elastic(Server):
    """A node; `url` is its address."""

    name = "Elasticsearch"

    @property
    def url(self) -> str:
        """What clients take as hosts."""
        return f"http://{self.address}"

    def ready(self, log: bytes) -> bool:
        health = f"{self.url}/_cluster/health?wait_for_status=yellow&wait_for_no_initializing_shards=true&timeout=1s"
        try:
            with urllib.request.urlopen(health, timeout=5) as answer:
                return json.load(answer)["timed_out"] is False
        except (OSError, ValueError):
            return False


@contextmanager
def start_elastic(
    folder: Path | None = None, port: int | None = None, settings: Mapping[str, str] | None = None
) -> Iterator[Elastic]:
    """An Elasticsearch of its own with its data under `folder` (default: a temporary one), stopped at the end.

    `settings` are added to the node's, or replace them.
    """
    with TemporaryDirectory(prefix="slmtrail-elastic-") as temporary:
        port = port or free_port()
        home = (folder or Path(temporary)).absolute()
        merged = {
            "cluster.name": "slmtrail-test",
            "node.name": "node",
            "discovery.type": "single-node",
            "http.port": str(port),
            "cluster.routing.allocation.disk.threshold_enabled": "false",
        } | dict(settings or {})
        runtime = first_available(Elastic.name, (lambda: _container(port, merged), lambda: _process(home, merged)))
        elastic = Elastic(runtime, port)
        try:
            elastic.start()
            yield elastic
        finally:
            elastic.discard()


def _container(port: int, settings: Mapping[str, str]) -> Container:
    environment = {"xpack.security.enabled": "false", "ES_JAVA_OPTS": " ".join(_HEAP)} | dict(settings)
    return Container(f"elasticsearch:{VERSION}", port, environment)


def _process(home: Path, settings: Mapping[str, str]) -> JavaProcess:
    java = jdk_tool("java")
    as_user = _as_another_user()
    jars = resolve("elasticsearch", _ARTIFACTS, ["Leash.java", "EsNode.java"])
    _lay_out(home, jars / "libs")
    in_a_plugin = tuple(prefix for prefixes in _PLUGINS.values() for prefix in prefixes)
    modules = [jar for jar in sorted((jars / "libs").glob("*.jar")) if not jar.name.startswith(in_a_plugin)]
    options = {
        "path.home": str(home),
        "network.host": "127.0.0.1",
        "transport.port": str(free_port()),
    } | dict(settings)
    command = [
        *as_user,
        java,
        *_HEAP,
        "-XX:-UsePerfData",
        f"-Djava.io.tmpdir={home / 'tmp'}",
        f"-Dlog4j2.configurationFile={home / 'config' / 'log4j2.properties'}",
        "-Dlog4j2.disable.jmx=true",
        "--add-opens=java.base/java.io=ALL-UNNAMED",
        f"--module-path={':'.join(map(str, modules))}",
        "--add-modules=ALL-MODULE-PATH",
        f"--class-path={jars / 'classes'}",
        "Leash",
        "EsNode",
        *(f"{key}={value}" for key, value in options.items()),
    ]
    return JavaProcess(command, home, home / "data")


def _as_another_user() -> list[str]:
    """How root starts it: Elasticsearch refuses to be root.

    Nobody's user id, but with root's right to pass file permissions, so that jars and data may lie anywhere.
    """
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise UnavailableError("no setpriv on the PATH, and Elasticsearch won't run as root (install util-linux)")
    right = "+dac_override"
    drop = [setpriv, f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups"]
    drop += [f"--inh-caps={right}", f"--ambient-caps={right}", "--securebits=+no_setuid_fixup"]
    tried = subprocess.run([*drop, "true"], capture_output=True, text=True)
    if tried.returncode:
        raise UnavailableError(f"Elasticsearch won't run as root, nor can root change: {tried.stderr.strip()}")
    return drop


def _lay_out(home: Path, libs: Path) -> None:
    """The folders a node expects, its plugins as links to the cached jars."""
    for folder in ("config", "data", "logs", "plugins", "tmp"):
        (home / folder).mkdir(parents=True, exist_ok=True)
    (home / "config" / "elasticsearch.yml").touch()
    (home / "config" / "log4j2.properties").write_text(_LOGGING)
    shutil.rmtree(home / "modules", ignore_errors=True)
    for plugin, prefixes in _PLUGINS.items():
        module = home / "modules" / plugin
        module.mkdir(parents=True)
        for jar in libs.glob("*.jar"):
            if jar.name.startswith(prefixes):
                (module / jar.name).symlink_to(jar)
        with zipfile.ZipFile(libs / f"{plugin}-{VERSION}.jar") as archive:
            descriptor = archive.read(f"META-INF/es-plugins/{plugin}/plugin-descriptor.properties")
        (module / "plugin-descriptor.properties").write_bytes(descriptor)


if __name__ == "__main__":
    with start_elastic() as server:
        serve(server, server.url)
