"""Models that behave and misbehave on purpose. None needs a runtime: they load in milliseconds."""

from __future__ import annotations

import ctypes
import os
import sys
import time


def _inputs():
    return {"x": [1.0, 2.0]}


def good(seconds=0.002):
    """Sleeps, so that it takes about a known time."""

    def model(x):
        time.sleep(seconds)
        return [value * 2 for value in x]

    return model, _inputs()


def segfault():
    def model(x):
        ctypes.string_at(0)

    return model, _inputs()


def hang():
    def model(x):
        while True:
            time.sleep(3600)

    return model, _inputs()


def hang_while_loading():
    time.sleep(3600)


def memory():
    def model(x):
        kept = []
        while True:
            kept.append(bytearray(b"x") * (16 << 20))

    return model, _inputs()


def nan():
    return (lambda x: {"scores": [float("nan")]}), _inputs()


def raises():
    def model(x):
        raise RuntimeError("boom")

    return model, _inputs()


def raises_while_loading():
    raise ValueError("no weights today")


def leaves():
    def model(x):
        os._exit(7)

    return model, _inputs()


def chatty():
    """Prints to standard output, which is not ours to print on."""

    def model(x):
        sys.stdout.write("a model that talks\n")
        return x

    return model, _inputs()


def large(limit_mib=64):
    """Holds memory in proportion to the batch."""

    def model(x):
        return len(bytearray(b"x") * (len(x) * limit_mib << 20))

    import numpy as np

    return model, (np.ones((1, 4)),)


def cliffs(beyond=6, factor=3, mib=100, seconds=0.001):
    """Takes a time and memory for each input; beyond one batch size, several times the time."""
    import numpy as np

    def model(x):
        held = np.empty(len(x) * mib << 20, np.uint8)  # reserved, and not touched: takes no time
        time.sleep(len(x) * seconds * (factor if len(x) > beyond else 1))
        return len(held)

    return model, (np.ones((1, 4)),)


def slows_down(calls=20, seconds=60):
    """Fast for some calls, then very slow."""
    count = 0

    def model(x):
        nonlocal count
        count += 1
        time.sleep(0.05 if count <= calls else seconds)
        return x

    return model, _inputs()


def later_crash(calls=150):
    """Dies at its n-th call."""
    count = 0

    def model(x):
        nonlocal count
        count += 1
        if count > calls:
            ctypes.string_at(0)

    return model, _inputs()


def tiny(steps=400):
    """Takes tens of microseconds at the most."""

    def model(x):
        total = 0
        for step in range(steps):
            total += step
        return x

    return model, _inputs()


def degrades(every=50, factor=1.3, seconds=0.001):
    """Gets slower every so many calls, for good."""
    count = 0

    def model(x):
        nonlocal count
        count += 1
        time.sleep(seconds * factor ** (count // every))
        return x

    return model, _inputs()


def erratic(seconds=0.01):
    """Takes a time that nobody can foretell."""
    import random

    times = random.Random(1)

    def model(x):
        time.sleep(times.expovariate(1 / seconds))
        return x

    return model, _inputs()


def gets_neighbours(calls=300, seconds=4):
    """Works, and at its n-th call starts as many busy programs as there are processors."""
    import subprocess

    count = 0
    busy = f"import time; end = time.time() + {seconds}\nwhile time.time() < end: pass"

    def model(x):
        nonlocal count
        count += 1
        if count == calls:
            for _ in range(os.cpu_count() or 1):
                subprocess.Popen([sys.executable, "-c", busy])
        return sum(range(150_000))

    return model, _inputs()
