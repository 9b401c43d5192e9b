"""A session for each shape, of a runtime whose files serve one alone; seen as one session."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from inferometer.core.errors import WorkloadError
from inferometer.core.model import Inputs, PlacedInputs
from inferometer.core.protocols import Session, SupportsOutputs, SupportsRemarks
from inferometer.core.workload import Shape
from inferometer.models.inputs import GeneratedInputs

Lengths = tuple[tuple[int, ...], ...]
"""Shapes of the arrays of a call, in their order."""


class SessionByShape:
    """Sessions of the shapes of a variant, each loaded when it is first used.

    Args:
        shapes: those of the arrays of a call, for each shape that was prepared.
        load: makes a session of a shape.
        device: where they run.
    """

    def __init__(
        self, shapes: Mapping[Lengths, Shape], load: Callable[[Shape], Session], *, device: str
    ) -> None:
        self.device = device
        self._load = load
        self._shapes = shapes
        self._sessions: dict[Shape, Session] = {}
        self._last = self._session(next(iter(shapes.values())))

    def running(self) -> AbstractContextManager[object]:
        """What the sessions ask for."""
        return self._last.running()

    def place(self, inputs: Inputs) -> PlacedInputs:
        """Inputs as the session of their shape takes them.

        Raises:
            WorkloadError: (unsupported) there is none for it.
        """
        return self._of(inputs).place(inputs)

    def bind(self, inputs: Inputs) -> Callable[[], object]:
        """A call of the session of their shape."""
        return self._of(inputs).bind(inputs)

    def outputs(self, raw: object) -> object:
        """As the sessions give them."""
        return self._last.outputs(raw) if isinstance(self._last, SupportsOutputs) else raw

    def non_finite(self, output: object) -> str | None:
        """As the sessions see it."""
        return self._last.non_finite(output)

    def minus_infinite(self, output: object) -> str | None:
        """As the sessions see it."""
        return self._last.minus_infinite(output)

    def remarks(self, inputs: Inputs) -> Sequence[str]:
        """What the session of their shape says of its calls."""
        session = self._of(inputs)
        return session.remarks(inputs) if isinstance(session, SupportsRemarks) else ()

    def _of(self, inputs: Inputs) -> Session:
        shape = self._shapes.get(_lengths(inputs))
        if shape is None:
            raise WorkloadError(
                "unsupported", f"the model was prepared for other shapes, not for {inputs.shape}"
            )
        self._last = self._session(shape)
        return self._last

    def _session(self, shape: Shape) -> Session:
        if shape not in self._sessions:
            self._sessions[shape] = self._load(shape)
        return self._sessions[shape]


def lengths(inputs: GeneratedInputs, shape: Shape) -> Lengths:
    """Shapes of the arrays of a call; none of them is made."""
    named = sorted(inputs.tensors, key=lambda one: one.name)  # positional ones first, as they come
    return tuple(one.whole(shape.batch_size, shape.input_size) for one in named)


def _lengths(inputs: Inputs) -> Lengths:
    values: list[Any] = [*inputs.args, *(inputs.kwargs[name] for name in sorted(inputs.kwargs))]
    return tuple(tuple(getattr(value, "shape", ())) for value in values)
