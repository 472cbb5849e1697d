"""A model server that repeats what it is told: OpenAI's /v1/chat/completions and /v1/models, streaming too.

It is no model. It stands behind the sidecar so that a new stack has something to record. Needs Python alone:
    python deploy/echo/model.py --port 8000
"""

from __future__ import annotations

import argparse
import json
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

NAME = "echo"
MAX_BODY_BYTES = 4 * 1024 * 1024


def last_said(messages: object) -> str:
    """The text of the last message."""
    content = messages[-1].get("content") if isinstance(messages, list) and isinstance(messages[-1], dict) else None
    if isinstance(content, list):
        content = " ".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


class Echo(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    timeout = 60

    def do_GET(self) -> None:
        """/health and /v1/models."""
        if self.path == "/health":
            self._json(200, {"status": "ok"})
        elif self.path == "/v1/models":
            self._json(200, {"object": "list", "data": [{"id": NAME, "object": "model", "owned_by": "slmtrail"}]})
        else:
            self._fail(404, f"{self.path}: there are /health, /v1/models and /v1/chat/completions")

    def do_POST(self) -> None:
        """/v1/chat/completions."""
        length = self.headers.get("content-length", "")
        if not length.isdecimal() or int(length) > MAX_BODY_BYTES:
            self.close_connection = True
            return self._fail(413, f"a body needs a Content-Length of at most {MAX_BODY_BYTES}")
        body = self.rfile.read(int(length))
        if self.path != "/v1/chat/completions":
            return self._fail(404, f"{self.path}: there is /v1/chat/completions")
        try:
            asked = json.loads(body)
            messages, model = asked["messages"], str(asked["model"])
            said = last_said(messages)
        except (ValueError, KeyError, TypeError, IndexError, AttributeError):
            return self._fail(400, "the body is a JSON object with a model and at least one message")
        head = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": model}
        words = len(said.split())
        usage = {"prompt_tokens": words, "completion_tokens": words, "total_tokens": 2 * words}
        if asked.get("stream"):
            return self._stream(head, said)
        choice = {"index": 0, "message": {"role": "assistant", "content": said}, "finish_reason": "stop"}
        return self._json(200, {**head, "object": "chat.completion", "choices": [choice], "usage": usage})

    def _stream(self, head: dict[str, Any], said: str) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        pieces: list[tuple[dict[str, str], str | None]] = [({"role": "assistant"}, None)]
        pieces += [({"content": piece}, None) for piece in said.splitlines(keepends=True)]
        for delta, reason in [*pieces, ({}, "stop")]:
            choice = {"index": 0, "delta": delta, "finish_reason": reason}
            self._chunk(json.dumps({**head, "object": "chat.completion.chunk", "choices": [choice]}))
        self._chunk("[DONE]")
        self.wfile.write(b"0\r\n\r\n")

    def _chunk(self, data: str) -> None:
        event = f"data: {data}\n\n".encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
        self.wfile.flush()

    def _fail(self, status: int, text: str) -> None:
        self._json(status, {"error": {"message": text, "type": "invalid_request_error"}})

    def _json(self, status: int, content: dict[str, Any]) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """What is said here is recorded elsewhere."""


def main() -> None:
    """Serves until interrupted."""
    parser = argparse.ArgumentParser(description="A model server that repeats what it is told.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    given = parser.parse_args()
    with ThreadingHTTPServer((given.host, given.port), Echo) as server:
        print(f"echoing at http://{given.host}:{server.server_port}", flush=True)  # noqa: T201
        server.serve_forever()


if __name__ == "__main__":
    main()
