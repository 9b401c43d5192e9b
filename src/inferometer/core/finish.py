"""Calls that return before they worked: coroutines, generators, futures, other devices' queues.

What a call gives is looked at once; where it is a promise, each later call is completed within its
timing. Knows no runtime: those that are loaded are asked.
"""

from __future__ import annotations

import asyncio
import inspect
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import Future
from functools import cache, partial
from types import FunctionType, MethodType
from typing import Any, TypeVar

from inferometer.core.errors import WorkloadError
from inferometer.core.nested import leaves, mapped

Finisher = Callable[[Any], Any]
Result = TypeVar("Result")

NESTED = 8
"""A promise may give a promise; more of them in a row than that are endless."""


def completed(output: Any) -> tuple[Any, Finisher | None]:  # noqa: ANN401 - whatever a model gives
    """What a call really gives, and what completes each later output; None where nothing must.

    Args:
        output: of a call that returned just now.

    Raises:
        WorkloadError: (unsupported) it is work that was not done, of a kind that cannot be waited
            for.
        Exception: whatever the work raises.
    """
    finishers: list[Finisher] = []
    while (finisher := _finisher_of(output)) is not None:
        if len(finishers) == NESTED:
            raise WorkloadError(
                "unsupported", f"its output is a promise of a promise, {NESTED}-fold"
            )
        finishers.append(finisher)
        output = finisher(output)
        if finisher is _synchronised:  # it stays what it is
            break
    if not finishers:
        return output, None
    return output, finishers[0] if len(finishers) == 1 else partial(_in_turn, finishers)


def _in_turn(finishers: list[Finisher], output: Any) -> Any:  # noqa: ANN401 - as above
    for finisher in finishers:
        output = finisher(output)
    return output


def _finisher_of(output: Any) -> Finisher | None:  # noqa: ANN401 - as above
    """What completes an output.

    Raises:
        WorkloadError: (unsupported) it is a function that still has to be called.
    """
    if isinstance(output, FunctionType | MethodType | partial):
        raise WorkloadError(
            "unsupported",
            f"a call gives a {type(output).__name__} that still has to be called, and no result",
        )
    kind = _kind_of(output)
    if kind is not None:
        return kind
    below = [leaf for _, leaf in leaves(output, whole=_is_promise)]
    if any(map(_is_promise, below)):
        return _each_completed
    return _synchronised if any(map(_is_on_device, below)) else None


def _is_promise(value: object) -> bool:
    return _kind_of(value) is not None


def _kind_of(value: Any) -> Finisher | None:  # noqa: ANN401, PLR0911 - one line for each kind
    """What completes a promise; None for all else."""
    if isinstance(value, type):
        return None
    if isinstance(value, Future):
        return _result
    if inspect.isawaitable(value) or isinstance(value, Awaitable):
        return _awaited
    if isinstance(value, AsyncIterator):
        return _drawn_asynchronously
    if isinstance(value, Iterator):
        return _drawn
    if isinstance(value, threading.Thread):
        return _joined
    return next((finish for names, finish in _DUCKS if _has_methods(value, names)), None)


def _has_methods(value: object, names: tuple[str, ...]) -> bool:
    """Whether the class of a value has these methods; asking the value might run code."""
    return all(callable(getattr(type(value), name, None)) for name in names)


def _result(future: Any) -> Any:  # noqa: ANN401 - as above
    return future.result()


def _waited(future: Any) -> Any:  # noqa: ANN401 - as above
    return future.wait()


def _got(future: Any) -> Any:  # noqa: ANN401 - as above
    return future.get()


def _joined(thread: Any) -> None:  # noqa: ANN401 - as above
    thread.join()


def _ready(array: Any) -> Any:  # noqa: ANN401 - as above
    return array.block_until_ready()


_DUCKS: tuple[tuple[tuple[str, ...], Finisher], ...] = (
    (("result", "done", "add_done_callback"), _result),  # those of dask, of ray's clients …
    (("wait", "value", "then"), _waited),  # torch.futures
    (("get", "wait", "ready"), _got),  # multiprocessing.pool
    (("join", "is_alive"), _joined),  # processes
    (("communicate", "poll", "wait"), _waited),  # subprocess
    (("block_until_ready",), _ready),  # jax
)


def _drawn(iterator: Any) -> list[Any]:  # noqa: ANN401 - as above
    return list(iterator)


def _awaited(promise: Any) -> Any:  # noqa: ANN401 - as above
    async def wait() -> Any:  # noqa: ANN401 - as above
        return await promise

    return _run(wait())


def _drawn_asynchronously(iterator: Any) -> list[Any]:  # noqa: ANN401 - as above
    async def draw() -> list[Any]:
        return [part async for part in iterator]

    return _run(draw())


def _run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine to its end; where a loop runs in this thread already, in another."""
    if asyncio._get_running_loop() is None:  # noqa: SLF001 - the public one raises
        return _own_loop().run_until_complete(work)
    return asyncio.run_coroutine_threadsafe(work, _loop_beside()).result()


@cache
def _own_loop() -> asyncio.AbstractEventLoop:
    """The loop for all calls: making one takes longer than many a call."""
    return asyncio.new_event_loop()


@cache
def _loop_beside() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    return loop


def _each_completed(output: Any) -> Any:  # noqa: ANN401 - as above
    """The output with what was promised in the place of each promise."""
    return mapped(output, lambda leaf: completed(leaf)[0], whole=_is_promise)


def _is_on_device(leaf: object) -> bool:
    """Whether a tensor lies on a device that works while the processor goes on."""
    torch = sys.modules.get("torch")
    return (
        torch is not None
        and isinstance(leaf, torch.Tensor)
        and leaf.device.type in ("cuda", "mps", "xpu")
    )


def _synchronised(output: Any) -> Any:  # noqa: ANN401 - as above
    torch = sys.modules["torch"]
    for kind in {leaf.device.type for _, leaf in leaves(output) if _is_on_device(leaf)}:
        getattr(torch, kind).synchronize()
    return output
