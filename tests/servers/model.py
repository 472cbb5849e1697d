"""A small server that speaks as model servers do and answers with what it was asked; plain asyncio, for tests.

How it behaves is the name of the model it is asked for: `echo`, `think`, `tools`, `error-429`, `cut`, `garbled`,
`hang`, `close`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import Any


class Model:
    """The server, in a thread of its own."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.served = 0
        self.gone = threading.Event()
        """A client left a model that hangs."""
        self._tls = tls
        self._sock = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._sock.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http{'s' if self._tls else ''}://localhost:{self.port}"

    def stop(self) -> None:
        """Ends it."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._sock.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._client, sock=self._sock, ssl=self._tls))
        self._loop.run_forever()
        server.close()
        under_way = asyncio.all_tasks(self._loop)
        for task in under_way:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*under_way, return_exceptions=True))
        self._loop.close()

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while await self._exchange(reader, writer):
                self.served += 1
        writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        method, path, _ = head.split(" ", 2)
        fields = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in head.splitlines()[1:])}
        if fields.get("expect") == "100-continue":
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if fields.get("transfer-encoding") == "chunked":
            body = await _chunks(reader)
        else:
            body = await reader.readexactly(int(fields.get("content-length", "0")))
        try:
            asked = json.loads(body) if body else {}
        except ValueError:
            asked = {}
        name = asked.get("model", "") if isinstance(asked, dict) else ""
        if name == "close":
            return False
        if name == "hang":
            await reader.read()
            self.gone.set()
            return False
        if name.startswith("error-"):
            _whole(writer, int(name[6:]), {"error": {"message": "not today", "type": "rate_limit_error", "code": None}})
        elif name == "garbled":
            _raw(writer, 200, b'{"id": "x", "choices": [')
        elif method == "GET" and path.endswith("/models"):
            _whole(writer, 200, {"object": "list", "data": [{"id": "echo", "object": "model"}]})
        elif method == "GET" and path == "/api/tags":
            _whole(writer, 200, {"models": [{"name": "echo", "model": "echo"}]})
        else:
            return await self._answer(path, asked, writer)
        return True

    async def _answer(self, path: str, asked: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
        if path in ("/api/chat", "/api/generate"):
            lines = _ollama(path, asked)
            if asked.get("stream") is False:
                _whole(writer, 200, _ollama_whole(lines))
                return True
            return await _stream(writer, "application/x-ndjson", [json.dumps(line) + "\n" for line in lines], asked)
        if path == "/api/embed":
            _whole(writer, 200, {"model": "echo", "embeddings": [[0.1, 0.2, 0.3]], "prompt_eval_count": 3})
            return True
        if path.endswith("/embeddings"):
            vector = {"object": "embedding", "index": 0, "embedding": [0.1, 0.2, 0.3]}
            used = {"prompt_tokens": 3, "total_tokens": 3}
            _whole(writer, 200, {"object": "list", "model": "echo", "data": [vector], "usage": used})
            return True
        made = next((api for end, api in APIS.items() if path.endswith(end)), None)
        if made is None:
            _raw(writer, 404, b"no such path\n")
            return True
        whole, events = made(asked)
        if not asked.get("stream") and path != "/generate_stream":
            _whole(writer, 200, whole)
            return True
        return await _stream(writer, "text/event-stream", events, asked)


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int((await reader.readline()).split(b";")[0], 16):
        body += (await reader.readexactly(size + 2))[:-2]
    while await reader.readline() != b"\r\n":
        pass
    return body


def _raw(writer: asyncio.StreamWriter, status: int, body: bytes) -> None:
    head = f"HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)


def _whole(writer: asyncio.StreamWriter, status: int, body: dict[str, Any]) -> None:
    _raw(writer, status, json.dumps(body).encode())


async def _stream(writer: asyncio.StreamWriter, kind: str, pieces: list[str], asked: dict[str, Any]) -> bool:
    writer.write(f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
    cut = asked.get("model") == "cut"
    for piece in pieces[: len(pieces) // 2] if cut else pieces:
        data = piece.encode()
        writer.write(b"%x\r\n%b\r\n" % (len(data), data))
        await writer.drain()
        await asyncio.sleep(0)
    if cut:
        return False
    writer.write(b"0\r\n\r\n")
    return True


def _echo(asked: dict[str, Any]) -> list[str]:
    """The last thing said, in words."""
    said = asked.get("prompt") or asked.get("inputs") or asked.get("input") or ""
    if asked.get("messages"):
        said = asked["messages"][-1].get("content") or ""
    if isinstance(said, list):
        said = " ".join(part.get("text") or str(part.get("content", "")) for part in said)
    words = str(said).split(" ")
    return [word + " " for word in words[:-1]] + words[-1:]


CALL = {"city": "Oslo"}


def _chat(asked: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    words, name = _echo(asked), asked.get("model", "echo")
    shared = {"id": "chatcmpl-1", "created": 1, "model": name}
    usage = {
        "prompt_tokens": 7,
        "completion_tokens": len(words),
        "total_tokens": 7 + len(words),
        "prompt_tokens_details": {"cached_tokens": 2},
        "completion_tokens_details": {"reasoning_tokens": 1},
    }
    message: dict[str, Any] = {"role": "assistant", "content": "".join(words)}
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}, *({"content": word} for word in words)]
    reason = "stop"
    if name == "think":
        message["reasoning_content"] = "let me think"
        deltas[1:1] = [{"reasoning_content": "let me "}, {"reasoning_content": "think"}]
    if name == "tools":
        reason, arguments = "tool_calls", json.dumps(CALL)
        call = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": arguments}}
        message = {"role": "assistant", "content": None, "tool_calls": [call]}
        first = {"index": 0, **call, "function": {"name": "weather", "arguments": ""}}
        rest = [{"index": 0, "function": {"arguments": piece}} for piece in (arguments[:6], arguments[6:])]
        deltas = [{"role": "assistant", "tool_calls": [first]}, *({"tool_calls": [piece]} for piece in rest)]
    logprobs = {"content": [{"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": []}]}
    choice = {"index": 0, "message": message, "finish_reason": reason, "logprobs": logprobs}
    whole = {**shared, "object": "chat.completion", "choices": [choice], "usage": usage}
    chunk = {**shared, "object": "chat.completion.chunk"}
    chunks = [{**chunk, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    last = {"index": 0, "delta": {}, "finish_reason": reason, "logprobs": logprobs}
    chunks.append({**chunk, "choices": [last]})
    chunks.append({**chunk, "choices": [], "usage": usage})
    return whole, [*(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks), "data: [DONE]\n\n"]


def _completion(asked: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    words = _echo(asked)
    shared = {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": asked.get("model")}
    usage = {"prompt_tokens": 3, "completion_tokens": len(words), "total_tokens": 3 + len(words)}
    whole = {**shared, "choices": [{"index": 0, "text": "".join(words), "finish_reason": "length"}], "usage": usage}
    chunks = [{**shared, "choices": [{"index": 0, "text": word, "finish_reason": None}]} for word in words]
    chunks.append({**shared, "choices": [{"index": 0, "text": "", "finish_reason": "length"}], "usage": usage})
    return whole, [*(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks), "data: [DONE]\n\n"]


def _responses(asked: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    words = _echo(asked)
    part = {"type": "output_text", "text": "".join(words), "annotations": []}
    item = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [part]}
    usage = {"input_tokens": 5, "output_tokens": len(words), "total_tokens": 5 + len(words)}
    begun = {"id": "resp_1", "object": "response", "created_at": 1, "model": asked.get("model"), "output": []}
    begun |= {"status": "in_progress", "parallel_tool_calls": True, "tool_choice": "auto", "tools": []}
    whole = {**begun, "status": "completed", "output": [item], "usage": usage}
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    events: list[dict[str, Any]] = [{"type": "response.created", "response": begun}]
    events.append({"type": "response.output_item.added", "output_index": 0, "item": {**item, "content": []}})
    events.append({"type": "response.content_part.added", **place, "part": {**part, "text": ""}})
    events += [{"type": "response.output_text.delta", **place, "delta": word, "logprobs": []} for word in words]
    events.append({"type": "response.completed", "response": whole})
    numbered = [{**event, "sequence_number": number} for number, event in enumerate(events)]
    return whole, [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in numbered]


def _messages(asked: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    words = _echo(asked)
    blocks: list[dict[str, Any]] = [{"type": "text", "text": "".join(words)}]
    reason = "end_turn"
    if asked.get("model") == "tools":
        reason = "tool_use"
        blocks.append({"type": "tool_use", "id": "toolu_1", "name": "weather", "input": CALL})
    begun = {"id": "msg_1", "type": "message", "role": "assistant", "model": asked.get("model"), "content": []}
    begun |= {"stop_reason": None, "stop_sequence": None}
    usage = {"input_tokens": 4, "cache_read_input_tokens": 2, "cache_creation_input_tokens": 1}
    whole = {**begun, "content": blocks, "stop_reason": reason, "usage": {**usage, "output_tokens": len(words)}}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": {**begun, "usage": {**usage, "output_tokens": 1}}}
    ]
    for index, block in enumerate(blocks):
        if block["type"] == "text":
            empty, deltas = {"type": "text", "text": ""}, [{"type": "text_delta", "text": word} for word in words]
        else:
            arguments = json.dumps(block["input"])
            empty = {**block, "input": {}}
            deltas = [{"type": "input_json_delta", "partial_json": p} for p in (arguments[:5], arguments[5:])]
        events.append({"type": "content_block_start", "index": index, "content_block": empty})
        events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        events.append({"type": "content_block_stop", "index": index})
    delta = {"stop_reason": reason, "stop_sequence": None}
    events.append({"type": "message_delta", "delta": delta, "usage": {"output_tokens": len(words)}})
    events.append({"type": "message_stop"})
    return whole, [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events]


def _ollama(path: str, asked: dict[str, Any]) -> list[dict[str, Any]]:
    def said(word: str) -> dict[str, Any]:
        return {"message": {"role": "assistant", "content": word}} if path == "/api/chat" else {"response": word}

    shared = {"model": asked.get("model"), "created_at": "2026-01-01T00:00:00Z", "done": False}
    words = _echo(asked)
    called = asked.get("model") == "tools" and path == "/api/chat"
    call = {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "weather", "arguments": CALL}}]}
    counts = {"done": True, "done_reason": "stop", "prompt_eval_count": 6, "eval_count": len(words)}
    told = [{**shared, "message": call}] if called else [{**shared, **said(word)} for word in words]
    return [*told, {**shared, **said(""), **counts}]


def _ollama_whole(lines: list[dict[str, Any]]) -> dict[str, Any]:
    last = lines[-1]
    if "message" in last:
        said = {"role": "assistant", "content": "".join(line["message"]["content"] for line in lines)}
        calls = [call for line in lines for call in line["message"].get("tool_calls", [])]
        return {**last, "message": {**said, "tool_calls": calls} if calls else said}
    return {**last, "response": "".join(line["response"] for line in lines)}


def _tgi(asked: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    words = _echo(asked)
    tokens = [{"id": n, "text": word, "logprob": -0.5, "special": False} for n, word in enumerate(words)]
    details = {"finish_reason": "eos_token", "generated_tokens": len(words), "seed": None}
    said = "".join(words)
    prefill = [{"id": 1, "text": "x", "logprob": None}] * 4
    whole = {"generated_text": said, "details": {**details, "prefill": prefill, "tokens": tokens}}
    events: list[dict[str, Any]] = [
        {"index": n, "token": token, "generated_text": None, "details": None} for n, token in enumerate(tokens, 1)
    ]
    events[-1] |= {"generated_text": said, "details": {**details, "input_length": 4}}
    return whole, [f"data:{json.dumps(event)}\n\n" for event in events]


def _llamacpp(asked: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    words = _echo(asked)
    counts = {"stop": True, "stop_type": "eos", "tokens_predicted": len(words), "tokens_evaluated": 4}
    last = {"index": 0, "content": "", "model": "echo.gguf", **counts}
    events = [{"index": 0, "content": word, "stop": False} for word in words]
    whole = {**last, "content": "".join(words)}
    return whole, [f"data: {json.dumps(event)}\n\n" for event in [*events, last]]


APIS = {
    "/chat/completions": _chat,
    "/completions": _completion,
    "/responses": _responses,
    "/messages": _messages,
    "/generate": _tgi,
    "/generate_stream": _tgi,
    "/completion": _llamacpp,
}


@contextlib.contextmanager
def serving(tls: ssl.SSLContext | None = None) -> Iterator[Model]:
    """The server, until left."""
    model = Model(tls)
    try:
        yield model
    finally:
        model.stop()
