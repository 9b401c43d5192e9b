"""One pass of a loaded model over labelled data: what the metric keeps, and the time of each call.

Only the calls are timed: samples are read and prepared before, outputs looked at after.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from inferometer.core.dataset import MOST_SKIPPED, Dataset, Kept, Metric, Sample
from inferometer.core.errors import WorkloadError
from inferometer.core.model import Inputs, PlacedInputs
from inferometer.core.nested import leaves
from inferometer.core.protocols import SupportsOutputs
from inferometer.datasets import open_data
from inferometer.datasets.opened import OpenedData
from inferometer.metrics import metric_for
from inferometer.models.inputs.arrays import is_array, shape_text
from inferometer.models.torchvision_compat import make_importable
from inferometer.runner.workers.calls import Calls
from inferometer.runner.workers.harness import Harness
from inferometer.runner.workers.messages import DataOpened, Evaluated, LookAtData, OpenData


class Evaluator:
    """A pass over the test samples of a dataset, batch by batch.

    Args:
        harness: the model; its shape is warm.
        request: which data, at which shape.

    Raises:
        InputError: the data cannot be opened.
        WorkloadError: (unsupported) it does not fit the model.
    """

    def __init__(self, harness: Harness, request: OpenData) -> None:
        self._harness = harness
        self._shape = request.shape
        self._opened = opened(request.reference, request.seed)
        self._data = self._opened.dataset
        name = request.metric or self._opened.metric
        self._metric = metric_for(self._data.task, name, self._data.classes)
        self._prepare = self._opened.preparation(harness.model.preprocessing, self._shape)
        self._order = by_chance(self._data)
        self._called = False
        self._synthetic = self._made_up(self._inputs([self._data[0]]))

    def opened(self) -> DataOpened:
        """What the data is."""
        return _described(self._data, self._metric)

    def go_on(self, first: int, seconds: float) -> Evaluated:
        """Evaluate batches from a sample on; one at the least, while there are samples."""
        end = time.perf_counter() + seconds
        batch, total = self._shape.batch_size, len(self._data)
        part = _Part()
        for at in range(first, total, batch):
            self._evaluate(range(at, min(at + batch, total)), part)
            if time.perf_counter() >= end:
                break
        return part.evaluated()

    def _evaluate(self, numbers: range, part: _Part) -> None:
        begin = time.perf_counter()
        places = [self._order[number] for number in numbers]
        samples = [self._data[place] for place in places]
        read = time.perf_counter()
        placed = self._harness.session.place(self._inputs(samples))
        prepared = time.perf_counter()
        output = self._timed(placed, part, whole=len(samples) == self._shape.batch_size)
        called = time.perf_counter()
        session = self._harness.session
        arrays = session.outputs(output) if isinstance(session, SupportsOutputs) else output
        labels = self._prepare.labels(self._full(samples))
        part.kept.append(self._metric.keep(arrays, labels).first(len(samples)))
        part.units += [sample.unit for sample in samples]
        part.contents += [self._data.contents[place] for place in places]
        part.stages["load"] += read - begin
        part.stages["preprocess"] += prepared - read
        part.stages["postprocess"] += time.perf_counter() - called

    def _timed(self, placed: PlacedInputs, part: _Part, *, whole: bool) -> object:
        """Call with the data, and with made-up inputs just before or after it."""
        real = Calls(self._harness.session, placed, self._harness.manner)
        synthetic = self._synthetic if whole else None
        if not self._called:  # of a shape that may be new to the runtime
            with self._harness.session.running():
                real.one()()
            self._called = True
        first = synthetic is not None and len(part.real_s) % 2 == 1
        with self._harness.session.running():
            if synthetic is not None and first:
                part.synthetic_s.append(_seconds(synthetic)[0])
            seconds, output = _seconds(real)
            if synthetic is not None and not first:
                part.synthetic_s.append(_seconds(synthetic)[0])
        if whole:
            part.real_s.append(seconds)
        return output

    def _inputs(self, samples: Sequence[Sample]) -> Inputs:
        """The arguments of a call; where samples are few, the last stands for those that lack.

        Raises:
            WorkloadError: (unsupported) their sizes differ.
        """
        made = self._prepare([sample.input for sample in self._full(samples)])
        args, kwargs = ((), dict(made)) if isinstance(made, dict) else ((made,), {})
        return Inputs(args=args, kwargs=kwargs, shape=shape_text(args, kwargs))

    def _full(self, samples: Sequence[Sample]) -> list[Sample]:
        return [*samples, *[samples[-1]] * (self._shape.batch_size - len(samples))]

    def _made_up(self, real: Inputs) -> Calls | None:
        """Calls with the model's own made-up inputs; None where these have another shape."""
        with suppress(WorkloadError):
            made = self._harness.inputs(self._shape)
            if _sizes(made) == _sizes(real):
                session = self._harness.session
                return Calls(session, session.place(made), self._harness.manner)
        return None


def by_chance(data: Dataset) -> list[int]:
    """The order in which samples are judged: that of the digests of their contents.

    It has nothing to do with classes and files, and is the same for all models: where time ends a
    pass early, what was judged is a fair part, and the same part.
    """
    return sorted(range(len(data)), key=data.contents.__getitem__)


def look_at(request: LookAtData) -> DataOpened:
    """What data is, whatever model will see it.

    Raises:
        InputError: it cannot be opened, or has no such metric.
    """
    found = opened(request.reference, request.seed)
    data = found.dataset
    return _described(data, metric_for(data.task, request.metric or found.metric, data.classes))


def opened(reference: str, seed: int) -> OpenedData:
    """The test samples of a reference.

    Raises:
        InputError: they cannot be opened.
    """
    if reference.startswith("torchvision:"):
        make_importable()
    return open_data(reference, "test", seed=seed)


def _described(data: Dataset, metric: Metric) -> DataOpened:
    return DataOpened(
        name=data.name,
        task=data.task,
        classes=data.classes,
        digest=data.digest,
        metric=metric.name,
        higher_is_better=metric.higher_is_better,
        samples=len(data),
        skipped=data.skipped[:MOST_SKIPPED],
    )


class _Part:
    """What some batches gave."""

    def __init__(self) -> None:
        self.kept: list[Kept] = []
        self.units: list[str] = []
        self.contents: list[str] = []
        self.real_s: list[float] = []
        self.synthetic_s: list[float] = []
        self.stages: defaultdict[str, float] = defaultdict(float)

    def evaluated(self) -> Evaluated:
        kept = Kept.join(self.kept)
        return Evaluated(
            rows=tuple(tuple(row) for row in kept.rows.tolist()),
            columns=kept.rows.shape[1],
            lengths=tuple(kept.lengths.tolist()),
            units=tuple(self.units),
            contents=tuple(self.contents),
            real_s=tuple(self.real_s),
            synthetic_s=tuple(self.synthetic_s),
            stages=dict(self.stages),
        )


def _seconds(calls: Calls) -> tuple[float, Any]:
    """Seconds of a call, and what it gave."""
    call = calls.one()
    begin = time.perf_counter()
    output = call()
    return time.perf_counter() - begin, output


def _sizes(inputs: Inputs) -> list[tuple[int, ...]]:
    """Shapes of all arrays, whatever they are called."""
    nested = inputs.args, dict(inputs.kwargs)
    return sorted(tuple(leaf.shape) for _, leaf in leaves(nested) if is_array(leaf))
