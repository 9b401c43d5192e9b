"""Inputs made from a description: noise that is distributed like what the model was made for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from inferometer.core.errors import WorkloadError
from inferometer.core.model import Inputs
from inferometer.core.shown import shown
from inferometer.models.inputs.arrays import shape_text
from inferometer.models.inputs.expressions import expression

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Fill = Literal["image", "normal", "ids", "ones", "uniform", "kept"]

DISTINCT = 8
"""Rows of a batch that differ; larger batches repeat them, so that making them stays cheap."""

MOST_ELEMENTS = 2**53
"""More bytes than any machine has, and the largest number that is exact in NumPy's ranges."""


Rows = tuple["NDArray[Any]", ...]


@dataclass(frozen=True, kw_only=True)
class Sum:
    """The length of an axis that follows from those of others.

    Attributes:
        axis: of the shape of one sample.
        text: how it follows: `past + sequence`.
        own: lengths by name, where no input size is asked for.
        batch: names of those that are the batch.
        sized: names of those that an input size sets.
    """

    axis: int
    text: str
    own: Mapping[str, int]
    batch: tuple[str, ...] = ()
    sized: tuple[str, ...] = ()

    def length(self, batch_size: int, input_size: int | None) -> int:
        """The length in a call.

        Raises:
            WorkloadError: (unsupported) it has none.
        """
        lengths = {**self.own, **dict.fromkeys(self.batch, batch_size)}
        if input_size is not None:
            lengths |= dict.fromkeys(self.sized, input_size)
        follows = expression(self.text)
        found = None if follows is None else follows.value(lengths)
        if found is None or found < 0:
            known = ", ".join(f"{shown(name)} = {lengths[name]}" for name in sorted(lengths))
            raise WorkloadError(
                "unsupported", f"an input has no length along {shown(self.text)} where {known}"
            )
        return found


@dataclass(frozen=True, kw_only=True)
class TensorSpec:
    """One tensor among the inputs.

    Attributes:
        shape: of one sample at the model's own size, without the batch.
        name: keyword of the argument; empty for a positional one.
        fill: `image` (normalised noise with the spectrum of photographs), `normal` (standard
            normal), `ids` (whole numbers, uniform), `ones` (a mask), `uniform` (between two
            numbers) or `kept` (values that an example holds, repeated).
        size_axes: axes of `shape` that an input size sets; none where it cannot.
        vocabulary: for `ids`: they are below this.
        dtype: type of the elements, as NumPy names it; empty is that of `fill`.
        batch_axis: axis of the whole array that is the batch; None where there is none.
        low: for `uniform`: least value.
        high: for `uniform`: greatest value.
        values: for `kept`: those of one sample after the other.
        sums: axes of `shape` whose lengths follow from others.
    """

    shape: tuple[int, ...]
    name: str = ""
    fill: Fill = "normal"
    size_axes: tuple[int, ...] = ()
    vocabulary: int = 1
    dtype: str = ""
    batch_axis: int | None = 0
    low: float = 0.0
    high: float = 0.0
    values: tuple[float, ...] = ()
    sums: tuple[Sum, ...] = ()

    def sized(self, batch_size: int, input_size: int | None) -> tuple[int, ...]:
        """The shape of one sample in a call.

        Raises:
            WorkloadError: (unsupported) an axis has no length there.
        """
        lengths = [
            input_size if input_size is not None and axis in self.size_axes else length
            for axis, length in enumerate(self.shape)
        ]
        for one in self.sums:
            lengths[one.axis] = one.length(batch_size, input_size)
        return tuple(lengths)

    def whole(self, batch_size: int, input_size: int | None) -> tuple[int, ...]:
        """The shape of the array in a call.

        Raises:
            WorkloadError: as `sized`.
        """
        lengths = list(self.sized(batch_size, input_size))
        if self.batch_axis is not None:
            lengths.insert(self.batch_axis, batch_size)
        return tuple(lengths)

    @property
    def follows_size(self) -> bool:
        """Whether an input size sets one of its axes."""
        return bool(self.size_axes) or any(one.sized for one in self.sums)

    def samples(self, batch_size: int) -> int:
        """How many samples it holds in a call: one where it has no axis for the batch."""
        return 1 if self.batch_axis is None else batch_size

    def placed(self, samples: NDArray[Any]) -> NDArray[Any]:
        """Samples, one after the other, as one array; of what has no batch, the only one."""
        import numpy as np

        if self.batch_axis is None:
            return np.array(samples[0])  # a copy: the model may change what it gets
        return np.ascontiguousarray(np.moveaxis(samples, 0, self.batch_axis))


@dataclass(frozen=True, kw_only=True)
class GeneratedInputs:
    """Arrays of NumPy made from specs, which a session converts; fits `core.model.InputSpec`.

    Attributes:
        tensors: the arguments.
        fixed_because: why no size but the model's own is taken; empty where others are.
        multiple_of: input sizes must be multiples of this.
        largest: largest input size; None is no limit.
        as_list: whether the call takes a list of single inputs in place of a batch.
        only_batch: the only batch size that is taken; None where others are.
        batch_because: why; empty where nothing more is known.
        needs_size: why an input size must be asked for; empty where one need not be.
    """

    tensors: tuple[TensorSpec, ...]
    fixed_because: str = ""
    multiple_of: int = 1
    largest: int | None = None
    as_list: bool = False
    only_batch: int | None = None
    batch_because: str = ""
    needs_size: str = ""

    @property
    def batch_size(self) -> int:
        """Samples where no batch size is asked for: one, unless another number alone is taken."""
        return self.only_batch or 1

    def make(self, *, batch_size: int, input_size: int | None, seed: int) -> Inputs:
        """Inputs of one call, the same for the same seed.

        Raises:
            WorkloadError: (unsupported) the model cannot take this shape; (out_of_memory) nothing
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

        self._check(batch_size, input_size)
        random = np.random.default_rng(seed)
        return tuple(
            rows_of(spec, (spec.samples(batch_size), *spec.sized(batch_size, input_size)), random)
            for spec in self.tensors
        )

    def of_rows(self, rows: Rows, *, batch_size: int, input_size: int | None) -> Inputs:
        """Inputs of one call; where the rows are the batch, they are used, and not copied."""
        arrays = [
            (spec.name, spec.placed(repeated(distinct, spec.samples(batch_size))))
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
            size_applied=input_size is None or any(spec.follows_size for spec in self.tensors),
        )

    def _check(self, batch_size: int, input_size: int | None) -> None:
        if self.only_batch not in (None, batch_size):
            why = self.batch_because or f"the model takes {self.only_batch} alone"
            raise WorkloadError("unsupported", f"batch size {batch_size}: {why}")
        if self.needs_size and input_size is None:
            raise WorkloadError("unsupported", self.needs_size)
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
    if math.prod(shape) > MOST_ELEMENTS:
        # NumPy would refuse some of these in words about arrays, and make others empty.
        text = "x".join(map(str, shape))
        raise WorkloadError("out_of_memory", f"there is not enough memory for inputs of {text}")
    distinct = (min(shape[0], DISTINCT), *shape[1:])
    made = _filled(spec, distinct, random)
    return made.astype(spec.dtype, copy=False) if spec.dtype else made


def _filled(
    spec: TensorSpec, distinct: tuple[int, ...], random: np.random.Generator
) -> NDArray[Any]:
    import numpy as np

    if spec.fill == "ones":
        return np.ones(distinct, dtype=np.int64)
    if spec.fill == "ids":
        return random.integers(0, spec.vocabulary, distinct, dtype=np.int64)
    if spec.fill == "uniform":
        if np.dtype(spec.dtype).kind in "iub":
            return random.integers(int(spec.low), int(spec.high), distinct, endpoint=True)
        return random.uniform(spec.low, spec.high, distinct)
    if spec.fill == "kept":
        kept = np.array(spec.values, dtype=spec.dtype).reshape(-1, *spec.shape)
        for axis, length in enumerate(distinct):
            kept = kept.take(np.arange(length) % kept.shape[axis], axis)
        return kept
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
