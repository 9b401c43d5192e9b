"""The inputs of the same shapes made again and again, without making their noise each time."""

from __future__ import annotations

from inferometer.core.model import Inputs, InputSpec
from inferometer.models.inputs.generated import DISTINCT, GeneratedInputs, Rows

KEPT_BYTES = 32 << 20
"""Most that all noise takes together: eight images of 448x448, in each worker that stays."""

Key = tuple[int, int | None, int]


class RememberedInputs:
    """Inputs of a spec, each time in new memory; fits `core.model.InputSpec`.

    The noise of generated inputs is remembered until it is to be forgotten. Nothing is forgotten
    for something else: shapes alternate, and each would push out the next.

    Args:
        spec: makes them the first time; a spec of another kind, every time.
    """

    def __init__(self, spec: InputSpec) -> None:
        self._spec = spec
        self._noise: dict[Key, Rows] = {}

    @property
    def batch_size(self) -> int:
        """Samples where no batch size is asked for."""
        return self._spec.batch_size

    def make(self, *, batch_size: int, input_size: int | None, seed: int) -> Inputs:
        """Inputs of one call, the same for the same seed.

        Raises:
            WorkloadError: as the spec does.
        """
        spec = self._spec
        if not isinstance(spec, GeneratedInputs):
            return spec.make(batch_size=batch_size, input_size=input_size, seed=seed)
        sums = any(one.batch for tensor in spec.tensors for one in tensor.sums)
        key = batch_size if sums else min(batch_size, DISTINCT), input_size, seed
        rows = self._noise.get(key)
        if rows is None:
            rows = spec.rows(batch_size=batch_size, input_size=input_size, seed=seed)
            if self._bytes() + sum(part.nbytes for part in rows) <= KEPT_BYTES:
                self._noise[key] = rows
        if batch_size <= DISTINCT:  # they are the batch, and the model may change what it gets
            rows = tuple(part.copy() for part in rows)
        return spec.of_rows(rows, batch_size=batch_size, input_size=input_size)

    def forget(self) -> None:
        """Give the memory back."""
        self._noise.clear()

    def _bytes(self) -> int:
        return sum(part.nbytes for rows in self._noise.values() for part in rows)
