"""Inputs made from a description: noise that is distributed like what the model was made for."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from inferometer.core.errors import WorkloadError
from inferometer.core.model import Inputs
from inferometer.models.inputs.arrays import shape_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Fill = Literal["image", "normal", "ids", "ones"]

DISTINCT = 8
"""Rows of a batch that differ; larger batches repeat them, so that making them stays cheap."""

MOST_ELEMENTS = 2**53
"""More bytes than any machine has, and the largest number that is exact in NumPy's ranges."""


Rows = tuple["NDArray[Any]", ...]


@dataclass(frozen=True, kw_only=True)
class TensorSpec:
    """One tensor among the inputs.

    Attributes:
        shape: of one sample at the model's own size, without the batch.
        name: keyword of the argument; empty for a positional one.
        fill: `image` (normalised noise with the spectrum of photographs), `normal` (standard
            normal), `ids` (whole numbers, uniform) or `ones` (a mask).
        size_axes: axes of `shape` that an input size sets; none where it cannot.
        vocabulary: for `ids`: they are below this.
    """

    shape: tuple[int, ...]
    name: str = ""
    fill: Fill = "normal"
    size_axes: tuple[int, ...] = ()
    vocabulary: int = 1

    def sized(self, input_size: int | None) -> tuple[int, ...]:
        """The shape of one sample at an input size."""
        return tuple(
            input_size if input_size is not None and axis in self.size_axes else length
            for axis, length in enumerate(self.shape)
        )


@dataclass(frozen=True, kw_only=True)
class GeneratedInputs:
    """Arrays of NumPy made from specs, which a session converts; fits `core.model.InputSpec`.

    Attributes:
        tensors: the arguments.
        fixed_because: why no size but the model's own is taken; empty where others are.
        multiple_of: input sizes must be multiples of this.
        largest: largest input size; None is no limit.
        as_list: whether the call takes a list of single inputs in place of a batch.
    """

    tensors: tuple[TensorSpec, ...]
    fixed_because: str = ""
    multiple_of: int = 1
    largest: int | None = None
    as_list: bool = False

    @property
    def batch_size(self) -> int:
        """One sample, where no batch size is asked for."""
        return 1

    def make(self, *, batch_size: int, input_size: int | None, seed: int) -> Inputs:
        """Inputs of one call, the same for the same seed.

        Raises:
            WorkloadError: (unsupported) the model cannot take this size; (out_of_memory) nothing
                can hold the inputs.
        """
        rows = self.rows(batch_size=batch_size, input_size=input_size, seed=seed)
        return self.of_rows(rows, batch_size=batch_size, input_size=input_size)

    def rows(self, *, batch_size: int, input_size: int | None, seed: int) -> Rows:
        """Distinct rows of each argument, as many as the batch has: what takes time to make.

        Raises:
            WorkloadError: as `make`.
        """
        import numpy as np

        self._check(input_size)
        random = np.random.default_rng(seed)
        return tuple(
            rows_of(spec, (batch_size, *spec.sized(input_size)), random) for spec in self.tensors
        )

    def of_rows(self, rows: Rows, *, batch_size: int, input_size: int | None) -> Inputs:
        """Inputs of one call; where the rows are the batch, they are used, and not copied."""
        arrays = [
            (spec.name, repeated(distinct, batch_size))
            for spec, distinct in zip(self.tensors, rows, strict=True)
        ]
        shape = shape_text(
            tuple(array for name, array in arrays if not name),
            {name: array for name, array in arrays if name},
        )
        return Inputs(
            args=tuple(self._packed(array) for name, array in arrays if not name),
            kwargs={name: self._packed(array) for name, array in arrays if name},
            shape=shape,
            size_applied=input_size is None or any(spec.size_axes for spec in self.tensors),
        )

    def _check(self, input_size: int | None) -> None:
        own = {spec.shape[axis] for spec in self.tensors for axis in spec.size_axes}
        if input_size is None or not own:
            return
        problem = ""
        if self.fixed_because and own != {input_size}:
            problem = self.fixed_because
        elif input_size % self.multiple_of:
            problem = f"it must be a multiple of {self.multiple_of}"
        elif self.largest is not None and input_size > self.largest:
            problem = f"the model takes {self.largest} at the most"
        if problem:
            raise WorkloadError("unsupported", f"input size {input_size}: {problem}")

    def _packed(self, array: NDArray[Any]) -> NDArray[Any] | list[Any]:
        return list(array) if self.as_list else array


def images(*, channels: int = 3, size: int = 224, name: str = "") -> GeneratedInputs:
    """Square images, whose height and width an input size sets."""
    spec = TensorSpec(shape=(channels, size, size), name=name, fill="image", size_axes=(1, 2))
    return GeneratedInputs(tensors=(spec,))


def shaped(shape: tuple[int, ...]) -> GeneratedInputs:
    """One floating tensor of a given shape; of three axes or more, the last two are an image's."""
    is_image = len(shape) >= 3  # noqa: PLR2004 - channels, height, width
    spec = TensorSpec(shape=shape)
    if is_image:
        axes = (len(shape) - 2, len(shape) - 1)
        spec = replace(spec, fill="image", size_axes=axes)
    return GeneratedInputs(tensors=(spec,))


def rows_of(spec: TensorSpec, shape: tuple[int, ...], random: np.random.Generator) -> NDArray[Any]:
    """Distinct rows of a batch; `shape` begins with the batch size.

    Raises:
        WorkloadError: (out_of_memory) no memory holds so much.
    """
    import numpy as np

    if math.prod(shape) > MOST_ELEMENTS:
        # NumPy would refuse some of these in words about arrays, and make others empty.
        text = "x".join(map(str, shape))
        raise WorkloadError("out_of_memory", f"no memory holds inputs of {text}")
    distinct = (min(shape[0], DISTINCT), *shape[1:])
    if spec.fill == "ones":
        return np.ones(distinct, dtype=np.int64)
    if spec.fill == "ids":
        return random.integers(0, spec.vocabulary, distinct, dtype=np.int64)
    noise = random.standard_normal(distinct, dtype=np.float32)
    return _coloured(noise) if spec.fill == "image" else noise


def repeated(rows: NDArray[Any], batch_size: int) -> NDArray[Any]:
    """Rows in turn, as many as a batch has; where they are as many, they themselves."""
    import numpy as np

    return rows if len(rows) == batch_size else rows[np.arange(batch_size) % len(rows)]


def _coloured(noise: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give white noise the spectrum of photographs: amplitude falls with 1/frequency.

    Each channel has mean 0 and deviation 1, as images have after the usual normalisation.

    Source: Field 1987, "Relations between the statistics of natural images and the response
    properties of cortical cells".
    """
    import numpy as np

    height, width = noise.shape[-2:]
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :])
    frequency[0, 0] = np.inf  # no mean
    spectrum = np.fft.rfft2(noise) / frequency.astype(np.float32)
    coloured: NDArray[np.float32] = np.fft.irfft2(spectrum, s=(height, width)).astype(np.float32)
    deviation = coloured.std(axis=(-2, -1), keepdims=True)
    if not deviation.all():  # a single pixel has no spectrum
        return noise
    coloured /= deviation
    return coloured
