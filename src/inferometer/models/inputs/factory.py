"""Inputs that a user's function makes for each batch size and input size."""

from __future__ import annotations

import gc
import inspect
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from inferometer.core.errors import WorkloadError
from inferometer.core.generators import kept_generators, seed_generators
from inferometer.core.model import Inputs, InputSpec
from inferometer.core.nested import leaves, mapped
from inferometer.host.userfiles import as_by_itself
from inferometer.models.failures import building
from inferometer.models.inputs.arrays import copied, is_array
from inferometer.models.inputs.examples import example_inputs, own_batch_size

BATCH, SIZE = "batch_size", "input_size"

KEPT = 4
"""Shapes whose inputs are kept: making them may build a model each time."""

KEPT_BYTES = 64 << 20
"""Most that they take together."""

Look = tuple[tuple[str, object], ...]
"""What inputs look like: a path and a shape, or a value that is no array, for each part."""


@dataclass(frozen=True, kw_only=True)
class Maker:
    """A function of the user's that makes inputs.

    Attributes:
        function: makes the inputs.
        what: its name in messages.
        file: that it is from.
        arguments: those that it always gets.
        defaults: of its parameters `batch_size` and `input_size`, as far as it has them.
        second: whether it gives a pair whose second is the inputs.
    """

    function: Callable[..., Any]
    what: str
    file: Path
    arguments: Mapping[str, Any] = field(default_factory=dict)
    defaults: Mapping[str, Any]
    second: bool = False

    def call(self, batch_size: int, input_size: int | None) -> Any:  # noqa: ANN401 - whatever it gives
        """Inputs as the function gives them.

        Raises:
            WorkloadError: (bad_model) it raised, or gave no inputs; (unsupported) it needs an
                input size.
        """
        asked: dict[str, Any] = {BATCH: batch_size, SIZE: input_size}
        if self.defaults.get(SIZE) is inspect.Parameter.empty and input_size is None:
            raise WorkloadError(
                "unsupported", f"{self.what} has no default for input_size: ask for an input size"
            )
        taken = {name: asked[name] for name in self.defaults if asked[name] is not None}
        with building(self.what), as_by_itself(self.file):
            made = self.function(**{**self.arguments, **taken})
        if not self.second:
            return made
        if not isinstance(made, tuple) or len(made) != 2:  # noqa: PLR2004 - network, inputs
            raise WorkloadError(
                "bad_model", f"{self.what} gave no inputs for batch size {batch_size}, but before"
            )
        return made[1]


class FactoryInputs:
    """Inputs from a user's function; fits `core.model.InputSpec`.

    What it gives is believed, except that inputs which look the same for two batch sizes are
    refused. An axis that the function does not take is treated as that of an example.

    Args:
        maker: the function.
        network: what the inputs are for.
        example: what the function gave without being asked for a size; None where it was not
            called yet.

    Raises:
        WorkloadError: (bad_model) the function raised.
    """

    def __init__(self, maker: Maker, network: Any, example: Any = None) -> None:  # noqa: ANN401
        self._maker = maker
        self._network = network
        self._looks: dict[tuple[int, int | None], Look] = {}
        self._kept: OrderedDict[tuple[int, int | None, int], Inputs] = OrderedDict()
        batch, size = maker.defaults.get(BATCH), maker.defaults.get(SIZE)
        self._own = batch if isinstance(batch, int) and batch > 0 else 1
        self._own_size = size if isinstance(size, int) else None
        if example is None and size is inspect.Parameter.empty:
            return  # it cannot be called without a size
        spec = (
            self._spec(self._own, None, 0) if example is None else example_inputs(network, example)
        )
        if not isinstance(batch, int):
            self._own = own_batch_size(spec)
        own = spec.make(batch_size=own_batch_size(spec), input_size=None, seed=0)
        self._looks[self._own, self._own_size] = _look(own)

    @property
    def batch_size(self) -> int:
        """Samples where no batch size is asked for: the parameter's default, else the example's."""
        return self._own

    @property
    def own_size(self) -> int | None:
        """The input size where none is asked for, as far as the function says it."""
        return self._own_size

    def make(self, *, batch_size: int, input_size: int | None, seed: int) -> Inputs:
        """Inputs of one call, the same for the same seed, in memory that nobody else holds.

        Raises:
            WorkloadError: (bad_model) the function raised; (unsupported) it makes the same inputs
                for another batch size, or an axis that it does not take cannot be changed.
        """
        key = batch_size, input_size, seed
        if key not in self._kept:
            made = self._checked(batch_size, input_size, seed)
            if _bytes_of(made) > KEPT_BYTES:
                return made
            self._kept[key] = made
            while len(self._kept) > KEPT or sum(map(_bytes_of, self._kept.values())) > KEPT_BYTES:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        kept = self._kept[key]
        args, kwargs = mapped((kept.args, dict(kept.kwargs)), copied)
        return replace(kept, args=args, kwargs=kwargs)

    def _checked(self, batch_size: int, input_size: int | None, seed: int) -> Inputs:
        size = self._own_size if input_size is None else input_size
        if BATCH in self._maker.defaults and batch_size != self._own:
            self._look_at(self._own, size, seed)
        made = self._made(batch_size, input_size, seed)
        look = self._looks[batch_size, size] = _look(made)
        if BATCH in self._maker.defaults:
            self._refuse_another_batch(look, batch_size, size, made.shape)
        if SIZE not in self._maker.defaults or size == self._own_size:
            return made
        return replace(made, size_applied=self._is_changed(look, size) or _has_axis(made, size))

    def _is_changed(self, look: Look, size: int | None) -> bool:
        """Whether inputs of this size look other than those of the own size, if that is known."""
        own = self._looks.get((self._own, self._own_size))
        return own is None or self._looks.get((self._own, size), look) != own

    def _look_at(self, batch_size: int, size: int | None, seed: int) -> None:
        """See to it that what the own batch size looks like at this size is known."""
        if (batch_size, size) not in self._looks:
            self._looks[batch_size, size] = _look(self._made(batch_size, size, seed))

    def _refuse_another_batch(
        self, look: Look, batch_size: int, size: int | None, shape: str
    ) -> None:
        same = (
            other
            for (other, other_size), known in self._looks.items()
            if other != batch_size and other_size == size and known == look
        )
        other = next(same, None)
        if other is not None:
            raise WorkloadError(
                "unsupported",
                f"batch size {batch_size}: {self._maker.what} made inputs like those for batch "
                f"size {other} ({shape}); it has to make as many as batch_size says",
            )

    def _made(self, batch_size: int, input_size: int | None, seed: int) -> Inputs:
        """Inputs as the function makes them, the axes that it does not take changed."""
        takes, spec = self._maker.defaults, self._spec(batch_size, input_size, seed)
        return spec.make(
            batch_size=own_batch_size(spec) if BATCH in takes else batch_size,
            input_size=None if SIZE in takes else input_size,
            seed=seed,
        )

    def _spec(self, batch_size: int, input_size: int | None, seed: int) -> InputSpec:
        """What the function makes, as an example."""
        with kept_generators(), _as_when_loaded():
            seed_generators(seed)
            example = self._maker.call(batch_size, input_size)
        if self._maker.second:
            gc.collect()  # a model was built for the inputs alone
        return example_inputs(self._network, example)


@contextmanager
def _as_when_loaded() -> Iterator[None]:
    """Gradients and plain tensors, in whatever mode the calls are made."""
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    with torch.inference_mode(mode=False), torch.enable_grad():
        yield


def parameters(function: Callable[..., Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Defaults of those of `batch_size` and `input_size` that a function takes by name.

    One without a default has `inspect.Parameter.empty`.

    Args:
        function: a function of the user.
        given: arguments that it gets already.
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return {}
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return {
        name: signature.parameters[name].default
        for name in (BATCH, SIZE)
        if name in signature.parameters
        and name not in given
        and signature.parameters[name].kind in named
    }


def is_input_spec(value: object) -> bool:
    """Whether a value makes inputs itself, as `core.model.InputSpec` says."""
    return callable(getattr(value, "make", None))


def makes_inputs(value: object) -> bool:
    """Whether what a factory gave beside a network is a function that makes inputs."""
    if not callable(value) or isinstance(value, type) or is_input_spec(value):
        return False
    return bool(parameters(value, {}))


def _look(inputs: Inputs) -> Look:
    parts = leaves((inputs.args, dict(inputs.kwargs)), "")
    return tuple((path, _look_of(leaf)) for path, leaf in parts)


def _look_of(leaf: Any) -> object:  # noqa: ANN401 - any leaf
    if is_array(leaf):
        return tuple(leaf.shape)
    if isinstance(leaf, bool | int | float | complex | str | bytes | type(None)):
        return leaf
    return type(leaf).__name__, getattr(leaf, "shape", None)


def _has_axis(inputs: Inputs, size: int | None) -> bool:
    parts = leaves((inputs.args, dict(inputs.kwargs)), "")
    return any(is_array(leaf) and size in tuple(leaf.shape) for _, leaf in parts)


def _bytes_of(inputs: Inputs) -> int:
    parts = leaves((inputs.args, dict(inputs.kwargs)), "")
    return sum(int(leaf.nbytes) for _, leaf in parts if is_array(leaf))
