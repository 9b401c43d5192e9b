"""`path/to/file.py:factory`: whatever a function of the user's returns. Needs no torch itself."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from inferometer.core.errors import ModelReferenceError, WorkloadError
from inferometer.core.filenames import FileProblemError, read_file
from inferometer.core.format import Format
from inferometer.core.model import InputSpec, LoadedModel
from inferometer.core.preprocessing import said_by
from inferometer.core.references import did_you_mean, quoted
from inferometer.core.shown import shown
from inferometer.host.userfiles import as_by_itself, place_of, run
from inferometer.models.building import image_inputs, is_module, seed_generators, settled
from inferometer.models.failures import building
from inferometer.models.inputs import (
    ExampleInputs,
    FactoryInputs,
    Maker,
    example_inputs,
    images,
    is_input_spec,
    makes_inputs,
    parameters,
    shaped,
)
from inferometer.models.options import Options
from inferometer.models.paths import path_of, require_file

LONGEST_SOURCE = 1_000_000
"""Bytes of a file that is read before it is run, to find a factory's name."""
_FUNCTION = re.compile(r"^(?:async )?def (\w+)", re.MULTILINE)
_MAKES_NAMES = re.compile(r"import \*|globals\(|vars\(|setattr\(|exec\(|__getattr__|__dict__")


class PythonSource:
    """Calls a factory. It returns a module or any callable, alone or in a pair with its inputs.

    Those are an example, or a function that makes them for a `batch_size` and an `input_size`; a
    factory that takes these itself is asked again for each shape.
    """

    def check(self, target: str, options: dict[str, Any]) -> None:
        """Check that file and factory are there, and that no published weights are asked for.

        Raises:
            ModelReferenceError: it is not so.
        """
        path, name = _split(target)
        require_file(path)
        _require_mention(path, name)
        Options.read(options).refuse_pretrained(
            target, "give the factory an option of its own, or write weights=FILE"
        )

    def load(self, target: str, options: dict[str, Any], *, seed: int) -> LoadedModel:
        """Run the file, then its factory with the options as keywords.

        Raises:
            ModelReferenceError: the file has no such factory.
            WorkloadError: (bad_model) the file or the factory raised, or gave no model;
                (unsupported) the factory needs an input size and has none by default.
        """
        chosen = Options.read(options).anchored()
        path, _ = _split(target)
        with as_by_itself(path) as said:
            network, example = _made(target, chosen, seed)
        _require_model(network, target)
        label = f"as the factory made them, seed {seed}"
        if is_module(network):
            inputs, notes = _module_inputs(network, example, chosen)
            notes = (*notes, *said)
            return settled(
                network,
                what=target,
                source="python",
                inputs=inputs,
                weights=label,
                options=chosen,
                notes=notes,
            )
        if chosen.weights_file is not None:
            raise ModelReferenceError(f"{target} gave no torch.nn.Module, so weights= has no place")
        inputs, notes = _callable_inputs(network, example, chosen)
        notes = (*notes, *said)
        return LoadedModel(
            network=network,
            format=Format.CALLABLE,
            inputs=inputs,
            source="python",
            weights=label,
            notes=notes,
            preprocessing=said_by(network),
        )


def _made(target: str, chosen: Options, seed: int) -> tuple[Any, Any]:
    """The network, and its inputs as given; None without."""
    path, name = _split(target)
    with building(target):
        seed_generators(seed)
        factory = _factory(_module(path), name, path)
        seed_generators(seed)  # the file may have imported torch, or used random numbers
        defaults = parameters(factory, chosen.builder)
        made = factory(**_needed(defaults, target), **chosen.builder)
    if not isinstance(made, tuple) or len(made) != 2:  # noqa: PLR2004 - network, inputs
        return made, None
    network, example = made
    if chosen.input_shape:
        return network, None
    if makes_inputs(example):
        maker = Maker(
            function=example,
            file=path,
            what=f"{target}: {getattr(example, '__name__', 'what makes its inputs')}",
            defaults=parameters(example, {}),
        )
        return network, FactoryInputs(maker, network)
    if defaults and example is not None and not is_input_spec(example):
        maker = Maker(
            function=factory,
            file=path,
            what=target,
            arguments=chosen.builder,
            defaults=defaults,
            second=True,
        )
        return network, FactoryInputs(maker, network, example)
    return network, example


def _needed(defaults: Mapping[str, Any], target: str) -> dict[str, Any]:
    """What a factory has to be given of the shape, which is not known yet."""
    missing = {name for name, value in defaults.items() if value is inspect.Parameter.empty}
    if "input_size" in missing:
        raise WorkloadError(
            "unsupported",
            f"{target} takes input_size without a default; give it one, as in input_size=224, or "
            "write ?input_size=224",
        )
    return {"batch_size": 1} if missing else {}


def _require_mention(path: Path, name: str) -> None:
    """Refuse a factory of which the file does not hold the name; running it would find it out late.

    Raises:
        ModelReferenceError: it is so.
    """
    try:
        text = read_file(path, at_most=LONGEST_SOURCE).decode("utf-8", "replace")
    except FileProblemError:
        return  # what is wrong with it is said by whoever runs it
    if not re.search(rf"\b{name}\b", text) and not _MAKES_NAMES.search(text):
        raise _no_factory(path, name, _FUNCTION.findall(text))


def _no_factory(path: Path, name: str, known: Sequence[str]) -> ModelReferenceError:
    return ModelReferenceError(
        f"{shown(path)} defines no {quoted(name)}{did_you_mean(name, known)}; "
        f"its functions: {', '.join(map(shown, known)) or 'none'}"
    )


def _split(target: str) -> tuple[Path, str]:
    file, _, factory = target.rpartition(":")
    if not file or not factory.isidentifier():
        raise ModelReferenceError(
            f"python:{shown(target)} is not of the form path/to/file.py:FACTORY"
        )
    return path_of(file), factory


def _module(path: Path) -> ModuleType:
    """Run a file.

    Raises:
        WorkloadError: (bad_model) it imports a neighbour that is not there.
    """
    try:
        return run(path)
    except ModuleNotFoundError as error:
        place = place_of(error.name or "")
        if place is None:
            raise
        raise WorkloadError(
            "bad_model", f"{shown(path)}: there is no module {shown(place)}"
        ) from error


def _factory(module: ModuleType, name: str, path: Path) -> Callable[..., Any]:
    factory: Callable[..., Any] | None = getattr(module, name, None)
    if factory is None:
        public = [key for key, value in vars(module).items() if inspect.isfunction(value)]
        raise _no_factory(path, name, public)
    if not callable(factory):
        raise ModelReferenceError(
            f"{shown(path)}: {name} is a {type(factory).__name__}, "
            "not a function that makes a model"
        )
    return factory


def _require_model(network: object, target: str) -> None:
    if isinstance(network, type):
        raise WorkloadError(
            "bad_model", f"{target} gave the class {network.__name__}, not a model made from it"
        )
    if not callable(network):
        raise WorkloadError(
            "bad_model",
            f"{target} gave a {type(network).__name__}; a factory returns a torch.nn.Module or "
            "a callable, alone or in a pair with example inputs",
        )


def _module_inputs(
    network: object, example: object, chosen: Options
) -> tuple[InputSpec, tuple[str, ...]]:
    if example is None:
        return image_inputs(network, chosen)
    return example_inputs(network, example), ()


def _callable_inputs(
    network: Callable[..., Any], example: object, chosen: Options
) -> tuple[InputSpec, tuple[str, ...]]:
    """Without an example: nothing for a callable that takes nothing, else images."""
    if chosen.input_shape:
        return shaped(chosen.input_shape), ()
    if example is not None:
        return example_inputs(network, example), ()
    if _takes_nothing(network):
        return ExampleInputs(), ()
    note = "its inputs are assumed to be images 3x224x224; ?input= says otherwise"
    return images(), (note,)


def _takes_nothing(function: Callable[..., Any]) -> bool:
    try:
        inspect.signature(function).bind()
    except (TypeError, ValueError):
        return False
    return True
