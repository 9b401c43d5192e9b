"""A model reference → a network of torch, a file of a runtime, or a callable; and its inputs."""

import hashlib
import importlib.util
import inspect
import os
import random
import re
import sys
from typing import Any, Dict, List, Optional, Tuple

CATALOGUE = ("squeezenet1_0", "mobilenet_v3_small", "resnet18")
"""Names of the catalogue that torchvision builds."""

UNTRAINED = {
    "inception_v3": {"init_weights": False},
    "googlenet": {"init_weights": False, "aux_logits": False},
}
KINDS = {".onnx": "onnx", ".tflite": "tflite", ".lite": "tflite"}
SCRIPTS = (".pt", ".pth", ".ts", ".torchscript")
_FACTORY = re.compile(r"(.+\.py):([A-Za-z_]\w*)$")
DISTINCT = 8
OPERATORS = ("nms", "qnms", "box_iou_rotated")
KEPT: List[Any] = []
"""Declared operators go when their library does."""


class Refused(Exception):
    """A workload cannot run: what kind of failure, and a sentence."""

    def __init__(self, kind: str, message: str) -> None:
        Exception.__init__(self, message)
        self.kind = kind


class Model:
    """What a reference opened to."""

    def __init__(self, kind: str, network: Any, path: str, source: str, weights: str) -> None:
        self.kind = kind
        self.network = network
        self.path = path
        self.source = source
        self.weights = weights
        self.shape: Optional[Tuple[int, ...]] = None
        self.example: Any = None
        self.files: List[str] = [path] if path else []


def parse(reference: str) -> Tuple[str, str, Dict[str, Any]]:
    """Kind, target and options: `unet`, `torchvision`, `script`, `onnx`, `tflite`, and others."""
    body, _, query = reference.partition("?")
    options: Dict[str, Any] = {}
    for pair in query.split("&") if query else []:
        name, _, value = pair.partition("=")
        options[name] = _literal(value)
    if _FACTORY.match(body):
        return "factory", body, options
    if body == "unet":
        return "unet", body, options
    if body.startswith("builtin:"):
        return "builtin", body[len("builtin:") :], options
    if body in CATALOGUE or body.startswith("torchvision:"):
        return "torchvision", body.partition(":")[2] or body, options
    suffix = os.path.splitext(body)[1].lower()
    if suffix in KINDS:
        return KINDS[suffix], body, options
    if suffix in SCRIPTS:
        return "script", body, options
    raise Refused(
        "unsupported",
        f"the light agent does not know the model {body}: it builds unet and torchvision's "
        "models, and runs TorchScript, ONNX and TFLite files and functions of a .py file",
    )


def _literal(value: str) -> Any:
    words = {"true": True, "false": False, "null": None}
    if value.lower() in words:
        return words[value.lower()]
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            pass
    return value.strip("'\"")


def open_model(
    reference: str, seed: int, files: Dict[str, Dict[str, Any]], folders: List[str]
) -> Model:
    """Open a reference; what it needs must lie in one of the folders, unchanged.

    Args:
        reference: of the model.
        seed: of random weights.
        files: by path as in references: `sha256` and `bytes`, as far as they are known.
        folders: where files are looked for.
    """
    kind, target, options = parse(reference)
    shape = options.pop("input", None)
    weights = options.pop("weights", None)
    seed_all(seed)
    if kind == "unet":
        model = Model("module", unet(options), "", "catalogue", f"random, seed {seed}")
        model.shape = (int(options.get("in_channels", 3)), 224, 224)
    elif kind == "builtin":
        model = Model("callable", builtin(target), "", "builtin", "fixed")
        model.example = ()
    elif kind == "torchvision":
        model = _torchvision(target, options, seed)
        model.source = "catalogue" if reference.partition("?")[0] in CATALOGUE else "torchvision"
    elif kind == "factory":
        model = _factory(target, options, seed, files, folders)
    else:
        model = Model(kind, None, find(target, files, folders), "file", "as in the file")
        if kind == "script":
            model.network = _script(model.path)
    if shape is not None:
        model.shape = tuple(int(part) for part in str(shape).split("x"))
    if weights is not None:
        _weigh(model, str(weights), files, folders)
    return model


def seed_all(seed: int) -> None:
    """Seed the generators of Python, NumPy and torch, as far as they are there."""
    random.seed(seed)
    for name, seeding in (("numpy.random", "seed"), ("torch", "manual_seed")):
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        getattr(module, seeding)(seed)


def unet(options: Dict[str, Any]) -> Any:
    """The lab's U-Net; the generator puts its code in the place of the import."""
    import_torch()
    from inferometer.models.zoo.unet import UNet

    return UNet(**options)


def builtin(name: str) -> Any:
    """Fixed work that comes along; its code too takes the place of the import."""
    imported("numpy", "NumPy")
    from inferometer.models.zoo.control import VERSIONS

    if name not in VERSIONS:
        raise Refused("unsupported", f"the light agent has no builtin:{name}")
    return VERSIONS[name]()


def import_torch() -> Any:
    """torch, or why it is not there."""
    return imported("torch", "PyTorch")


def imported(name: str, title: str) -> Any:
    """A package, or a sentence about its absence."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise Refused(
            "unsupported", f"{title} cannot be imported on this device ({error}); install {name}"
        )


def _import_torchvision() -> Any:
    """torchvision, also where its compiled operators do not load, which pictures do not need."""
    torch = import_torch()
    try:
        return imported("torchvision", "torchvision")
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
    library = torch.library.Library("torchvision", "DEF")
    for name in OPERATORS:
        library.define(name + "(Tensor a, Tensor b, float c) -> Tensor")
    KEPT.append(library)
    return imported("torchvision", "torchvision")


def _torchvision(name: str, options: Dict[str, Any], seed: int) -> Model:
    models = _import_torchvision().models
    builder = getattr(models, name, None)
    if not callable(builder) or isinstance(builder, type):
        raise Refused("bad_model", f"the torchvision of this device has no model {name}")
    given: Dict[str, Any] = dict(UNTRAINED.get(name, {}))
    given.update(options)
    network = builder(**given)  # random weights: what every version does by itself
    model = Model("module", network, "", "torchvision", f"random, seed {seed}")
    model.shape = (3, 224, 224)
    return model


def _script(path: str) -> Any:
    torch = import_torch()
    try:
        return torch.jit.load(path, map_location="cpu")
    except (RuntimeError, ValueError) as error:
        raise Refused("bad_model", f"{path} is no TorchScript file that this torch reads: {error}")


def _factory(
    target: str, options: Dict[str, Any], seed: int, files: Dict[str, Any], folders: List[str]
) -> Model:
    file, name = _FACTORY.match(target).groups()  # type: ignore[union-attr]
    path = find(file, files, folders)
    spec = importlib.util.spec_from_file_location(os.path.basename(path)[:-3], path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    factory = getattr(module, name, None)
    if not callable(factory):
        raise Refused("bad_model", f"{file} defines no function {name}")
    seed_all(seed)
    made = factory(**options)
    network, example = made if isinstance(made, tuple) and len(made) == 2 else (made, None)
    if not callable(network):
        raise Refused("bad_model", f"{target} gave a {type(network).__name__}, nothing to call")
    kind = "module" if hasattr(network, "state_dict") else "callable"
    model = Model(kind, network, path, "python", f"as the factory made them, seed {seed}")
    model.example = example
    return model


def _weigh(model: Model, weights: str, files: Dict[str, Any], folders: List[str]) -> None:
    if weights in ("pretrained", "calibrated") or model.kind != "module":
        raise Refused("unsupported", f"the light agent does not make weights={weights}")
    torch, path = import_torch(), find(weights, files, folders)
    model.network.load_state_dict(torch.load(path, map_location="cpu"))
    model.weights = os.path.basename(path)
    model.files.append(path)


def find(name: str, files: Dict[str, Dict[str, Any]], folders: List[str]) -> str:
    """Where a file lies; refuses one that is missing, or another than it was."""
    said = files.get(name, {})
    places = [os.path.join(folder, name) for folder in folders]
    places += [os.path.join(folder, os.path.basename(name)) for folder in folders]
    places = [place for place in places if os.path.isfile(place)]
    if not places:
        raise Refused("bad_model", f"{name} is not on this device: copy it beside the agent")
    right = [one for one in places if said.get("sha256") in (None, sha256_of(one))]
    if not right:
        raise Refused("bad_model", f"{places[0]} is another file than the study was made with")
    return right[0]


def sha256_of(path: str) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def module_arrays(model: Model, batch: int, size: Optional[int], seed: int) -> List[Any]:
    """Inputs of a network that takes a picture: arrays of NumPy, or tensors without it."""
    shape = model.shape or (_channels(model.network), 224, 224)
    if size is not None:
        _refuse_shape(len(shape) < 3, f"input size {size}")
        shape = tuple(shape[:-2]) + (size, size)
    return [filled((batch,) + tuple(shape), "float32", seed)]


def _channels(network: Any) -> int:
    """What the first parameter takes where it is a convolution's; else three."""
    first = next((tuple(value.shape) for value in network.parameters()), ())
    return int(first[1]) if len(first) == 4 else 3


def filled(shape: Tuple[int, ...], dtype: str, seed: int) -> Any:
    """Noise with the spectrum of photographs for pictures, as the full instrument makes it."""
    try:
        import numpy as np
    except ImportError:
        return import_torch().randn(*shape)
    make = getattr(np.random, "default_rng", np.random.RandomState)(seed)
    rows = (min(shape[0], DISTINCT),) + tuple(shape[1:]) if shape else ()
    kind = np.dtype(dtype)
    if kind.kind == "b":
        made = np.ones(rows, kind)
    elif kind.kind in "iu":
        top = 256 if kind == np.uint8 and len(shape) == 4 else 2
        made = np.floor(make.uniform(0, top, rows)).astype(kind)
    else:
        made = make.standard_normal(rows).astype(np.float32)
        made = (_coloured(made, np) if len(shape) >= 4 else made).astype(kind)
    if shape and len(made) != shape[0]:
        made = made[np.arange(shape[0]) % len(made)]
    return np.ascontiguousarray(made)


def _coloured(noise: Any, np: Any) -> Any:
    height, width = noise.shape[-2:]
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :])
    frequency[0, 0] = np.inf
    spectrum = np.fft.rfft2(noise) / frequency
    coloured = np.fft.irfft2(spectrum, s=(height, width))
    deviation = coloured.std(axis=(-2, -1), keepdims=True)
    return coloured / deviation if deviation.all() else noise


def asked_example(model: Model, batch: int, size: Optional[int]) -> Tuple[Any, ...]:
    """Arguments of a function that a factory made: its example, or what its maker gives."""
    example = model.example
    if callable(example):
        asked = {"batch_size": batch, "input_size": size}
        takes = inspect.signature(example).parameters
        _refuse_shape(batch != 1 and "batch_size" not in takes, f"batch size {batch}")
        _refuse_shape(size is not None and "input_size" not in takes, f"input size {size}")
        made = example(**{name: asked[name] for name in asked if name in takes})
        return _arguments(model.network, made)
    args = () if example is None else _arguments(model.network, example)
    arrays = [one for one in args if getattr(one, "shape", ())]
    _refuse_shape(
        batch != 1 and (not arrays or any(one.shape[0] != 1 for one in arrays)),
        f"batch size {batch}",
    )
    ends = [one.shape[-1] for one in arrays]
    _refuse_shape(size is not None and size not in ends, f"input size {size}")
    if batch == 1:
        return args
    return tuple(one[[0] * batch] if getattr(one, "shape", ()) else one for one in args)


def _arguments(network: Any, example: Any) -> Tuple[Any, ...]:
    """What a call takes by its place, read from an example as the full instrument reads it."""
    if isinstance(example, dict):
        named = _bound(network, **example) if all(isinstance(one, str) for one in example) else None
        if named is not None and named.kwargs:
            raise Refused(
                "unsupported",
                "the light agent gives inputs by their place: let the factory give a tuple of them",
            )
        return (example,) if named is None else tuple(named.args)
    if not isinstance(example, (tuple, list)):
        return (example,)
    is_one = _bound(network, example) is not None and _bound(network, *example) is None
    return (example,) if is_one else tuple(example)


def _bound(network: Any, *args: Any, **kwargs: Any) -> Optional[inspect.BoundArguments]:
    """Arguments as a network takes them; None where it does not, as far as its signature tells."""
    try:
        return inspect.signature(getattr(network, "forward", network)).bind(*args, **kwargs)
    except (TypeError, ValueError):
        return None


def _refuse_shape(refused: object, what: str) -> None:
    if refused:
        raise Refused(
            "unsupported",
            f"{what} would change nothing in the inputs of this function: let it give a second "
            "function that takes batch_size and input_size and makes them",
        )
