"""A model as a worker sees it: the network, what it eats, and what is known about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from inferometer.core.format import Format
from inferometer.core.preprocessing import Preprocessing


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """The arguments of one call.

    Attributes:
        args: positional arguments.
        kwargs: keyword arguments.
        shape: for people and the record, such as `8x3x224x224`; several inputs with their names.
        size_applied: False where the inputs have a shape of their own that the asked-for input
            size cannot change.
        batch_applied: False where they hold no array that the asked-for batch size could change.
    """

    args: tuple[Any, ...]
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    shape: str
    size_applied: bool = True
    batch_applied: bool = True


@dataclass(frozen=True, kw_only=True)
class PlacedInputs(Inputs):
    """Inputs as a session gives them to its model."""


class InputSpec(Protocol):
    """What a model eats.

    Attributes:
        batch_size: samples in a call where no batch size is asked for: those of a user's example,
            else 1.
    """

    @property
    def batch_size(self) -> int: ...  # noqa: D102 - above

    def make(self, *, batch_size: int, input_size: int | None, seed: int) -> Inputs:
        """Inputs of one call, the same for the same seed.

        Raises:
            WorkloadError: (unsupported) the model cannot take this shape.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class LoadedModel:
    """A model before a backend takes it over: a network in memory, or the file of a runtime.

    Attributes:
        network: a `torch.nn.Module` or any other callable; None where the backend reads `files`.
        format: the form that it has; a backend says which it accepts.
        inputs: what it eats.
        source: where it came from: `catalogue`, `torchvision`, `timm`, `transformers`, `hub`,
            `python`, `file`, `builtin`.
        weights: where its weights came from, for people: `random, seed 0`, `pretrained: …`.
        notes: what a reader of the figures should know.
        files: paths of the files that it was read from, the model itself first; none where code
            built it.
        preprocessing: what pictures go through before it sees them, as its source says; None where
            that says nothing.
    """

    network: Any
    format: Format
    inputs: InputSpec
    source: str
    weights: str
    notes: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    preprocessing: Preprocessing | None = None


@dataclass(frozen=True, kw_only=True)
class ParameterCount:
    """Parameters of a network. A tensor that several layers share is counted once.

    Attributes:
        parameters: elements of distinct parameters.
        parameters_with_duplicates: elements, a shared parameter counted at each of its uses.
        trainable_parameters: elements of distinct parameters that take a gradient.
        frozen_parameters: elements of the others.
        buffers: elements of distinct buffers.
        parameter_bytes: bytes of distinct parameters.
        buffer_bytes: bytes of distinct buffers.
        parameters_by_dtype: elements of distinct parameters by their type, such as `float32`.
        parameter_bytes_by_dtype: their bytes.
        tied: names of the parameters that are one, for each that has more than one name.
    """

    parameters: int
    parameters_with_duplicates: int
    trainable_parameters: int
    frozen_parameters: int
    buffers: int
    parameter_bytes: int
    buffer_bytes: int
    parameters_by_dtype: Mapping[str, int]
    parameter_bytes_by_dtype: Mapping[str, int]
    tied: tuple[tuple[str, ...], ...]

    def fields_of_record(self) -> dict[str, int]:
        """Those that are fields of the exported record."""
        return {
            "parameters": self.parameters,
            "parameters_with_duplicates": self.parameters_with_duplicates,
            "trainable_parameters": self.trainable_parameters,
            "parameter_bytes": self.parameter_bytes,
            "buffer_bytes": self.buffer_bytes,
        }
