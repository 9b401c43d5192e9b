"""The timed loop, and nothing else."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from time import perf_counter_ns


def timed_values(
    call: Callable[[], object], starts_ns: array[int], ends_ns: array[int], calls_per_value: int = 1
) -> None:
    """Time as many values as the arrays are long; each is the duration of `calls_per_value` calls.

    Args:
        call: returns when its work is done.
        starts_ns: filled with the clock before each value, nanoseconds.
        ends_ns: filled with the clock after each value; as long as `starts_ns`.
        calls_per_value: calls between two looks at the clock.
    """
    clock = perf_counter_ns
    if calls_per_value == 1:
        for index in range(len(starts_ns)):
            begin = clock()  # storing it would take its time within the sample
            call()
            end = clock()
            starts_ns[index], ends_ns[index] = begin, end
        return
    repeats = range(calls_per_value)
    for index in range(len(starts_ns)):
        begin = clock()
        for _ in repeats:
            call()
        end = clock()
        starts_ns[index], ends_ns[index] = begin, end


def timed_fresh_values(
    make: Callable[[], Callable[[], object]],
    starts_ns: array[int],
    ends_ns: array[int],
    calls_per_value: int = 1,
) -> None:
    """The same, where each call is made anew before its value is timed.

    Args:
        make: gives a call with inputs of its own.
        starts_ns: filled with the clock before each value, nanoseconds.
        ends_ns: filled with the clock after each value; as long as `starts_ns`.
        calls_per_value: calls between two looks at the clock.
    """
    clock = perf_counter_ns
    for index in range(len(starts_ns)):
        calls = [make() for _ in range(calls_per_value)]
        begin = clock()
        for call in calls:
            call()
        end = clock()
        starts_ns[index], ends_ns[index] = begin, end
