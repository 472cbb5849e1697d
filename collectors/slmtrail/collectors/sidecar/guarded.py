"""The guard's part in an exchange: it holds a request until it is decided, refuses or flags it, and watches the answer.

How it fails: a request or an answer that has to be looked at and can't be (no room to hold it, no way to read it) is
refused. A role that takes no answer without a record gets neither before the commit.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from typing import Any

from slmtrail.collectors.collector import Collector
from slmtrail.collectors.guard import answer, asked
from slmtrail.collectors.guard.budgets import price_of
from slmtrail.collectors.guard.caller import Caller
from slmtrail.collectors.guard.gate import Gate
from slmtrail.collectors.guard.guard import Ruled
from slmtrail.collectors.guard.verdict import Decision, Reason, told
from slmtrail.collectors.sidecar import bodies
from slmtrail.collectors.sidecar.apis import endpoints
from slmtrail.collectors.sidecar.capture import Capture
from slmtrail.collectors.sidecar.exchange import Exchange
from slmtrail.collectors.sidecar.heads import ResponseHead, mapping, path_of
from slmtrail.collectors.sidecar.streams import FRAMED
from slmtrail.core import canonical, events
from slmtrail.core.errors import TrailError

log = logging.getLogger(__name__)

MAX_HELD_BYTES = 64 * 1024 * 1024
"""Of all requests and answers that wait for the guard."""

MAX_READ_BYTES = 64 * 1024 * 1024
"""Of a body once decompressed."""

INLINE_BYTES = 64 * 1024
"""A larger body is read in a thread, so that the others don't wait for it."""

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_BUSY = Reason("guard-busy", "too much waits to be looked at", status=503, retry_after_s=1)
_UNRECORDED = Reason("not-recorded", "it can't be recorded, and is not answered without", status=503, retry_after_s=5)
_UPGRADE = Reason("upgrade-not-allowed", "what passes on an upgraded connection can't be judged")


class Guarding:
    """What the guarded exchanges of one sidecar share."""

    def __init__(self, gate: Gate, capture: Capture, collector: Collector) -> None:
        self.gate = gate
        self.capture = capture
        self.collector = collector
        self.held_bytes = 0


class Guarded:
    """One exchange under guard."""

    def __init__(self, shared: Guarding, exchange: Exchange, head: bytes) -> None:
        request = exchange.request
        assert request is not None  # noqa: S101
        self._shared = shared
        self._exchange = exchange
        self._request = request
        self._head = mapping(head)
        self._method = request.method.decode()
        self._path = path_of(request.target).decode()
        api = endpoints.find(self._method, self._path)
        self._provider = api.provider if api else ""
        self._operation = asked.UNKNOWN_OPERATION if request.upgrade else asked.operation(self._method, self._path)
        self._caller = Caller()
        self._ruled: Ruled | None = None
        self._decisions: list[Decision] = []
        self._recorded: list[Decision] = []
        """Those that were committed before the request was sent on."""
        self._held_bytes = 0
        self._held: list[bytes] = []
        """Of the answer."""
        self._watch: answer.Answer | None = None
        self._keeps_all = False
        self._begun = False
        """Some of the answer was passed on."""
        self._passed = b""
        """The end of what was passed on of the answer's content."""
        self._coded = False
        self._task: asyncio.Task[None] | None = None
        self.continued = False
        """The client was told to send its body, so that the upstream's word of it is one too many."""
        self.holding = False
        """The request's body is waited for."""

    # The request

    def begin(self) -> None:
        """Decides as far as the head allows it."""
        caller = self._identified()
        if caller is None:
            self._wait(self._fetch_keys())
        else:
            self._on_head(caller)

    def more(self) -> None:
        """More of the request's body has come."""
        if not self.holding:
            return
        if not self._hold(self._exchange.request_bytes - self._held_bytes):
            self._decided(self._besides(_BUSY))
        elif self._exchange.request_done:
            self._on_body()

    def _identified(self) -> Caller | None:
        client = self._exchange.client
        return self._shared.gate.caller(self._head, client.ip, client.certificate)

    async def _fetch_keys(self) -> None:
        await self._shared.gate.identifier.refresh()
        self._on_head(self._identified() or Caller("token", fault="token_key_unknown"))

    def _on_head(self, caller: Caller) -> None:
        self._caller = caller
        request, gate = self._request, self._shared.gate
        ruled, decision = gate.on_head(caller, self._operation)
        self._ruled = ruled
        limit = ruled.role.limits.prompt_bytes
        if request.upgrade and (ruled.reads_body or ruled.reads_answer):
            decision = ruled.decision([*decision.reasons, _UPGRADE])
        elif limit is not None and request.length > limit:
            decision = ruled.decision([*decision.reasons, *ruled.over(request.length)])
        if decision.verdict == "block" or self._operation is None or not ruled.reads_body or request.framing == "none":
            self._decided(decision)
            return
        self._decisions = [decision]
        self.holding = True
        if self._head.get("expect", "").lower() == "100-continue" and not self._exchange.request_done:
            self.continued = True
            self._exchange.client.write(_CONTINUE)
        self._exchange.client.resume()
        self.more()

    def _on_body(self) -> None:
        self.holding = False  # nothing more comes of it
        data = b"".join(self._exchange.unsent)
        self._exchange.unsent = [data]
        if len(data) <= INLINE_BYTES:
            self._decided(self._judge(data))
        else:
            self._wait(self._judge_apart(data))

    def _judge(self, data: bytes) -> Decision:
        """The decision on a request that has come whole."""
        assert self._ruled is not None  # noqa: S101
        content: list[bytes] = []
        bodies.begin(self._request.framing, self._request.length, data, self._exchange.head_bytes, content)
        read = asked.read(self._method, self._path, self._head, b"".join(content), MAX_READ_BYTES)
        return self._shared.gate.on_body(self._ruled, read, self._decisions[0])

    async def _judge_apart(self, data: bytes) -> None:
        self._decided(await asyncio.to_thread(self._judge, data))

    def _besides(self, reason: Reason) -> Decision:
        """The decision so far with a reason more."""
        assert self._ruled is not None  # noqa: S101
        return self._ruled.decision([*self._decisions[0].reasons, reason])

    def _decided(self, decision: Decision) -> None:
        self.holding = False
        # Who only looks, and may, is no news.
        self._decisions = [decision] if decision.reasons or self._operation is not None else []
        if decision.verdict == "block":
            self._tell(decision.first)
        elif self._must_record:
            self._wait(self._record(decision))
        else:
            self._go()

    @property
    def _must_record(self) -> bool:
        return self._ruled is not None and self._ruled.role.unrecorded == "refuse" and self._operation is not None

    async def _record(self, decision: Decision) -> None:
        """Commits the decision, then lets the request go on."""
        at_ms = self._exchange.at_ms
        fields = {"@timestamp": at_ms, "slm.exchange.id": self._shared.capture.exchange_id(self._exchange.number)}
        line = canonical.dumps(events.parse({**fields, **self._caller.fields(), **decision.fields()}, at_ms))
        try:
            await asyncio.wrap_future(self._shared.collector.submit([line]))
        except TrailError as error:
            log.error("a request is refused because it can't be recorded: %s", error)
            self._refuse(_UNRECORDED)
            return
        self._recorded = [decision]
        self._go()

    def _go(self) -> None:
        self._let_go()
        self._exchange.client.release(self._exchange)

    def _refuse(self, reason: Reason) -> None:
        """Refuses what can't be decided or recorded, whether or not the policy is enforced."""
        if self._ruled is not None:
            self._decisions.append(replace(self._ruled.decision([reason]), enforced=True))
        self._tell(reason)

    def _tell(self, reason: Reason) -> None:
        """Answers in the upstream's stead."""
        fields = b"slm-verdict: block; rules=%b\r\n" % reason.rule.encode()
        if reason.retry_after_s:
            fields += b"Retry-After: %d\r\n" % reason.retry_after_s
        if reason.status == 401:
            fields += b"WWW-Authenticate: Bearer\r\n"
        self._exchange.client.refuse(self._exchange, reason.status, told(reason, self._provider), fields)

    # The answer

    @property
    def withholds(self) -> bool:
        """Whether nothing of the answer was passed on so far."""
        return self.looks and not self._begun

    @property
    def looks(self) -> bool:
        """Whether the answer goes by way of `take`."""
        return self._watch is not None or self._keeps_all or (self._must_record and not self._request.upgrade)

    def on_answer(self, response: ResponseHead, head: bytes) -> bytes:
        """The head of the answer as the client is to get it."""
        assert self._ruled is not None  # noqa: S101
        fields = mapping(head)
        kind = fields.get("content-type", "").lower()
        streams, coding = "event-stream" in kind or "ndjson" in kind, fields.get("content-encoding", "")
        self._coded = bool(coding)
        if FRAMED in kind:
            coding = FRAMED  # which no guard undoes: what it can't look into does not pass
        if self._ruled.reads_answer and self._operation is not None and response.framing != "none":
            self._watch = answer.watch(self._ruled, streams, coding)
        self._keeps_all = not streams and self.looks
        if self._decisions and self._decisions[0].verdict == "flag":
            return head[:-2] + self._decisions[0].header() + b"\r\n"
        return head

    def take(self, data: bytes, content: Sequence[bytes], *, done: bool, at_chunk: bool) -> bool:
        """Passes on more of the answer, or keeps it for now; False where the exchange ends with this.

        at_chunk: what came before `data` ended with a chunk, so that one of our own could follow.
        """
        keeps = self._keeps_all or (done and self._must_record)
        reasons = self._seen(content, done=done)
        if keeps and not self._hold(len(data)):
            reasons.append(_BUSY)
            keeps = False
        if reasons:
            assert self._ruled is not None  # noqa: S101
            decision = self._ruled.decision(reasons, "answer")
            self._decisions.append(decision)
            if decision.verdict == "block":
                self._cut(decision.first, at_chunk=at_chunk)
                return False
        if keeps:
            self._held.append(data)
        else:
            self._exchange.client.write(b"".join((*self._held, data)))
            self._held.clear()
            self._begun = True
            self._passed = (self._passed + b"".join(content))[-2:]
        return True

    def _seen(self, content: Sequence[bytes], *, done: bool) -> list[Reason]:
        if self._watch is None:
            return []
        reasons = self._watch.feed(b"".join(content))
        return [*reasons, *self._watch.end()] if done and not reasons else reasons

    def ended(self) -> bool:
        """An answer that lasts until its connection closes has ended; False where the exchange ends with this."""
        return not self.looks or self.take(b"", (), done=True, at_chunk=False)

    def finish(self, *, stays: bool) -> None:
        """The answer is whole: what was kept of it is passed on, once it is recorded where it has to be."""
        client, exchange = self._exchange.client, self._exchange

        def confirmed(recorded: bool) -> None:
            if exchange.over:
                return
            if recorded:
                client.write(b"".join(self._held))
                client.done(exchange, stays=stays)
            else:
                self._cut(_UNRECORDED, at_chunk=False)

        if self._must_record:
            self._shared.capture.end(exchange, "", confirmed)
        else:
            confirmed(recorded=True)

    def _cut(self, reason: Reason, *, at_chunk: bool) -> None:
        """The rest of the answer is not passed on; the client is told in its place, where that can be done."""
        exchange, text = self._exchange, told(reason, self._provider)
        if not self._begun:
            self._tell(reason)
            return
        if at_chunk and not self._coded:
            event = text
            if self._provider != "ollama":
                event = (b"event: error\n" if self._provider == "anthropic" else b"") + b"data: " + text + b"\n"
            if self._passed and not self._passed.endswith(b"\n" if self._provider == "ollama" else b"\n\n"):
                event = b"\n\n" + event
            exchange.client.cut(exchange, b"%x\r\n%b\r\n0\r\n\r\n" % (len(event), event))
        else:
            exchange.client.cut(exchange, b"")

    # Both

    def over(self) -> None:
        """The exchange is over."""
        self._let_go()
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()

    def spend(self, model: str, counts: tuple[int, int]) -> None:
        """Counts what the exchange has used."""
        if self._ruled is not None:
            guard, role = self._shared.gate.guard, self._ruled.role
            price = price_of(guard.policy.guard.prices, model)
            guard.budgets.spend(self._ruled.name, self._caller.who, role.limits, time.time(), counts, price)

    def told(self) -> dict[str, Any]:
        """What the parsing process is to say of it."""
        ruled, caller = self._ruled, self._caller
        said: dict[str, Any] = {
            "caller": caller.fields(),
            "credential": (caller.method, caller.who, caller.fault),
            "decisions": [decision.fields() for decision in self._decisions if decision not in self._recorded],
        }
        if ruled is not None:
            limits = ruled.role.limits
            said["role"] = {"slm.role": ruled.name, "slm.risk": ruled.role.risk}
            said["level"] = ruled.role.capture
            said["spends"] = limits.tokens_a_day is not None or limits.cost_usd_a_day is not None
        return said

    def _hold(self, size: int) -> bool:
        self._held_bytes += size
        self._shared.held_bytes += size
        return self._shared.held_bytes <= MAX_HELD_BYTES

    def _let_go(self) -> None:
        self._shared.held_bytes -= self._held_bytes
        self._held_bytes = 0

    def _wait(self, work: Coroutine[Any, Any, None]) -> None:
        async def guarded() -> None:
            try:
                await work
            except Exception as error:  # a guard that can't decide lets nothing pass
                log.error("a request is refused because the guard failed: %s", type(error).__name__)
                if not self._exchange.over:
                    self._refuse(Reason("guard-failed", "it could not be decided", status=503, retry_after_s=5))

        self._task = asyncio.get_running_loop().create_task(guarded())
