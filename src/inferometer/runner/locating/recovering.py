"""In a worker: what leaving the worst operators of an int8 file in fp32 gives back and costs."""

from __future__ import annotations

import math
import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from inferometer.backends.onnxruntime.convert import statically
from inferometer.backends.onnxruntime.options import session_options
from inferometer.backends.onnxruntime.prepare import LARGE
from inferometer.backends.onnxruntime.providers import PROVIDERS
from inferometer.backends.onnxruntime.session import OnnxRuntimeSession, opened
from inferometer.core.fidelity import Recovery
from inferometer.core.model import Inputs
from inferometer.core.nested import leaves
from inferometer.core.workload import Options
from inferometer.runner.locating.files import Comparison
from inferometer.runner.locating.graph import read_graph
from inferometer.runner.locating.impact import by_impact
from inferometer.runner.workers.messages import Recovered, RecoverOperators
from inferometer.runner.workers.samples import load_samples
from inferometer.stats.comparison import paired
from inferometer.stats.fidelity import compare

Names = tuple[str, ...]

STEPS = (1, 2, 3, 5, 8, 13, 21)
"""So many operators are left in fp32, and those that read what they give."""
MOST_CALLS = 2
"""By which the operators are chosen."""
ENOUGH = 0.95
"""Share of the error; once it has gone, no further operators are tried."""
LAPS = 20
FEWEST_LAPS = 5
MOST_S = 30.0
"""Seconds until which all laps but the fewest must have begun."""
LAP_S = 0.02
"""Seconds of calls of each file in a lap."""


def recover(request: RecoverOperators) -> Recovered:
    """Quantise anew with more and more operators left in fp32, and lay each beside the file.

    Raises:
        WorkloadError: the runtime refuses a file.
    """
    trial = _Trial(request)
    with TemporaryDirectory() as folder:
        made = dict(trial.files(Path(folder)))
    if not made:
        return Recovered(steps=())
    times = _timed([trial.base, *(session for session, _ in made.values())], trial.calls[0])
    steps = [
        trial.step(names, error, own, times[0])
        for (names, (_, error)), own in zip(made.items(), times[1:], strict=True)
    ]
    return Recovered(steps=tuple(steps))


class _Trial:
    """A quantised file, its reference, and samples that judge and calibrate."""

    def __init__(self, request: RecoverOperators) -> None:
        self._request = request
        self.calls = load_samples(Path(request.inputs))
        self._calibration = load_samples(Path(request.samples))
        plain = _opened(request.good, (("graph_optimization", "disabled"),), request.threads)
        self._expected = _outputs(plain, self.calls)
        self.base = self._session(request.bad)
        self._error = self._error_of(self.base)

    def files(self, folder: Path) -> Iterator[tuple[Names, tuple[OnnxRuntimeSession, float]]]:
        """Names of operators that were left in fp32, with the session and its error."""
        choices = list(self._choices()) if math.isfinite(self._error) else []
        end = time.monotonic() + self._request.seconds
        for names in choices:
            if time.monotonic() > end:
                return
            path = folder / f"{len(names)}.onnx"
            statically(
                self._request.good,
                path,
                apart=Path(self._request.good).stat().st_size > LARGE,
                samples=self._calibration,
                provider="cpu",
                without=names,
            )
            session = self._session(str(path))
            error = self._error_of(session)
            yield names, (session, error)
            if error <= (1 - ENOUGH) * self._error:
                return

    def _choices(self) -> Iterator[Names]:
        """More and more operators: those whose errors change the outputs most.

        Each with those that read it: else its output is rounded before it reaches them.
        """
        bad, good = (read_graph(Path(one)) for one in (self._request.bad, self._request.good))
        calls, kept, last = self.calls[:MOST_CALLS], dict[str, None](), 0
        comparison = Comparison(bad, good, calls, threads=self._request.threads)
        worst = by_impact(comparison, seconds=self._request.seconds)
        for count, pair in enumerate(worst, 1):
            kept |= {pair.name: None, **{one.name: None for one in bad.readers(pair.ours)}}
            if count in STEPS and len(kept) > last:
                last = len(kept)
                yield tuple(kept)

    def step(
        self, names: Names, error: float, own: Sequence[float], base: Sequence[float]
    ) -> Recovery:
        """What it gives back, and how many times the base's its own time is."""
        ratios = [math.log(one / other) for one, other in zip(own, base, strict=True)]
        found = paired([ratios])
        interval = found.interval()
        return Recovery(
            operators=names,
            relative_error=error,
            recovered=1 - error / self._error if self._error else 0.0,
            latency_ratio=found.ratio,
            ratio_low=None if interval is None else interval.low,
            ratio_high=None if interval is None else interval.high,
        )

    def _session(self, path: str) -> OnnxRuntimeSession:
        return _opened(path, self._request.variant.options, self._request.threads)

    def _error_of(self, session: OnnxRuntimeSession) -> float:
        found = compare(self._expected, _outputs(session, self.calls), "int8").relative_error
        return math.inf if found is None else found


def _opened(path: str, options: Options, threads: int) -> OnnxRuntimeSession:
    chosen = session_options(dict(options), threads)
    return OnnxRuntimeSession(opened(path, chosen, [(PROVIDERS["cpu"].name, {})]))


def _outputs(session: OnnxRuntimeSession, calls: Sequence[Inputs]) -> list[list[Any]]:
    return [[array for _, array in leaves(session.outputs(session.bind(one)()))] for one in calls]


def _timed(sessions: Sequence[OnnxRuntimeSession], sample: Inputs) -> list[list[float]]:
    """Seconds of a call of each in each lap, one after the other in an order left to chance."""
    calls = [session.bind(session.place(sample)) for session in sessions]
    counts = [max(1, round(LAP_S / _seconds(call, 3))) for call in calls]
    places, found = list(range(len(calls))), [list[float]() for _ in calls]
    order = random.Random(0)  # noqa: S311 - an order, not a secret
    end = time.monotonic() + MOST_S
    for lap in range(LAPS):
        if lap >= FEWEST_LAPS and time.monotonic() > end:
            break
        order.shuffle(places)
        for place in places:
            found[place].append(_seconds(calls[place], counts[place]))
    return found


def _seconds(call: Callable[[], object], count: int) -> float:
    """The median of calls, the first of which is not counted."""
    call()
    values = []
    for _ in range(count):
        begin = time.perf_counter()
        call()
        values.append(time.perf_counter() - begin)
    return statistics.median(values)
