"""Find what torch attains on a device: arithmetic, memory, caches, and the dispatch of an operator.

Other programs can only make it slower, never faster; so the best repetition counts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import TYPE_CHECKING

from inferometer.core.errors import WorkloadError
from inferometer.core.roofline import Attained, ProbePlan, Roofline
from inferometer.core.units import byte_count
from inferometer.host.cpus import logical_cores

if TYPE_CHECKING:
    import torch

CPU_SIDES = (256, 512, 1024, 2048)
SIDES = (*CPU_SIDES, 4096, 8192)
"""Sides of the square matrices, smallest first; those that would take too long are left out."""

CONVOLUTIONS = ((64, 28), (128, 28), (256, 28))
"""Channels, and height and width, of 3x3 convolutions; on a CPU, their library often beats that of
matrix products. Elsewhere they may be computed with fewer multiplications than are counted."""

CACHED_PARTS = (3, 12, 48, 192)
"""Parts of the caches that arrays fill, as far as they are large against an operator's start."""
LEAST_CACHED_BYTES = 96 << 10
UNKNOWN_CACHE_BYTES = 16 << 20

CACHES_PER_ARRAY = 4
"""Each array is so many times as large as all caches together (McCalpin's rule for STREAM)."""
LEAST_ARRAY_BYTES = 16 << 20
MOST_ARRAY_BYTES = 512 << 20

SHARES = {"flops": 0.5, "memory": 0.3, "cache": 0.2}
"""Of the plan's time."""
SCREENING = 3
FINALISTS = 3
LEAST_REPEATS = 10
DISPATCHES, DISPATCH_BLOCKS = 20, 50


@dataclass(kw_only=True)
class _Candidate:
    """Something to repeat.

    Attributes:
        what: in words.
        amount: operations or bytes of a call.
        call: does it once.
        rates: of its repetitions, per second.
    """

    what: str
    amount: float
    call: Callable[[], object]
    rates: list[float] = field(default_factory=list)

    @property
    def best(self) -> float:
        """The highest rate."""
        return max(self.rates, default=0.0)


class Probe:
    """Measures one device.

    Args:
        device: the device to probe.
        wait: waits for it; None where a call returns when it is done.
        plan: how long, and with how much memory.

    Attributes:
        wall_s: seconds of the repetitions of the figure that was measured last.
        processor_s: processor time of them, all threads together.
    """

    def __init__(self, *, device: str, wait: Callable[[], None] | None, plan: ProbePlan) -> None:
        self.device = device
        self.wait = wait or (lambda: None)
        self.plan = plan
        self.wall_s = self.processor_s = 0.0

    def roofline(self, precision: str, dtype: torch.dtype, *, threads: int) -> Roofline:
        """Measure it.

        Args:
            precision: its name.
            dtype: the elements of the arithmetic.
            threads: that torch was started with, for the answer.

        Raises:
            WorkloadError: (out_of_memory) no room for arrays that no cache holds.
        """
        import torch

        at = time.time()
        size = self._array_bytes()
        with torch.inference_mode():
            flops = self._attained("flops", self._arithmetic(dtype))
            granted = self._granted(threads)
            arrays = [torch.ones(size // 4, device=self.device) for _ in range(3)]
            memory = self._attained("memory", _transfers(arrays, [size]))
            cache = self._attained("cache", _transfers(arrays, self._cached_sizes(size)))
            dispatch_s = self._dispatch_s(dtype)
        return Roofline(
            device=self.device,
            precision=precision,
            threads=threads,
            flops=flops,
            memory=memory,
            cache=cache,
            dispatch_s=dispatch_s,
            at=at,
            cache_bytes=self.plan.cache_bytes,
            granted=granted,
        )

    def _arithmetic(self, dtype: torch.dtype) -> Iterator[_Candidate]:
        """Matrix products and convolutions, made when they are asked for."""
        import torch

        on_cpu = torch.device(self.device).type == "cpu"
        room = self.plan.room_bytes // (3 * 4)  # two factors and their product, in 32 bits first
        for side in CPU_SIDES if on_cpu else SIDES:
            if side > CPU_SIDES[0] and side**2 > room:
                break
            a, b = (torch.rand(side, side, device=self.device).to(dtype) for _ in range(2))
            call = _bound(torch.mm, a, b)
            yield _Candidate(what=f"matrix product {side}x{side}", amount=2 * side**3, call=call)
        for channels, side in CONVOLUTIONS if on_cpu else ():
            image = torch.rand(1, channels, side, side).to(dtype)
            weight = torch.rand(channels, channels, 3, 3).to(dtype)
            last = (one.to(memory_format=torch.channels_last) for one in (image, weight))
            yield _Candidate(
                what=f"convolution 3x3, {channels} channels, {side}x{side}",
                amount=2 * 9 * channels**2 * side**2,
                call=_bound(torch.conv2d, *last, padding=1),
            )

    def _attained(self, which: str, candidates: Iterator[_Candidate]) -> Attained:
        """Try each candidate shortly, then repeat the best ones in turn until the time is over."""
        seconds = SHARES[which] * self.plan.seconds
        tried: list[_Candidate] = []
        for one in candidates:
            best = max((other.best for other in tried), default=0.0)
            if best and one.amount / best > seconds / 2:
                continue
            one.call()  # the first call prepares: it allocates, and picks its method
            self._repeat(one, SCREENING, seconds / 2)
            tried.append(one)
        finalists = sorted(tried, key=lambda one: one.best, reverse=True)[:FINALISTS]
        begin, used = time.perf_counter(), time.process_time()
        while time.perf_counter() < begin + seconds or _fewest(finalists) < LEAST_REPEATS:
            for one in finalists:
                self._repeat(one, 1, 0.0)
        self.wall_s = time.perf_counter() - begin
        self.processor_s = time.process_time() - used
        winner = max(finalists, key=lambda one: one.best)
        return Attained(
            best=winner.best,
            median=median(winner.rates),
            repeats=len(winner.rates),
            what=winner.what,
        )

    def _repeat(self, one: _Candidate, times: int, seconds: float) -> None:
        """Repeat a candidate, so often or until so much time has passed, at least once."""
        end = time.perf_counter() + seconds
        for _ in range(times):
            self.wait()
            begin = time.perf_counter()
            one.call()
            self.wait()
            now = time.perf_counter()
            one.rates.append(one.amount / max(now - begin, 1e-9))
            if now > end:
                break

    def _granted(self, threads: int) -> float | None:
        """Share of the processor that the last repetitions had; None where it tells nothing.

        More threads than processors wait for each other, whatever else runs.
        """
        import torch

        if torch.device(self.device).type != "cpu" or threads > logical_cores():
            return None
        return self.processor_s / self.wall_s / threads

    def _array_bytes(self) -> int:
        """Size of each of three arrays that no cache holds, a multiple of four.

        Raises:
            WorkloadError: (out_of_memory) there is no room for them.
        """
        cache = self._cache_bytes()
        wanted = min(max(CACHES_PER_ARRAY * cache, LEAST_ARRAY_BYTES), MOST_ARRAY_BYTES)
        size = min(wanted, self.plan.room_bytes // 3) // 4 * 4
        if size < cache:
            raise WorkloadError(
                "out_of_memory",
                f"arrays that the caches of {byte_count(cache)} do not hold find no room in "
                f"{byte_count(self.plan.room_bytes)}",
            )
        return size

    def _cached_sizes(self, most: int) -> list[int]:
        """Sizes of each of three arrays that the caches hold together, multiples of four."""
        sizes = [self._cache_bytes() // part // 3 // 4 * 4 for part in CACHED_PARTS]
        return [min(size, most) for size in sizes if 3 * size >= LEAST_CACHED_BYTES] or sizes[:1]

    def _cache_bytes(self) -> int:
        return self.plan.cache_bytes or UNKNOWN_CACHE_BYTES

    def _dispatch_s(self, dtype: torch.dtype) -> float:
        """Median time to dispatch an operator that does next to nothing, its result included."""
        import torch

        one = torch.zeros(1, device=self.device).to(dtype)
        torch.add(one, one)
        blocks = []
        for _ in range(DISPATCH_BLOCKS):
            self.wait()
            begin = time.perf_counter()
            for _ in range(DISPATCHES):
                torch.add(one, one)
            self.wait()
            blocks.append((time.perf_counter() - begin) / DISPATCHES)
        return median(blocks)


def _fewest(candidates: Sequence[_Candidate]) -> int:
    return min(len(one.rates) for one in candidates)


def fitted(plan: ProbePlan, device: str) -> ProbePlan:
    """A plan with the cache and the free memory of a CUDA device, which its driver tells."""
    import torch

    if torch.device(device).type != "cuda":
        return plan
    cache = getattr(torch.cuda.get_device_properties(device), "L2_cache_size", None)
    free, _ = torch.cuda.mem_get_info(device)
    return replace(
        plan, cache_bytes=cache or plan.cache_bytes, room_bytes=min(plan.room_bytes, free // 2)
    )


def _transfers(arrays: Sequence[torch.Tensor], sizes: Sequence[int]) -> Iterator[_Candidate]:
    """A triad over the beginnings of three arrays, and a sum over one of them, of each size."""
    import torch

    for size in sizes:
        a, b, c = (array[: size // 4] for array in arrays)
        yield _Candidate(
            what=f"triad over 3 arrays of {byte_count(size)}",
            amount=3 * size,
            call=_bound(torch.add, b, c, alpha=0.5, out=a),
        )
        yield _Candidate(
            what=f"sum over {byte_count(size)}", amount=size, call=_bound(torch.sum, b)
        )


def _bound(
    function: Callable[..., object], *args: object, **kwargs: object
) -> Callable[[], object]:
    return lambda: function(*args, **kwargs)
