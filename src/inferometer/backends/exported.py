"""Programs of `torch.export` and calibration samples, as converters take them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from inferometer.backends.tensors import as_numpy
from inferometer.core.errors import WorkloadError, in_one_line, is_out_of_memory
from inferometer.core.model import Inputs, LoadedModel
from inferometer.core.record import FailureKind
from inferometer.core.shown import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch


@dataclass(frozen=True, kw_only=True)
class ExportedModel:
    """A program that was exported for one shape.

    Attributes:
        program: as it lay in the file.
        args: its positional example inputs.
        kwargs: its named ones.
    """

    program: torch.export.ExportedProgram
    args: tuple[torch.Tensor, ...]
    kwargs: dict[str, torch.Tensor]

    @property
    def batch_size(self) -> int:
        """Samples in a call: the first axis of the first example that has one."""
        examples = (*self.args, *self.kwargs.values())
        return next((len(one) for one in examples if one.dim()), 1)


def read_exported(model: LoadedModel) -> ExportedModel:
    """The program in the first file of a model.

    Raises:
        WorkloadError: (bad_model) it does not load; (unsupported) an input is no tensor.
    """
    import torch

    try:
        program = torch.export.load(model.files[0])
    except Exception as error:
        raise WorkloadError(
            "bad_model",
            f"{shown(model.files[0])} does not load in torch {torch.__version__} "
            f"({in_one_line(error)}); the torch that exported it must be of the same version",
        ) from error
    args, kwargs = program.example_inputs or ((), {})
    for one in (*args, *kwargs.values()):
        if not isinstance(one, torch.Tensor):
            raise WorkloadError(
                "unsupported", f"an input is a {type(one).__name__}: files of it take tensors alone"
            )
    return ExportedModel(program=program, args=tuple(args), kwargs=dict(kwargs))


def batched(samples: Sequence[Inputs], batch_size: int) -> list[Inputs]:
    """Samples, each a batch of one, as batches that a program of a fixed size takes.

    The last batch is filled up with the first samples; an array without an axis for the batch is
    that of the batch's first sample.
    """
    chunks = [
        [samples[(begin + row) % len(samples)] for row in range(batch_size)]
        for begin in range(0, len(samples), batch_size)
    ]
    return [
        Inputs(
            args=tuple(_joined([one.args[at] for one in chunk]) for at in range(len(first.args))),
            kwargs={name: _joined([one.kwargs[name] for one in chunk]) for name in first.kwargs},
            shape="",
        )
        for chunk, first in ((chunk, chunk[0]) for chunk in chunks)
    ]


@contextmanager
def converting(converter: str, *, version: str, install: str) -> Iterator[None]:
    """What a converter raises becomes one sentence.

    Args:
        converter: its name.
        version: that is installed.
        install: the backend whose environment has it.

    Raises:
        WorkloadError: (unsupported) it is not installed, or cannot convert the model;
            (out_of_memory) there was no room.
    """
    try:
        yield
    except WorkloadError:
        raise
    except ImportError as error:
        raise WorkloadError(
            "unsupported",
            f"{converter} cannot be imported ({in_one_line(error)}): run inferometer backends "
            f"install {install}",
        ) from error
    except Exception as error:
        kind: FailureKind = "out_of_memory" if is_out_of_memory(error) else "unsupported"
        raise WorkloadError(
            kind, f"{converter} {version} cannot convert it: {in_one_line(error)}"
        ) from error


def _joined(arrays: list[Any]) -> Any:  # noqa: ANN401 - an array
    import numpy as np

    found = [np.asarray(as_numpy(one)) for one in arrays]
    return np.concatenate(found) if found[0].ndim else found[0]
