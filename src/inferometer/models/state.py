"""Read files that hold weights alone, and load them into a network."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inferometer.core.errors import MissingExtraError
from inferometer.core.format import Format
from inferometer.core.shown import shown
from inferometer.models.filekind import file_kind
from inferometer.models.guards.extent import check_extents
from inferometer.models.guards.pickles import check_torch_file
from inferometer.models.guards.refusal import blaming, damaged

if TYPE_CHECKING:
    import torch

State = Mapping[str, "torch.Tensor"]

_WRAPPERS = ("state_dict", "model_state_dict", "model_state", "model")
_MOST_WRAPPINGS = 8
_SHOWN = 3
_UNREADABLE = "is damaged or no model file"


def load_weights(network: Any, path: Path) -> str:  # noqa: ANN401 - any torch module
    """Load a state file into a network, every tensor of both. Gives the label of the weights.

    Raises:
        WorkloadError: (bad_model) the file is damaged, holds no weights, or does not fit.
        MissingExtraError: the package that reads it is not installed.
    """
    if isinstance(file_kind(path), Format):
        raise damaged(path, "holds a whole model, not weights; name the file as the model")
    fit(network, read_state(path), path)
    return f"file {path.name}"


def read_state(path: Path) -> State:
    """Names → tensors of a state file, on the CPU. Runs no code that the file may hold.

    Raises:
        WorkloadError: (bad_model) the file is damaged, or holds something else.
        MissingExtraError: the package that reads it is not installed.
    """
    if file_kind(path) == "safetensors":
        content = _read_safetensors(path)
    else:
        way_out = "save the state_dict() of the model alone"
        content = read_torch(path, trusted=False, way_out=way_out)
    state = as_state(content)
    if state is None:
        raise damaged(path, f"holds a {type(content).__name__}, not the weights of a model")
    check_extents(path, state)
    return state


def read_torch(path: Path, *, trusted: bool, way_out: str) -> object:
    """What `torch.save` wrote.

    Args:
        path: the file.
        trusted: whether code in the file may run.
        way_out: what to do about a file that needs it; ends the message.

    Raises:
        WorkloadError: (bad_model) the file is damaged, or needs to run code and is not trusted.
    """
    import torch

    if not trusted:
        check_torch_file(path, _more_than_weights(way_out))
    with blaming(path, _UNREADABLE, trusted=trusted), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about pickle's protocol: whether it loads is enough
        try:
            return torch.load(path, map_location="cpu", weights_only=not trusted)
        except pickle.UnpicklingError as error:
            if trusted:
                raise
            raise damaged(path, _more_than_weights(way_out)) from error


def _more_than_weights(way_out: str) -> str:
    return f"holds more than weights, or is damaged; loading it whole can run code: {way_out}"


def as_state(content: object) -> State | None:
    """The names and tensors in what a file held, out of the wrappings that are common.

    A training checkpoint keeps them under `state_dict` or `model`; `DataParallel` puts `module.`
    before each name.
    """
    import torch

    for _ in range(_MOST_WRAPPINGS):  # a mapping may hold itself
        if not isinstance(content, Mapping):
            return None
        inner = (content.get(wrapper) for wrapper in _WRAPPERS)
        wrapped = next((one for one in inner if isinstance(one, Mapping)), None)
        if wrapped is None:
            break
        content = wrapped
    if not isinstance(content, Mapping) or not content:
        return None
    pairs = content.items()
    if not all(isinstance(name, str) and isinstance(value, torch.Tensor) for name, value in pairs):
        return None
    if all(name.startswith("module.") for name in content):
        return {name.removeprefix("module."): value for name, value in pairs}
    return content


def fit(network: Any, state: State, path: Path) -> None:  # noqa: ANN401 - any torch module
    """Load a state, every tensor of both.

    Raises:
        WorkloadError: (bad_model) a tensor is missing, left over, or of another shape.
    """
    try:
        missing, unexpected = network.load_state_dict(state, strict=False)
    except (RuntimeError, TypeError) as error:
        lines = str(error).strip().splitlines()
        last = shown(lines[-1].strip()) if lines else type(error).__name__
        raise damaged(path, f"does not fit: {last}") from error
    problems = [
        f"{len(names)} {what} ({_first(names)})"
        for what, names in (
            ("tensors of the model are missing", missing),
            ("tensors are not in the model", unexpected),
        )
        if names
    ]
    if problems:
        raise damaged(path, f"does not fit: {'; '.join(problems)}")


def _first(names: Sequence[str]) -> str:
    more = " …" if len(names) > _SHOWN else ""
    return ", ".join(shown(one, 80) for one in names[:_SHOWN]) + more


def _read_safetensors(path: Path) -> object:
    try:
        from safetensors.torch import load_file
    except ModuleNotFoundError as error:
        raise MissingExtraError(f"{shown(path)} needs safetensors, which", "timm") from error
    with blaming(path, _UNREADABLE):  # it raises whatever its types and the system raise
        return load_file(path)
