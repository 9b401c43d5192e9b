"""What a model is, in a digest: the same for the same weights in the same code."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from inferometer.core.model import LoadedModel
from inferometer.core.nested import leaves

_CHUNK = 1 << 20
_PLAIN = (bool, int, float, str, type(None))


def digest_of(model: LoadedModel) -> str:
    """Sixty-four hexadecimal digits that change with the weights, the code, or the files.

    Of a module: names, types, shapes and bytes of its parameters and buffers, and for each module
    in it its class, the file that defines that, and its attributes that are numbers or texts, such
    as a stride. What functions beside the classes do is not seen.

    Args:
        model: as `models.load` gives it.
    """
    found = hashlib.sha256()
    found.update(f"{model.format.value}\n".encode())
    for file in model.files:
        found.update(_file(Path(file)))
    if hasattr(model.network, "named_modules"):
        _add_code(found, model.network)
        _add_weights(found, model.network)
    return found.hexdigest()


def _file(path: Path) -> bytes:
    found = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while part := file.read(_CHUNK):
                found.update(part)
    except OSError as error:
        found.update(f"{path}: {error}".encode())
    return found.digest()


def _add_code(found: Any, network: Any) -> None:  # noqa: ANN401 - a hash, a module
    files: set[str] = set()
    for name, module in network.named_modules():
        kind = type(module)
        found.update(f"{name}={kind.__module__}.{kind.__qualname__}\n".encode())
        for path, value in _settings(module):
            found.update(f"{path}={value!r}\n".encode())
        files.update(_sources(kind))
    code = getattr(network, "code", "")  # of TorchScript and of graphs
    found.update(code.encode() if isinstance(code, str) else b"")
    for file in sorted(files):
        found.update(_file(Path(file)))


def _settings(module: Any) -> Iterator[tuple[str, object]]:  # noqa: ANN401 - a module
    """Numbers and texts among the attributes of a module, however nested."""
    own = {name: value for name, value in vars(module).items() if not name.startswith("_")}
    for path, leaf in leaves(own, ""):
        if isinstance(leaf, _PLAIN):
            yield path, leaf


def _sources(kind: type) -> Iterator[str]:
    """Files with the functions of a class and of those that it inherits from."""
    for base in kind.__mro__:
        functions = (value for value in vars(base).values() if inspect.isfunction(value))
        yield from {inspect.unwrap(one).__code__.co_filename for one in functions}


def _add_weights(found: Any, network: Any) -> None:  # noqa: ANN401 - a hash, a module
    for name, tensor in (*network.named_parameters(), *network.named_buffers()):
        found.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        found.update(_bytes(tensor))


def _bytes(tensor: Any) -> memoryview | bytes:  # noqa: ANN401 - a tensor
    """The content of a tensor; of one of a kind without plain memory, as it prints."""
    import torch

    try:
        plain = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
        return memoryview(plain.numpy())
    except (RuntimeError, TypeError, NotImplementedError):
        return repr(tensor).encode()
