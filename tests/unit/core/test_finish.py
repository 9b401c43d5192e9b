"""Calls that return before they worked: each kind is completed, and again in later calls."""

from __future__ import annotations

import asyncio
import functools
import threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.pool import ThreadPool

import numpy as np
import pytest

from inferometer.core.errors import WorkloadError
from inferometer.core.finish import completed


class Work:
    """Counts what was done."""

    def __init__(self):
        self.done = 0

    def __call__(self):
        self.done += 1
        return self.done


async def coroutine(work):
    await asyncio.sleep(0)
    return work()


def generator(work):
    yield work()
    yield work()


async def agenerator(work):
    await asyncio.sleep(0)
    yield work()


def thread(work):
    started = threading.Thread(target=work)
    started.start()
    return started


@pytest.fixture(scope="module")
def pools():
    with ThreadPoolExecutor(1) as futures, ThreadPool(1) as results:
        yield {"future": futures.submit, "result": results.apply_async}


async def promise_of_promise(work):
    return generator(work)


PROMISES = {
    "coroutine": coroutine,
    "generator": generator,
    "iterator": lambda work: filter(None, generator(work)),
    "asynchronous generator": agenerator,
    "thread": thread,
    "nested": lambda work: {"logits": [coroutine(work)], "n": 3},
    "coroutine of a generator": promise_of_promise,
}


@pytest.mark.parametrize("kind", [*PROMISES, "future", "result"])
def test_promises_are_kept_within_each_call(kind, pools):
    work, promise = Work(), {**PROMISES, **pools}[kind]
    _, finish = completed(promise(work))
    first = work.done
    assert first > 0
    finish(promise(work))
    assert work.done == 2 * first


def test_what_was_promised_takes_the_place_of_the_promise():
    work = Work()
    assert completed(coroutine(work))[0] == 1
    assert completed({"a": (coroutine(work), "text")})[0] == {"a": (2, "text")}
    assert completed(generator(work))[0] == [3, 4]


def test_within_a_running_loop_as_in_a_notebook():
    work = Work()

    async def cell():
        return completed(coroutine(work))[0]

    assert asyncio.run(cell()) == 1


@pytest.mark.parametrize(
    "output", [1.0, "text", None, np.ones(2), [1, (2, {"a": 3})], {"x": np.ones(1)}, object(), int]
)
def test_what_is_there_stays_as_it_is(output):
    found, finish = completed(output)
    assert found is output
    assert finish is None


@pytest.mark.parametrize("output", [lambda: 1, functools.partial(int, 1)])
def test_a_function_that_nobody_called_is_refused(output):
    with pytest.raises(WorkloadError, match="still has to be called") as caught:
        completed(output)
    assert caught.value.kind == "unsupported"


def test_what_fails_when_awaited_fails():
    async def broken():
        raise ValueError("late")

    with pytest.raises(ValueError, match="late"):
        completed(broken())


def test_a_future_of_torch():
    torch = pytest.importorskip("torch")
    future = torch.futures.Future()
    future.set_result(torch.ones(2))
    found, finish = completed({"y": future})
    assert found["y"].tolist() == [1, 1]
    assert finish is not None
