"""Calls that return before they worked: 20 ms each, once somebody waits for them or draws them out."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import nn

POOL = ThreadPoolExecutor(1)
INPUTS = {"x": [1.0]}


def _work(x):
    time.sleep(0.02)
    return x


def async_generator():
    async def model(x):
        for part in x:
            await asyncio.sleep(0.02)
            yield part

    return model, INPUTS


def nested():
    return (lambda x: {"out": [POOL.submit(_work, x)]}), INPUTS


def mapped():
    return (lambda x: map(_work, x)), INPUTS


def nested_coroutine():
    async def later(x):
        await asyncio.sleep(0.02)
        return x

    return (lambda x: (later(x), None)), INPUTS


class Awaitable:
    def __await__(self):
        return asyncio.sleep(0.02).__await__()


def awaitable():
    return (lambda x: Awaitable()), INPUTS


class Future(nn.Module):
    def forward(self, x):
        future = torch.futures.Future()
        POOL.submit(lambda: future.set_result(_work(x)))
        return future


def torch_future():
    return Future(), torch.zeros(1, 4)


class Coroutine(nn.Module):
    async def forward(self, x):
        await asyncio.sleep(0.02)
        return x * 2


def torch_coroutine():
    return Coroutine(), torch.zeros(1, 4)


class Generator(nn.Module):
    def forward(self, x):
        for row in x:
            yield _work(row)


def torch_generator():
    return Generator(), torch.zeros(1, 4)


class BrokenGenerator(nn.Module):
    def forward(self, x):
        yield x
        yield x * float("nan")


def broken_generator():
    """What is drawn out holds NaN."""
    return BrokenGenerator(), torch.zeros(1, 4)
