"""Samples for the fidelity of variants, and what a loaded model gives for them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from inferometer.core.errors import WorkloadError
from inferometer.core.finish import completed
from inferometer.core.model import Inputs
from inferometer.core.nested import leaves
from inferometer.core.protocols import Session, SupportsOutputs
from inferometer.models.inputs.arrays import shape_text
from inferometer.runner.workers.harness import Harness
from inferometer.runner.workers.messages import GiveOutputs, MakeSamples, OutputsGiven, SamplesMade
from inferometer.runner.workers.samples import load_samples, save_samples

FIDELITY_SEED = 2_000_003
"""Added to the seed of the run: samples that judge are none of those that calibrate."""
MOST_BYTES = 256 << 20
"""Of inputs, and of outputs: of large ones there are fewer samples."""
FEWEST = 2
"""Samples without which nothing shows whether outputs depend on them."""


def make_samples(harness: Harness, request: MakeSamples) -> SamplesMade:
    """Write inputs of so many calls.

    Raises:
        InputError: the data cannot be opened.
        WorkloadError: (unsupported) an input is no array, or the data does not fit the model.
    """
    made = _of_data(harness, request) if request.data is not None else _made_up(harness, request)
    save_samples(made, Path(request.into))
    return SamplesMade(calls=len(made))


def give_outputs(session: Session, request: GiveOutputs) -> OutputsGiven:
    """Call the model with each of the samples, as far as the time allows, and keep what it gives.

    Raises:
        WorkloadError: (unsupported) the model takes other inputs, or gives no numbers.
    """
    import numpy as np

    end = time.monotonic() + request.seconds
    found: dict[str, Any] = {}
    calls = held = 0
    for sample in load_samples(Path(request.inputs)):
        arrays = _arrays(session, sample)
        found |= {f"{calls}/{number}": array for number, array in enumerate(arrays)}
        calls, held = calls + 1, held + sum(array.nbytes for array in arrays)
        if calls >= FEWEST and (time.monotonic() >= end or held >= MOST_BYTES):
            break
    with Path(request.into).open("wb") as file:
        np.savez(file, **found)
    return OutputsGiven(calls=calls)


def load_outputs(path: Path, batch_size: int) -> list[list[Any]]:
    """Arrays of each sample that `give_outputs` wrote; those of a batch apart where they can be."""
    import numpy as np

    calls: dict[int, dict[int, Any]] = {}
    with np.load(path, allow_pickle=False) as archive:
        for key in archive.files:
            call, number = map(int, key.split("/"))
            calls.setdefault(call, {})[number] = archive[key]
    whole = [[arrays[at] for at in sorted(arrays)] for _, arrays in sorted(calls.items())]
    if batch_size == 1 or any(one.shape[:1] != (batch_size,) for call in whole for one in call):
        return whole
    return [[one[row : row + 1] for one in call] for call in whole for row in range(batch_size)]


def _arrays(session: Session, sample: Inputs) -> list[Any]:
    """What one call gives, as arrays in the order of the outputs."""
    import numpy as np

    placed = session.place(sample)
    with session.running():
        output, _ = completed(session.bind(placed)())
    given = session.outputs(output) if isinstance(session, SupportsOutputs) else output
    found = [np.asarray(leaf) for _, leaf in leaves(given) if not isinstance(leaf, str | bytes)]
    numbers = [one for one in found if one.dtype.kind in "biufc"]
    if not numbers:
        raise WorkloadError("unsupported", "the model gives no numbers that could be compared")
    return [np.array(one) for one in numbers]  # the runtime may use its memory again


def _made_up(harness: Harness, request: MakeSamples) -> list[Inputs]:
    spec, shape, made = harness.model.inputs, request.shape, list[Inputs]()
    while len(made) < request.calls and _has_room(made):
        seed = request.seed + FIDELITY_SEED + len(made)
        one = spec.make(batch_size=shape.batch_size, input_size=shape.input_size, seed=seed)
        made.append(one)
    return made


def _of_data(harness: Harness, request: MakeSamples) -> list[Inputs]:
    """Test samples, which no calibration uses, in the order in which accuracy takes them."""
    from inferometer.runner.workers.evaluating import by_chance, opened

    assert request.data is not None
    data = opened(request.data, request.seed)
    prepare = data.preparation(harness.model.preprocessing, request.shape)
    order, batch, made = by_chance(data.dataset), request.shape.batch_size, list[Inputs]()
    for first in range(0, min(len(order), batch * request.calls), batch):
        places = [order[at % len(order)] for at in range(first, first + batch)]
        given = prepare([data.dataset[place].input for place in places])
        args, kwargs = ((), dict(given)) if isinstance(given, dict) else ((given,), {})
        made.append(Inputs(args=args, kwargs=kwargs, shape=shape_text(args, kwargs)))
        if not _has_room(made):
            break
    return made


def _has_room(made: Sequence[Inputs]) -> bool:
    values = [value for one in made for value in (*one.args, *one.kwargs.values())]
    return len(made) < FEWEST or sum(getattr(one, "nbytes", 0) for one in values) < MOST_BYTES
