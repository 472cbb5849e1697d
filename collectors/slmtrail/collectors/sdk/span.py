"""What takes time: an inference, a step, a call upstream. It is measured, and handed over when it ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any, TypeVar

from slmtrail.collectors.sdk import decorate
from slmtrail.collectors.sdk.here import here, leave
from slmtrail.collectors.sdk.ids import new_id, span_id, trace_id
from slmtrail.collectors.sdk.outbox import Outbox
from slmtrail.collectors.sdk.pack import Made, freeze
from slmtrail.collectors.sdk.quiet import quiet, told

MAX_MESSAGE_CHARS = 4096
LEFT = "not read to the end"
"""Why a stream has no outcome."""

F = TypeVar("F", bound=Callable[..., Any])
S = TypeVar("S", bound="Span")
Place = tuple[Mapping[str, Any], Token[Mapping[str, Any]], Token["Span | None"]]

current: ContextVar[Span | None] = ContextVar("slmtrail_span", default=None)


class Span:
    """Used as `with`, as a decorator, or through `done()` for what takes no time.

    Nothing in here raises, and an exception of the block goes on as it is.
    """

    def __init__(self, outbox: Outbox, fields: Mapping[str, Any]) -> None:
        self.id = new_id()
        """Known from the beginning: what this causes names it as `caused_by`."""
        self._outbox = outbox
        self._given = fields
        self._fields = Made(fields)
        self._notes: dict[str, Any] = {**self._fields.pop("slm.attributes", {})}
        self._outer: Mapping[str, Any] = {}
        self._place: Place | None = None
        self._at_ns = 0
        self._began_ns = 0
        self._over = False

    def again(self: S) -> S:
        """Another one like this, for the next call of a decorated function."""
        return type(self)(self._outbox, self._given)

    @quiet
    def set(self, field: str, value: Any) -> None:
        """Says what `field` is, by its name in the reference. The value is taken as it is now."""
        self._fields[field] = freeze(value)

    @quiet
    def note(self, **values: Any) -> None:
        """Adds values of your own, under `slm.attributes`."""
        self._notes.update((name, freeze(value)) for name, value in values.items())

    @quiet
    def fail(self, error_type: str, message: str | None = None) -> None:
        """It went wrong, though no exception says so."""
        self._fields |= {"event.outcome": "failure", "error.type": freeze(error_type), "error.message": freeze(message)}

    @quiet
    def reason(self, text: str) -> None:
        """Why it ended, or ended as it did."""
        self._fields["event.reason"] = freeze(text)

    def done(self) -> str:
        """Hands it over at once; returns its id."""
        with self:
            return self.id

    def __enter__(self: S) -> S:
        self.begin()
        self._place = self.enter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._place is not None:
            self.leave(self._place)
        self.end(error)

    def __call__(self, function: F) -> F:
        """Decorates a function, coroutine function, generator or asynchronous generator."""
        return decorate.decorated(self, function)

    @property
    def ids(self) -> dict[str, str]:
        """Those of its trace and its own, once it has begun."""
        return {name: self._fields[name] for name in ("trace.id", "span.id")}

    def begin(self, within: Mapping[str, str] | None = None) -> None:
        """The clock starts; within the span that has these ids, where they say so and not the place in the program."""
        self._outer = here.get()
        if within is not None:
            self._fields["parent.id"] = within["span.id"]
        self._fields["trace.id"] = (within or self._outer).get("trace.id") or trace_id()
        self._fields["span.id"] = span_id()
        self._at_ns, self._began_ns = time.time_ns(), time.perf_counter_ns()

    def enter(self) -> Place:
        """What happens from here on happens inside."""
        inner = {**here.get(), "trace.id": self._fields["trace.id"], "parent.id": self._fields["span.id"]}
        return here.get(), here.set(inner | self._inside()), current.set(self)

    def leave(self, place: Place) -> None:
        """What happens from here on does not."""
        outer, token, before = place
        leave(outer, token)
        try:
            current.reset(before)
        except (ValueError, RuntimeError):
            current.set(None)

    def passed_ms(self) -> int:
        """Since the beginning."""
        return (time.perf_counter_ns() - self._began_ns) // 1_000_000

    def end(self, error: BaseException | None = None, later: Callable[[], dict[str, Any]] | None = None) -> None:
        """The clock stops and the event is handed over, once; `later` finds fields that no one has to wait for."""
        if not self._over:
            self._over = True
            try:
                self._end(error)
                event = Made(self._fields)  # what its owner sets from now on comes too late
                event.later = later
                self._outbox.put((self._at_ns, event, self._outer, self.id))
            except Exception as fault:
                told("an event", fault)
                self._outbox.drop(1)

    def _end(self, error: BaseException | None) -> None:
        self._fields.setdefault("slm.latency_ms", self.passed_ms())
        self._fields.setdefault("event.outcome", "success")
        if isinstance(error, GeneratorExit):
            self._fields |= {"event.outcome": "unknown", "event.reason": LEFT}
        elif error is not None:
            self._fields |= {"event.outcome": "failure", "error.type": _type(error), "error.message": _message(error)}
        self._finish()
        if self._notes:
            self._fields["slm.attributes"] = dict(self._notes)

    @quiet
    def called(self, arguments: dict[str, Any]) -> None:
        """A decorated function was called with these."""
        self.note(arguments=arguments)

    @quiet
    def returned(self, result: Any) -> None:
        """It gave this."""
        self.note(result=result)

    @quiet
    def yielded(self, _: Any) -> None:
        """It gave a piece."""
        self._notes["pieces"] = self._notes.get("pieces", 0) + 1

    def _inside(self) -> dict[str, Any]:
        """What holds inside, beside the trace."""
        return {}

    def _finish(self) -> None:
        """The last moment to set something."""


def cause(given: Any) -> dict[str, Any]:
    """The field that names a cause: an id, or a span."""
    # Asked of the type: what `isinstance` asks of an object is that object's to answer.
    return {} if given is None else {"slm.caused_by": given.id if issubclass(type(given), Span) else given}


def _type(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _message(error: BaseException) -> str | None:
    try:
        return str(error)[:MAX_MESSAGE_CHARS] or None
    except Exception:
        return None
