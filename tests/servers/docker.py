"""A server as a container, through testcontainers."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from servers.server import UnavailableError

_ANSWER_TIMEOUT_S = 10


@cache
def _silence() -> str | None:
    """Why Docker can't be used, or None."""
    docker = shutil.which("docker")
    if docker is None:
        return "no docker on the PATH"
    try:
        command = [docker, "info", "--format", "{{.ServerVersion}}"]
        info = subprocess.run(command, capture_output=True, text=True, timeout=_ANSWER_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return f"the Docker engine did not answer within {_ANSWER_TIMEOUT_S} s"
    # Some clients end with 0 and an empty version when no engine answers.
    return None if info.returncode == 0 and info.stdout.strip() else "no Docker engine answers (start one)"


class Container:
    """Runs an image whose server listens on `port`, under the same port of the loopback interface."""

    host = "127.0.0.1"
    # The data are in the container: they outlive a stop or kill, not `discard`.
    data: Path | None = None

    def __init__(self, image: str, port: int, environment: dict[str, str]) -> None:
        if reason := _silence():
            raise UnavailableError(reason)
        try:
            from testcontainers.core.container import DockerContainer
            from testcontainers.core.docker_client import DockerClient
        except ImportError as error:
            raise UnavailableError("testcontainers is not installed (pip install 'slmtrail[test]')") from error
        from docker.errors import DockerException  # type: ignore[import-untyped]

        try:
            if DockerClient().host() not in {"localhost", self.host}:
                raise UnavailableError("the Docker engine is on another host")
            self._container = DockerContainer(image, env=environment)
            ports: dict[Any, Any] = self._container.ports
            ports[f"{port}/tcp"] = (self.host, port)
            # Here and not in `launch`: an image that can't be had is a reason to look for another runtime.
            self._container.start()
        except (DockerException, OSError) as error:
            raise UnavailableError(f"Docker can't run the image {image}: {error}") from error
        self._launched = False

    @property
    def pid(self) -> int:
        container = self._wrapped()
        container.reload()
        return int(container.attrs["State"]["Pid"])

    def launch(self) -> None:
        if self._launched:
            self._wrapped().start()
        else:
            self._launched = True

    def alive(self) -> bool:
        return self._launched and self._status() in {"running", "paused"}

    def stop(self, timeout_s: float) -> None:
        self._wrapped().stop(timeout=int(timeout_s))

    def kill(self) -> None:
        container = self._wrapped()
        container.kill()
        container.wait()

    def pause(self) -> None:
        if self._status() != "paused":
            self._wrapped().pause()

    def resume(self) -> None:
        if self._status() == "paused":
            self._wrapped().unpause()

    def log(self) -> bytes:
        return bytes(self._wrapped().logs()) if self._launched else b""

    def discard(self) -> None:
        self._container.stop()

    def _wrapped(self) -> Any:
        return self._container.get_wrapped_container()

    def _status(self) -> str:
        container = self._wrapped()
        container.reload()
        return str(container.status)
