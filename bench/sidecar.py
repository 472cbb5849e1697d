"""What the sidecar costs: latency it adds, requests a CPU second, memory; with and without it, in turns, in one run.

The model is a loop of fixed answers in a process of its own. Beside the sidecar stand a bare relay on the same loop
(bytes from socket to socket, no HTTP: what Python itself takes), and those of nginx, a Go `httputil.ReverseProxy` that
copies bodies aside, LiteLLM's proxy and Portkey's gateway that are here (bench/peers/get.py gets them). `sidecar`
counts both of its processes; `of which proxy` is the one that requests pass through, the rest is parsing. `guard on`
is the sidecar under a policy that looks into every prompt. Each figure is the median of rounds taken in turns.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import multiprocessing
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvloop

from peers import get
from slmtrail.collectors.guard.gate import Gate
from slmtrail.collectors.guard.identity import Identifier, IdentityOptions
from slmtrail.collectors.sidecar.options import SidecarOptions
from slmtrail.collectors.sidecar.proxy import serve
from slmtrail.core import policy

CONNECTIONS = 16
CHUNKS = 40
CHUNK_S = 0.002
GO = """package main
import ("bytes"; "io"; "net/http"; "net/http/httputil"; "net/url"; "os")
type tee struct { io.Reader; io.Closer }
func aside(body io.ReadCloser) io.ReadCloser { return tee{io.TeeReader(body, &bytes.Buffer{}), body} }
func main() {
	to, _ := url.Parse(os.Args[1])
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.Transport = &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}
	proxy.FlushInterval = -1
	proxy.ModifyResponse = func(r *http.Response) error { r.Body = aside(r.Body); return nil }
	http.ListenAndServe(os.Args[2], http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).EnableFullDuplex() // else an early answer may close the body under the proxy
		r.Body = aside(r.Body)
		proxy.ServeHTTP(w, r)
	}))
}
"""
NGINX = """daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{ access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  upstream model {{ server 127.0.0.1:{upstream}; keepalive 64; }}
  server {{ listen 127.0.0.1:{port}; keepalive_requests 1000000;
    location / {{ proxy_pass http://model; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_buffering off; }} }} }}
"""
POLICY = """
version: bench
roles:
  anyone:
    allow: {models: [bench, phi-*], parameters: {temperature: {max: 1}}}
    limits: {prompt_bytes: 100000, messages: 50, requests_a_minute: 100000000}
guard:
  secrets: {prompt: block}
  personal: {prompt: flag}
  patterns:
    override: {pattern: '(?i)ignore (all )?previous instructions'}
    codename: {pattern: 'Bluebird', verdict: flag}
"""
LITELLM = """model_list:
  - model_name: bench
    litellm_params: {{model: openai/bench, api_base: "http://127.0.0.1:{upstream}/v1", api_key: none}}
"""


def asking(number: int, stream: bool = False, words: int = 80) -> bytes:
    """A request with the head that OpenAI's client sends; bodies differ from one to the next."""
    said = f"question {number}: " + "why? " * (words + number)
    body = {"messages": [{"role": "user", "content": said}], "model": "bench", "temperature": 0.5}
    data = json.dumps(body | ({"stream": True} if stream else {})).encode()
    head = (
        "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:4748\r\nAccept-Encoding: gzip, deflate\r\n"
        "Connection: keep-alive\r\nAccept: application/json\r\nContent-Type: application/json\r\n"
        "User-Agent: OpenAI/Python 2.8.1\r\nX-Stainless-Lang: python\r\nX-Stainless-Package-Version: 2.8.1\r\n"
        "X-Stainless-OS: Linux\r\nX-Stainless-Arch: x64\r\nX-Stainless-Runtime: CPython\r\n"
        "X-Stainless-Runtime-Version: 3.11.7\r\nAuthorization: Bearer none\r\nX-Stainless-Async: false\r\n"
        f"x-stainless-retry-count: 0\r\nx-stainless-read-timeout: 600\r\nContent-Length: {len(data)}\r\n\r\n"
    )
    return head.encode() + data


SAID = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "bench",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "so " * 150, "refusal": None, "tool_calls": []},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 200, "total_tokens": 350, "completion_tokens": 150, "prompt_tokens_details": None},
}
BODY = json.dumps(SAID).encode()
HEAD = "HTTP/1.1 200 OK\r\ndate: Thu, 01 Jan 2026 00:00:00 GMT\r\nserver: uvicorn\r\n"
WHOLE = f"{HEAD}content-length: {len(BODY)}\r\ncontent-type: application/json\r\n\r\n".encode() + BODY
STREAM = f"{HEAD}content-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n".encode()
REQUESTS = [asking(number) for number in range(64)]
LONG = [asking(number, words=800) for number in range(64)]
"""Prompts of 4 KB."""
STREAMING = asking(0, stream=True)
LENGTH = re.compile(rb"(?i)\r\ncontent-length:[ ]*(\d+)")
SENT = re.compile(rb"@(\d+)@")


class _Model(asyncio.Protocol):
    """Answers at once; a stream says in each chunk when that was sent."""

    def connection_made(self, transport: Any) -> None:
        self._transport, self._data = transport, b""

    def data_received(self, data: bytes) -> None:
        self._data += data
        while (end := self._data.find(b"\r\n\r\n") + 4) > 3:
            length = LENGTH.search(self._data, 0, end)
            stop = end + (int(length[1]) if length else 0)
            if len(self._data) < stop:
                return
            body, self._data = self._data[end:stop], self._data[stop:]
            if b'"stream":true' in body.replace(b" ", b""):
                self._transport.write(STREAM)
                self._chunk(0)
            else:
                self._transport.write(WHOLE)

    def _chunk(self, number: int) -> None:
        delta: dict[str, Any] = {"content": f"@{time.monotonic_ns()}@"} if number < CHUNKS else {}
        choice = {"index": 0, "delta": delta, "finish_reason": None if delta else "stop"}
        shared = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "bench"}
        data = f"data: {json.dumps(shared | {'choices': [choice]})}\n\n".encode()
        if number == CHUNKS:
            data += b"data: [DONE]\n\n"
        self._transport.write(b"%x\r\n%b\r\n" % (len(data), data))
        if number == CHUNKS:
            self._transport.write(b"0\r\n\r\n")
        else:
            asyncio.get_running_loop().call_later(CHUNK_S, self._chunk, number + 1)


def model(sock: socket.socket) -> None:
    """Serves for ever."""

    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(_Model, sock=sock)
        await server.serve_forever()

    uvloop.run(run())


class Counting:
    """Stands for a collector, which has its own bench."""

    def offer(self, lines: list[bytes]) -> None:
        """Takes events."""

    def drop(self, count: int) -> None:
        """A bench that drops measures nothing."""
        sys.stderr.write(f"dropped {count}\n")


def sidecar(sock: socket.socket, upstream: int) -> None:
    """The sidecar, for ever."""
    uvloop.run(serve(SidecarOptions(f"http://127.0.0.1:{upstream}"), Counting(), sock))  # type: ignore[arg-type]


def guarded(sock: socket.socket, upstream: int) -> None:
    """The same under a policy that looks into every prompt."""
    gate = Gate(policy.parse(POLICY, "bench"), Identifier(IdentityOptions(b"s" * 32)))
    uvloop.run(serve(SidecarOptions(f"http://127.0.0.1:{upstream}"), Counting(), sock, gate))  # type: ignore[arg-type]


def relay(sock: socket.socket, upstream: int) -> None:
    """Bytes from socket to socket: the floor of any proxy on this loop."""

    class Side(asyncio.Protocol):
        other: Any = None

        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            self.other.transport.write(data)

        def connection_lost(self, exc: Exception | None) -> None:
            if self.other:
                self.other.transport.abort()

    class Client(Side):
        def data_received(self, data: bytes) -> None:
            if self.other is None:
                asyncio.get_running_loop().create_task(self._connect(data))
            else:
                self.other.transport.write(data)

        async def _connect(self, data: bytes) -> None:
            _, self.other = await asyncio.get_running_loop().create_connection(Side, "127.0.0.1", upstream)
            self.other.other = self
            self.other.transport.write(data)

    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(Client, sock=sock)
        await server.serve_forever()

    uvloop.run(run())


@dataclass
class Peer:
    """Something to send requests to, and what was measured of it in each round."""

    port: int
    pid: int
    more_head: bytes = b""
    slow: bool = False
    rounds: dict[str, list[float]] = field(default_factory=dict)

    def note(self, **measured: float) -> None:
        """Adds a round."""
        for name, value in measured.items():
            self.rounds.setdefault(name, []).append(value)

    def median(self, name: str) -> float:
        """Of all rounds."""
        return statistics.median(self.rounds[name])

    def request(self, data: bytes) -> bytes:
        """`data` with what this one needs in its head."""
        line_end = data.find(b"\r\n") + 2
        return data[:line_end] + self.more_head + data[line_end:]


def family(pid: int) -> list[int]:
    """A process and its children."""
    with suppress(FileNotFoundError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *(one for child in children for one in family(int(child)))]
    return []


def cpu_s(pids: list[int]) -> float:
    """CPU seconds used by processes, by their clocks (which Linux numbers after them)."""
    return sum(time.clock_gettime(~pid << 3 | 2) for pid in pids)


def settled_cpu_s(pids: list[int]) -> float:
    """The same, once they have done what they have to do."""
    now = cpu_s(pids)
    while True:
        time.sleep(0.05)
        before, now = now, cpu_s(pids)
        if now - before < 0.001:
            return now


def memory_mb(pids: list[int]) -> float:
    """Memory of processes, what they share counted once."""
    sizes = [Path(f"/proc/{pid}/smaps_rollup").read_text().split("Pss:")[1].split()[0] for pid in pids]
    return sum(map(int, sizes)) / 1024


def connect(port: int) -> socket.socket:
    """A connection without delays."""
    sock = socket.create_connection(("127.0.0.1", port), timeout=60)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def ask(peer: Peer, count: int, requests: Sequence[bytes] = REQUESTS) -> list[float]:
    """Seconds of each of `count` requests, one after the other on one connection."""
    times = []
    with connect(peer.port) as sock:
        for request in itertools.islice(itertools.cycle(map(peer.request, requests)), count):
            began = time.perf_counter()
            sock.sendall(request)
            data = b""
            while b"finish_reason" not in data or not data.endswith((b"}", b"}\n", b"0\r\n\r\n")):
                if not (piece := sock.recv(65536)):
                    raise OSError("closed")
                data += piece
            times.append(time.perf_counter() - began)
    return times


def stream(peer: Peer, count: int) -> tuple[list[float], list[float]]:
    """Seconds to the first chunk of each of `count` streams, and from the model to the client of every chunk."""
    first, chunks = [], []
    request = peer.request(STREAMING)
    with connect(peer.port) as sock:
        for _ in range(count):
            began = time.monotonic_ns()
            sock.sendall(request)
            data, seen, place = b"", 0, 0
            while not data.endswith(b"0\r\n\r\n"):
                if not (piece := sock.recv(65536)):
                    raise OSError("closed")
                now = time.monotonic_ns()
                data += piece
                for sent in SENT.finditer(data, place):
                    if not seen:
                        first.append((now - began) / 1e9)
                    chunks.append((now - int(sent[1])) / 1e9)
                    seen, place = seen + 1, sent.end()
    return first, chunks


async def flood(peer: Peer, seconds: float) -> int:
    """Requests answered within `seconds` on many connections."""
    end = time.monotonic() + seconds
    requests = [peer.request(request) for request in REQUESTS]

    async def one(place: int) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", peer.port)
        count = 0
        while time.monotonic() < end:
            writer.write(requests[(place + count) % len(requests)])
            head = await reader.readuntil(b"\r\n\r\n")
            if length := LENGTH.search(head):
                await reader.readexactly(int(length[1]))
            else:
                await reader.readuntil(b"0\r\n\r\n")
            count += 1
        writer.close()
        return count

    return sum(await asyncio.gather(*(one(4 * place) for place in range(CONNECTIONS))))


def percentile_ms(times: list[float], percent: int) -> float:
    """In milliseconds."""
    return statistics.quantiles(times, n=100)[percent - 1] * 1000


def listening() -> socket.socket:
    """A socket on a free port."""
    return socket.create_server(("127.0.0.1", 0), backlog=512)


def free_port() -> int:
    """A port that was free a moment ago."""
    with listening() as sock:
        return int(sock.getsockname()[1])


def start(work: Callable[..., None], *arguments: Any) -> int:
    """Runs `work` in a process of its own."""
    process = multiprocessing.get_context("fork").Process(target=work, args=arguments, daemon=False)
    process.start()
    assert process.pid
    return process.pid


def own(folder: Path, upstream: int, work: Callable[[socket.socket, int], None]) -> Peer:
    """One of the servers of this file."""
    sock = listening()
    return Peer(sock.getsockname()[1], start(work, sock, upstream))


def run(command: list[Any], folder: Path, **more: str) -> int:
    """Starts a command that keeps quiet."""
    with (folder / "log").open("ab") as log:
        environment = os.environ | more
        return subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env=environment).pid


def nginx(folder: Path, upstream: int) -> Peer | str:
    """nginx, one worker."""
    if not (command := get.command("nginx")):
        return get.missing("nginx", "nginx")
    port = free_port()
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, upstream=upstream, port=port))
    return Peer(port, run([command, "-c", folder / "nginx.conf", "-p", folder], folder))


def go(folder: Path, upstream: int) -> Peer | str:
    """A tee in Go."""
    if not (command := shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")):
        return "go is not on the PATH"
    (folder / "main.go").write_text(GO)
    built = subprocess.run([command, "build", "-o", folder / "tee", folder / "main.go"], check=False, cwd=folder)
    if built.returncode:
        return "go can't build it"
    port = free_port()
    return Peer(port, run([folder / "tee", f"http://127.0.0.1:{upstream}", f"127.0.0.1:{port}"], folder))


def litellm(folder: Path, upstream: int) -> Peer | str:
    """LiteLLM's proxy."""
    if not (command := get.command("litellm")):
        return get.missing("litellm", "litellm")
    port = free_port()
    (folder / "litellm.yaml").write_text(LITELLM.format(upstream=upstream))
    options = ["--config", folder / "litellm.yaml", "--host", "127.0.0.1", "--port", str(port)]
    quiet = {
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_TELEMETRY": "False",
        "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
    }
    return Peer(port, run([command, *options], folder, **quiet), slow=True)


def portkey(folder: Path, upstream: int) -> Peer | str:
    """Portkey's gateway."""
    command = get.command("gateway")
    if not command or "portkey" not in os.path.realpath(command):
        return get.missing("gateway of @portkey-ai/gateway", "portkey")
    port = free_port()
    head = f"x-portkey-provider: openai\r\nx-portkey-custom-host: http://127.0.0.1:{upstream}/v1\r\n"
    quiet = {"TRUSTED_CUSTOM_HOSTS": "127.0.0.1,localhost"}
    return Peer(port, run([command, f"--port={port}", "--headless"], folder, **quiet), head.encode(), slow=True)


PROXIES: dict[str, Callable[[Path, int], Peer | str]] = {
    "sidecar": lambda folder, upstream: own(folder, upstream, sidecar),
    "guard on": lambda folder, upstream: own(folder, upstream, guarded),
    "bare relay": lambda folder, upstream: own(folder, upstream, relay),
    "nginx": nginx,
    "go, teeing": go,
    "litellm": litellm,
    "portkey": portkey,
}


def wait_for(peer: Peer, seconds: float) -> bool:
    """Until something listens and answers there."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(OSError):
            ask(peer, 20)
            return True
        time.sleep(0.1)
    return False


def measure(peers: dict[str, Peer], rounds: int, each: int, streams: int, seconds: float) -> None:
    """Rounds, in each of which all are asked in turn, so that all meet the same machine."""
    for _, (name, peer) in itertools.product(range(rounds), peers.items()):
        share = 10 if peer.slow else 1
        times = ask(peer, max(each // share, 20))
        peer.note(p50=percentile_ms(times, 50), p99=percentile_ms(times, 99))
        with suppress(OSError) if peer.slow else nullcontext():  # not each of them can stream on each Node
            first, chunks = stream(peer, max(streams // share, 2))
            peer.note(first=percentile_ms(first, 50), chunk=percentile_ms(chunks, 50))
        if name in ("sidecar", "guard on"):
            peer.note(long_p99=percentile_ms(ask(peer, each, LONG), 99))
        if name == "direct":
            continue
        pids = family(peer.pid)
        before, alone = settled_cpu_s(pids), cpu_s([peer.pid])
        count = uvloop.run(flood(peer, seconds))
        used = settled_cpu_s(pids) - before
        peer.note(
            cpu_us=used / count * 1e6,
            proxy_us=(cpu_s([peer.pid]) - alone) / count * 1e6,
            memory=memory_mb(pids),
        )


COLUMNS = {
    "p50_ms": "added ms, p50",
    "p99_ms": "p99",
    "first_ms": "first chunk, p50",
    "chunk_ms": "each chunk, p50",
    "cpu_us": "CPU µs a request",
    "requests_per_cpu_s": "requests a CPU s",
    "memory_mb": "MB",
}


def table(peers: dict[str, Peer]) -> dict[str, dict[str, float]]:
    """A row for each, latencies as what is added to asking the model itself."""
    direct, rows = peers["direct"], {}
    for name, peer in peers.items():
        if name == "direct":
            continue
        added = {
            f"{one}_ms": round(peer.median(one) - direct.median(one), 3)
            for one in ("p50", "p99", "first", "chunk")
            if one in peer.rounds
        }
        cpu_us = peer.median("cpu_us")
        rows[name] = added | {
            "cpu_us": round(cpu_us, 1),
            "requests_per_cpu_s": round(1e6 / cpu_us),
            "memory_mb": round(peer.median("memory"), 1),
        }
    return rows


def goals(peers: dict[str, Peer], rows: dict[str, dict[str, float]]) -> list[tuple[str, float, str, bool]]:
    """What was aimed at: name, measured, aim, whether it is reached. Ratios are medians over rounds."""
    ours, found = rows["sidecar"], []

    def least(name: str, peer: str, aim: float, which: str = "cpu_us") -> None:
        if peer in peers:
            pairs = zip(peers[peer].rounds["cpu_us"], peers["sidecar"].rounds[which], strict=True)
            times = round(statistics.median(theirs / own for theirs, own in pairs), 2)
            found.append((name, times, f"≥ {aim}", times >= aim))

    def most(name: str, measured: float, aim: float) -> None:
        found.append((name, round(measured, 3), f"≤ {aim}", measured <= aim))

    least("requests a CPU second, × nginx", "nginx", 0.4)
    least("the same, of which proxy alone", "nginx", 0.4, "proxy_us")
    least("the same, × bare relay", "bare relay", 0.4)
    least("the same, × go, teeing", "go, teeing", 3)
    least("proxy alone, × go, teeing", "go, teeing", 3, "proxy_us")
    least("the same, × litellm", "litellm", 100)
    most("added ms, p50", ours["p50_ms"], 0.1)
    most("added ms, p99", ours["p99_ms"], 0.5)
    if "nginx" in rows:
        most("first chunk, ms more than nginx", ours["first_ms"] - rows["nginx"]["first_ms"], 0.05)
        most("each chunk, ms more than nginx", ours["chunk_ms"] - rows["nginx"]["chunk_ms"], 0.05)
    pairs = zip(peers["guard on"].rounds["long_p99"], peers["sidecar"].rounds["long_p99"], strict=True)
    most("guard on, 4 KB prompt, ms more, p99", statistics.median(on - off for on, off in pairs), 0.5)
    most("memory of both processes, MB", ours["memory_mb"], 80)
    return found


def main() -> None:
    """Measures and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="half a minute, and one for LiteLLM where it is here")
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    given = parser.parse_args()
    rounds, each, streams, seconds = (3, 400, 8, 0.7) if given.quick else (7, 1000, 15, 2.0)
    model_sock = listening()
    upstream = model_sock.getsockname()[1]
    peers = {"direct": Peer(upstream, start(model, model_sock))}
    skipped: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as name:
        try:
            for who, make in PROXIES.items():
                made = make(Path(name), upstream)
                if isinstance(made, str):
                    skipped[who] = made
                elif wait_for(made, 120 if made.slow else 30):
                    peers[who] = made
                else:
                    skipped[who] = "does not answer"
                    end([made.pid])
            measure(peers, rounds, each, streams, seconds)
        finally:
            end([peer.pid for peer in peers.values()])
    show(peers, skipped, as_json=given.json)


def end(pids: list[int]) -> None:
    """Ends processes and their children."""
    for pid in [member for one in pids for member in family(one)]:
        with suppress(ProcessLookupError):
            os.kill(pid, 9)


def show(peers: dict[str, Peer], skipped: dict[str, str], *, as_json: bool) -> None:
    """Prints what was measured."""
    rows = table(peers)
    print(f"{'':16}" + "".join(f"{title:>18}" for title in COLUMNS.values()))
    for who, row in rows.items():
        print(f"{who:16}" + "".join(f"{row.get(column, '-'):>18}" for column in COLUMNS))
        if who in ("sidecar", "guard on"):
            proxy_us = peers[who].median("proxy_us")
            print(f"{'  of which proxy':16}{'':72}{round(proxy_us, 1):>18}{round(1e6 / proxy_us):>18}")
            print(f"{'  of which parser':16}{'':71} {round(row['cpu_us'] - proxy_us, 1):>18}")
            row["proxy_us"] = round(proxy_us, 1)
    for who, why in skipped.items():
        print(f"{who:16}skipped: {why}")
    reached = goals(peers, rows)
    print()
    for what, measured, aim, met in reached:
        print(f"{what:42}{measured:>10}   {aim:10}{'reached' if met else 'not reached'}")
    if as_json:
        aims = {what: {"measured": measured, "aim": aim, "reached": met} for what, measured, aim, met in reached}
        print(json.dumps({"rows": rows, "skipped": skipped, "goals": aims}))


if __name__ == "__main__":
    main()
