"""`path/to/file.py:factory`: whatever a function of the user's returns. Needs no torch itself."""

from __future__ import annotations

import hashlib
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from inferometer.core.errors import ModelReferenceError, WorkloadError
from inferometer.core.model import InputSpec, LoadedModel
from inferometer.models.building import image_inputs, is_module, seed_generators, settled
from inferometer.models.catalogue import did_you_mean
from inferometer.models.failures import building
from inferometer.models.inputs import ExampleInputs, GeneratedInputs, example_inputs, images, shaped
from inferometer.models.options import Options


class PythonSource:
    """Calls a factory. It returns a module or any callable, or one with example inputs."""

    def check(self, target: str, options: dict[str, Any]) -> None:
        """Check that the file is there, and that no published weights are asked for.

        Raises:
            ModelReferenceError: it is not so.
        """
        path, _ = _split(target)
        if not path.is_file():
            raise ModelReferenceError(f"{path}: there is no such file")
        Options.read(options).refuse_pretrained(
            target, "give the factory an option of its own, or write weights=FILE"
        )

    def load(self, target: str, options: dict[str, Any], *, seed: int) -> LoadedModel:
        """Run the file, then its factory with the options as keywords.

        Raises:
            ModelReferenceError: the file has no such factory.
            WorkloadError: (bad_model) the file or the factory raised, or gave no model.
        """
        chosen = Options.read(options)
        made = _made(target, chosen, seed)
        is_pair = isinstance(made, tuple) and len(made) == 2  # noqa: PLR2004 - network, inputs
        network, example = made if is_pair else (made, None)
        _require_model(network, target)
        label = f"as the factory made them, seed {seed}"
        if is_module(network):
            inputs, notes = _module_inputs(network, example, chosen)
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
        return LoadedModel(
            network=network, inputs=inputs, source="python", weights=label, notes=notes
        )


def _made(target: str, chosen: Options, seed: int) -> Any:  # noqa: ANN401 - whatever it returns
    path, name = _split(target)
    with _importing_from(path.parent), building(target):
        seed_generators(seed)
        factory = _factory(_module(path), name, path)
        seed_generators(seed)  # the file may have imported torch, or used random numbers
        return factory(**chosen.builder)


def _split(target: str) -> tuple[Path, str]:
    file, _, factory = target.rpartition(":")
    if not file or not factory.isidentifier():
        raise ModelReferenceError(f"python:{target} is not of the form path/to/file.py:FACTORY")
    return Path(file).expanduser(), factory


@contextmanager
def _importing_from(folder: Path) -> Iterator[None]:
    """Let a file import its neighbours."""
    entry = str(folder.resolve())
    sys.path.insert(0, entry)
    try:
        yield
    finally:
        if entry in sys.path:
            sys.path.remove(entry)


def _module(path: Path) -> ModuleType:
    """Run a file as a module of a name that nothing else has."""
    digest = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]
    name = f"{path.stem}_{digest}"
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ModelReferenceError(f"{path} is not a Python file")
    module = module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickle look a class's module up there
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _factory(module: ModuleType, name: str, path: Path) -> Callable[..., Any]:
    factory: Callable[..., Any] | None = getattr(module, name, None)
    if factory is None:
        public = [key for key, value in vars(module).items() if inspect.isfunction(value)]
        raise ModelReferenceError(
            f"{path} defines no {name!r}{did_you_mean(name, public)}; "
            f"its functions: {', '.join(public) or 'none'}"
        )
    if not callable(factory):
        raise ModelReferenceError(
            f"{path}: {name} is a {type(factory).__name__}, not a function that makes a model"
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
    if example is None or chosen.input_shape:
        return image_inputs(network, chosen)
    return example_inputs(network, example), ()


def _callable_inputs(
    network: Callable[..., Any], example: object, chosen: Options
) -> tuple[InputSpec, tuple[str, ...]]:
    """Without an example: nothing for a callable that takes nothing, else images for NumPy."""
    if chosen.input_shape:
        return _for_numpy(shaped(chosen.input_shape)), ()
    if example is not None:
        return example_inputs(network, example), ()
    if _takes_nothing(network):
        return ExampleInputs(), ()
    note = "its inputs are assumed to be images 3x224x224; ?input= says otherwise"
    return _for_numpy(images()), (note,)


def _for_numpy(inputs: GeneratedInputs) -> GeneratedInputs:
    return replace(inputs, library="numpy")


def _takes_nothing(function: Callable[..., Any]) -> bool:
    try:
        inspect.signature(function).bind()
    except (TypeError, ValueError):
        return False
    return True
