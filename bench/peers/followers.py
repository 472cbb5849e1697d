"""Other programs that follow a file and write its lines to Kafka: how each is set up to do what `slmtrail tail` does.

zstd, acknowledged by all, one message a line: unsigned, unencrypted, unchecked.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from peers import get

DEADLINE_S = 120
_TICKS = os.sysconf("SC_CLK_TCK")


class FailedError(Exception):
    """A program is not there, or did not send what it was given."""


@dataclass(frozen=True)
class Peer:
    """A program by its name, what bench/peers/get.py calls it, its configuration, and the command that runs it."""

    name: str
    program: str
    got_as: str
    config: str
    command: Callable[[str, Path], list[str]]


RSYSLOG = Peer(
    "rsyslog",
    "rsyslogd",
    "rsyslog",
    """\
global(workDirectory="{folder}" maxMessageSize="64k")
module(load="imfile")
module(load="omkafka")
template(name="line" type="string" string="%msg%")
input(type="imfile" file="{file}" tag="bench" ruleset="kafka")
ruleset(name="kafka") {{
  action(type="omkafka" broker=["{bootstrap}"] topic="{topic}" template="line"
         confParam=["compression.codec=zstd", "acks=all"])
}}
""",
    lambda program, folder: [program, "-n", "-f", str(folder / "config"), "-i", str(folder / "pid")],
)
SYSLOG_NG = Peer(
    "syslog-ng",
    "syslog-ng",
    "syslog-ng",
    """\
@version: 3.38
options {{ log-msg-size(65536); stats-freq(0); }};
source s {{ file("{file}" follow-freq(0.1) flags(no-parse) log-fetch-limit(1000) log-iw-size(10000)); }};
destination d {{
  kafka-c(bootstrap-servers("{bootstrap}") topic("{topic}") message("$MSG")
          config(acks("all") compression.codec("zstd")));
}};
log {{ source(s); destination(d); flags(flow-control); }};
""",
    lambda program, folder: [
        *(program, "-F", "--no-caps", "-f", str(folder / "config"), "-R", str(folder / "persist")),
        *("-p", str(folder / "pid"), "-c", str(folder / "control")),
    ],
)
OTEL = Peer(
    "OTel Collector",
    "otelcol",
    "otel",
    """\
receivers:
  filelog: {{include: ["{file}"], start_at: beginning, poll_interval: 100ms}}
exporters:
  kafka:
    brokers: ["{bootstrap}"]
    logs: {{topic: "{topic}", encoding: raw}}
    producer: {{compression: zstd, required_acks: -1}}
    sending_queue: {{block_on_overflow: true}}
service:
  telemetry: {{metrics: {{level: none}}, logs: {{level: error}}}}
  pipelines:
    logs: {{receivers: [filelog], exporters: [kafka]}}
""",
    lambda program, folder: [program, "--config", f"file:{folder / 'config'}"],
)
PEERS = (SYSLOG_NG, RSYSLOG, OTEL)


def measured(
    peer: Peer, folder: Path, lines: list[bytes], bootstrap: str, topic: str, arrived: Callable[[], int]
) -> tuple[float, float]:
    """CPU seconds and seconds for `lines`, once the program has started and sent the first. Raises FailedError."""
    program = get.command(peer.program)
    if program is None:
        raise FailedError(get.missing(peer.program, peer.got_as))
    folder.mkdir()
    file = folder / "app.log"
    file.write_bytes(lines[0] + b"\n")
    config = peer.config.format(folder=folder, file=file, bootstrap=bootstrap, topic=topic)
    (folder / "config").write_text(config)
    with _running(peer.command(program, folder), folder) as process:
        _until(process, folder, lambda: arrived() >= 1)
        before_s, began_s = _cpu_s(process.pid), time.perf_counter()
        with file.open("ab") as opened:
            opened.write(b"\n".join(lines[1:]) + b"\n")
        _until(process, folder, lambda: arrived() >= len(lines))
        return _cpu_s(process.pid) - before_s, time.perf_counter() - began_s


@contextmanager
def _running(command: list[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _until(process: subprocess.Popen[bytes], folder: Path, condition: Callable[[], bool]) -> None:
    end_s = time.monotonic() + DEADLINE_S
    while not condition():
        if process.poll() is not None or time.monotonic() > end_s:
            told = " ".join((folder / "log").read_text(errors="replace").split())
            raise FailedError(f"did not do its work: {told[-300:]}")
        time.sleep(0.1)


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
