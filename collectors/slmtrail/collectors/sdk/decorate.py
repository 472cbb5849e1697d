"""Functions that leave an event each time they are called; seen from outside they are what they were."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from typing import TYPE_CHECKING, Any, TypeVar, cast

from slmtrail.collectors.sdk.quiet import quiet

if TYPE_CHECKING:
    from slmtrail.collectors.sdk.span import Span

F = TypeVar("F", bound=Callable[..., Any])


def decorated(span: Span, function: F) -> F:
    """`function`, each call of which is a span like `span`."""
    if isinstance(function, staticmethod | classmethod):
        return cast("F", type(function)(decorated(span, function.__func__)))
    begin = functools.partial(_begun, span, _parameters(function))
    wrapper: Callable[..., Any]
    if inspect.isasyncgenfunction(function):

        async def wrapper(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
            one, steps = begin(args, kwargs), function(*args, **kwargs)
            resume = functools.partial(steps.asend, None)
            try:
                while True:
                    place = one.enter()
                    try:
                        piece = await resume()
                    finally:
                        one.leave(place)
                    _yielded(one, piece)
                    try:
                        resume = functools.partial(steps.asend, (yield piece))
                    except GeneratorExit:
                        raise
                    except BaseException as thrown:
                        resume = functools.partial(steps.athrow, thrown)
            except StopAsyncIteration:
                pass
            except BaseException as error:
                one.end(error)
                raise
            finally:
                one.end()
                await steps.aclose()

    elif inspect.isgeneratorfunction(function):

        def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            one, steps = begin(args, kwargs), function(*args, **kwargs)
            resume = functools.partial(steps.send, None)
            try:
                while True:
                    place = one.enter()
                    try:
                        piece = resume()
                    finally:
                        one.leave(place)
                    _yielded(one, piece)
                    try:
                        resume = functools.partial(steps.send, (yield piece))
                    except GeneratorExit:
                        raise
                    except BaseException as thrown:
                        resume = functools.partial(steps.throw, thrown)
            except StopIteration as stop:
                return stop.value
            except BaseException as error:
                one.end(error)
                raise
            finally:
                one.end()
                steps.close()

    elif inspect.iscoroutinefunction(function):

        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            one = begin(args, kwargs)
            with one:
                result = await function(*args, **kwargs)
                _returned(one, result)
                return result

    else:

        def wrapper(*args: Any, **kwargs: Any) -> Any:
            one = begin(args, kwargs)
            with one:
                result = function(*args, **kwargs)
                _returned(one, result)
                return result

    return cast("F", functools.wraps(function)(wrapper))


def _begun(span: Span, parameters: inspect.Signature | None, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Span:
    one = span.again()
    one.begin()
    _called(one, parameters, args, kwargs)
    return one


@quiet
def _called(one: Span, parameters: inspect.Signature | None, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    arguments = dict(parameters.bind_partial(*args, **kwargs).arguments) if parameters else kwargs
    for own in ("self", "cls"):
        if next(iter(arguments), None) == own:
            del arguments[own]
    one.called(arguments)


@quiet
def _returned(one: Span, result: Any) -> None:
    one.returned(result)


@quiet
def _yielded(one: Span, piece: Any) -> None:
    one.yielded(piece)


@quiet
def _parameters(function: Callable[..., Any]) -> inspect.Signature:
    return inspect.signature(function)
