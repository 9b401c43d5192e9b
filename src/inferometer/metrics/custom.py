"""A metric of the user's: `path/to/file.py:function`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from inferometer.core.dataset import Floats, Kept
from inferometer.core.errors import InferometerError, InputError, in_one_line
from inferometer.core.filenames import check_file, expanded
from inferometer.core.nested import mapped
from inferometer.core.shown import shown, visible
from inferometer.host.userfiles import as_by_itself, run
from inferometer.metrics.outputs import arrays, unsupported
from inferometer.metrics.weighting import ratio, value_of_sums

BATCH = "outputs"
"""Name of the first parameter of a function that takes a whole batch."""


@runtime_checkable
class SaysDirection(Protocol):
    """A function that says which values are better; without it, the higher ones are.

    Attributes:
        higher_is_better: the direction.
    """

    higher_is_better: bool


class Mean:
    """The mean of what a function of the user's says of each sample.

    It takes the output and the label of a sample and gives a number. If its first parameter is
    called `outputs`, it takes those of a batch, as the model gave them, and gives a number for each
    sample.
    """

    is_share = False
    low: float | None = None
    high: float | None = None

    def __init__(self, name: str, function: Callable[..., Any]) -> None:
        self.name = name
        self.higher_is_better = _higher_is_better(function)
        self._function = function
        self._takes_batch = next(iter(_parameters(function)), "") == BATCH

    def keep(self, outputs: object, labels: Sequence[object]) -> Kept:
        """The number of each sample."""
        try:
            given = self._given(outputs, labels)
            numbers = np.array([float(one) for one in given], dtype=np.float64)
        except InferometerError:
            raise
        except Exception as error:
            raise unsupported(f"{shown(self.name)}: {visible(in_one_line(error))}") from error
        if len(numbers) != len(labels):
            raise unsupported(
                f"{shown(self.name)} gave {len(numbers)} numbers for {len(labels)} samples"
            )
        if np.isnan(numbers).any():
            raise unsupported(f"{shown(self.name)} gave NaN for a sample")
        return Kept.of(numbers[:, None])

    def value(self, kept: Kept, weights: Floats | None = None) -> float:
        """The mean."""
        return value_of_sums(self, kept, weights)

    def from_sums(self, sums: Floats, total: Floats) -> Floats:
        """The mean of each weighting."""
        return ratio(sums[..., 0], total)

    def _given(self, outputs: object, labels: Sequence[object]) -> Sequence[Any]:
        if self._takes_batch:
            return list(self._function(outputs, labels))
        separate = separated(outputs, len(labels))
        return [self._function(*pair) for pair in zip(separate, labels, strict=True)]


def separated(outputs: object, samples: int) -> list[object]:
    """The output of each sample.

    A list of mappings or of texts has one for each; of all else, each array is taken apart along
    its first axis.

    Raises:
        WorkloadError: (unsupported) it is of another number of samples.
    """
    whole = isinstance(outputs, list) and not arrays(outputs)
    if isinstance(outputs, list) and (whole or all(isinstance(part, dict) for part in outputs)):
        if len(outputs) != samples:
            raise unsupported(f"the model gave {len(outputs)} outputs for {samples} samples")
        return list(outputs)
    for path, array in arrays(outputs):
        if array.shape[:1] != (samples,):
            raise unsupported(
                f"{shown(path)} {array.shape} cannot be taken apart into {samples} samples; let "
                f"the function take the whole batch: function({BATCH}, labels)"
            )
    return [mapped(outputs, partial(_part, at=index)) for index in range(samples)]


def check_function(name: str) -> tuple[Path, str]:
    """The file and the function that a name of the form `path/to/file.py:function` says.

    Raises:
        InputError: it is not of the form, or there is no such file. Nothing is run.
    """
    file, _, function = name.rpartition(":")
    if not file.endswith(".py") or not function.isidentifier():
        raise InputError(f"{shown(name)} is not of the form path/to/file.py:FUNCTION")
    path = expanded(file)
    check_file(path)
    return path, function


def function_of(name: str) -> Callable[..., Any]:
    """The function, of a file that is run.

    Raises:
        InputError: the file has no such function, or raised.
    """
    path, wanted = check_function(name)
    try:
        with as_by_itself(path):
            module = run(path)
    except (Exception, SystemExit) as error:
        raise InputError(f"{shown(path)} cannot be run: {visible(in_one_line(error))}") from error
    functions: dict[str, Callable[..., Any]] = {
        key: one for key, one in vars(module).items() if callable(one)
    }
    if wanted not in functions:
        own = [key for key, one in functions.items() if inspect.isfunction(one)]
        raise InputError(
            f"{shown(path)} defines no function {shown(wanted)}; its functions: "
            f"{', '.join(own) or 'none'}"
        )
    return functions[wanted]


def _part(leaf: Any, at: int) -> Any:  # noqa: ANN401 - as models give it
    return leaf[at] if isinstance(leaf, np.ndarray) else leaf


def _higher_is_better(function: object) -> bool:
    return function.higher_is_better if isinstance(function, SaysDirection) else True


def _parameters(function: Callable[..., Any]) -> list[str]:
    try:
        return list(inspect.signature(function).parameters)
    except (TypeError, ValueError):  # a compiled one, which does not say
        return []
