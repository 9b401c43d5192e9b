"""A model file: of torch, with the weights of a catalogue model, or of a runtime that reads it."""

from __future__ import annotations

import warnings
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from inferometer.core.errors import MissingExtraError, ModelReferenceError, WorkloadError
from inferometer.core.format import Format
from inferometer.core.model import LoadedModel
from inferometer.core.shown import shown
from inferometer.host.userfiles import importable
from inferometer.models.building import image_inputs, is_module, settled
from inferometer.models.catalogue import CATALOGUE
from inferometer.models.exported import load_exported
from inferometer.models.filekind import OPENED_WITH, FileKind, file_kind, format_with
from inferometer.models.files import inputs_in
from inferometer.models.foreign import weights_of
from inferometer.models.guards import LOOKS
from inferometer.models.guards.extent import check_extents
from inferometer.models.guards.refusal import TRUST, blaming, damaged
from inferometer.models.guards.script import check_script
from inferometer.models.inputs import Declared, GeneratedInputs, declared_inputs, shaped
from inferometer.models.options import TRUSTED, Options
from inferometer.models.paths import path_of, require_file
from inferometer.models.state import State, as_state, fit, read_state, read_torch

HELD_BY_TORCH = (".pt", ".pth", ".pt2", ".ts", ".ptl", ".pkl", ".ckpt", ".bin", ".safetensors")
"""How files are called that torch writes; another file must hold what its name says."""
TOLD_SHARE = 0.01
"""Of a file's weights: a smaller part, such as scales and zero points, says nothing about them."""


class FileSource:
    """Loads a file by what it holds, whatever it is called."""

    def check(self, target: str, options: dict[str, Any]) -> None:
        """Check that the file is there, that it can be opened, and that it has such options.

        Raises:
            ModelReferenceError: it is not so.
            MissingExtraError: the package that opens it is not installed.
        """
        path = path_of(target)
        kind = _kind(path)
        chosen = Options.read(options)
        if chosen.pretrained or chosen.calibrated or chosen.weights_file:
            raise ModelReferenceError(f"{shown(path)} holds its own weights; leave weights= out")
        unknown = set(chosen.builder) - {"pickle"}
        if unknown:
            name = shown(min(unknown))
            raise ModelReferenceError(
                f"{shown(path)}: a model file has no option {name!r}; it has input and pickle "
                f"(for a changed catalogue model write NAME?{name}=…&weights={shown(path)})"
            )
        if chosen.builder.get("pickle", "no") not in (*TRUSTED, "no", False):
            said = shown(chosen.builder["pickle"])
            raise ModelReferenceError(f"{shown(path)}: pickle={said}: write yes or no")
        if kind is not None and format_with(kind) not in OPENED_WITH:
            with suppress(WorkloadError):  # its record says it
                _foreign_inputs(path, format_with(kind), chosen)
        elif kind == "safetensors":
            chosen.input_shape  # noqa: B018 - refuses what only files with inputs take

    def load(self, target: str, options: dict[str, Any], *, seed: int) -> LoadedModel:
        """Read the file.

        Raises:
            ModelReferenceError: an input shape is given for a file that has its own.
            WorkloadError: (bad_model) it is damaged, matches no model, or needs to be trusted.
            MissingExtraError: a package is missing.
        """
        path, chosen = path_of(target), Options.read(options)
        kind, trusted = file_kind(path), chosen.builder.get("pickle") in TRUSTED
        if kind is Format.TORCHSCRIPT:
            return _torchscript(path, chosen, trusted=trusted)
        if kind is Format.EXPORTED_PROGRAM:
            if chosen.given:
                raise ModelReferenceError(
                    f"{shown(path)} says itself what it takes; leave input= out"
                )
            return load_exported(path, trusted=trusted)
        if kind == "safetensors":
            return _matched(path, read_state(path), chosen, seed)
        if kind == "pickle":
            return _pickled(path, chosen, seed, trusted=trusted)
        return _unopened(path, kind, chosen)


def _kind(path: Path) -> FileKind | None:
    """What a file holds, as far as that is told before it is loaded; None where it is damaged.

    Raises:
        ModelReferenceError: it is not there, or it is called a file of another runtime and is none.
        MissingExtraError: the package that opens it is not installed.
    """
    try:
        kind = file_kind(path)
    except WorkloadError as error:
        require_file(path)
        if path.suffix.lower() not in HELD_BY_TORCH:
            raise ModelReferenceError(str(error)) from error
        return None  # one model among others; its record says it
    package = OPENED_WITH.get(format_with(kind))
    if package is not None and find_spec(package) is None:
        raise MissingExtraError(f"{shown(path)} needs {package}, which", package)
    return kind


def _unopened(path: Path, kind: Format, chosen: Options) -> LoadedModel:
    """A file that its backend reads, with inputs that are made for it."""
    inputs, files, notes = (_onnx if kind is Format.ONNX else _described)(path, kind, chosen)
    return LoadedModel(
        network=None,
        format=kind,
        inputs=inputs,
        source="file",
        weights=f"file {path.name}",
        notes=notes,
        files=files,
    )


Described = tuple[GeneratedInputs, tuple[str, ...], tuple[str, ...]]
"""What a file takes, the files that it consists of, and notes."""


@LOOKS.timed
def _onnx(path: Path, kind: Format, chosen: Options) -> Described:
    """As the file says itself."""
    from inferometer.models.cost.onnx.file import all_tensors, open_onnx
    from inferometer.models.cost.onnx.node import reading
    from inferometer.models.cost.onnx.parameters import stored_precisions
    from inferometer.models.files.onnx import inputs_of

    del kind
    with reading(path):
        model, files = open_onnx(path)
        inputs, notes = declared_inputs(inputs_of(model, path), chosen.given, path)
        stored = stored_precisions(all_tensors(model))
    return inputs, files, (*_precision_note(stored), *notes)


def _precision_note(stored: Counter[str]) -> tuple[str, ...]:
    """On weights that are not in single precision, which a record may call it all the same."""
    shares = {name: count / stored.total() for name, count in stored.most_common() if count}
    told = {name: share for name, share in shares.items() if share >= TOLD_SHARE}
    if told.keys() <= {"fp32"}:
        return ()
    text = ", ".join(f"{share:.0%} {name}" for name, share in told.items())
    return (f"its weights are stored as {text}: the file runs as it is",)


def _described(path: Path, kind: Format, chosen: Options) -> Described:
    """As the file says, and where it says too little, as the user does."""
    weights = weights_of(path, kind)
    files = (str(path),) if weights is None else (str(path), str(weights))
    inputs, notes = _foreign_inputs(path, kind, chosen)
    return inputs, files, notes


@LOOKS.timed
def _foreign_inputs(
    path: Path, kind: Format, chosen: Options
) -> tuple[GeneratedInputs, tuple[str, ...]]:
    """A description of the inputs of a file that its backend alone opens.

    Raises:
        ModelReferenceError: neither the file nor the user tells them, or both differ.
        WorkloadError: (bad_model) the file is damaged; (unsupported) it takes no arrays.
    """
    found = inputs_in(path, kind)
    if found:
        return declared_inputs(found, chosen.given, path)
    if not chosen.given:
        raise ModelReferenceError(
            f"{shown(path)}: the inputs that it takes are not read from such a file; write the "
            f"shape of one sample, as in {shown(path)}?input=3x224x224"
        )
    return _said_inputs(path, chosen)


def _said_inputs(path: Path, chosen: Options) -> tuple[GeneratedInputs, tuple[str, ...]]:
    """A description of inputs of which the user alone tells.

    Raises:
        ModelReferenceError: of one of them too little is said.
    """
    if len(chosen.given) == 1 and chosen.given[0].plain:
        return shaped(chosen.given[0].plain), ()
    named = [Declared(name=one.name, axes=None, dtype="") for one in chosen.given]
    return declared_inputs(named, chosen.given, path)


def _torchscript(path: Path, chosen: Options, *, trusted: bool) -> LoadedModel:
    import torch

    if not trusted:
        check_script(path)
    with warnings.catch_warnings():
        # torch advises whoever writes such files to export instead; the user has this one.
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        warnings.filterwarnings("ignore", category=FutureWarning)
        with blaming(path, "is a damaged TorchScript file"):
            network = torch.jit.load(  # type: ignore[no-untyped-call]
                str(path), map_location="cpu"
            )
    return _whole(path, network, chosen)


def _pickled(path: Path, chosen: Options, seed: int, *, trusted: bool) -> LoadedModel:
    if trusted:
        importable(path.parent)  # classes of the model may lie beside it
    content = read_torch(path, trusted=trusted, way_out=TRUST)
    if is_module(content):
        return _whole(path, content, chosen)
    state = as_state(content)
    if state is None:
        raise damaged(path, f"holds a {type(content).__name__}, neither a model nor weights")
    check_extents(path, state)
    return _matched(path, state, chosen, seed)


def _whole(path: Path, network: object, chosen: Options) -> LoadedModel:
    """A network that came out of a file with its code."""
    inputs, notes = _said_inputs(path, chosen) if chosen.given else image_inputs(network, chosen)
    return settled(
        network,
        what=str(path),
        source="file",
        inputs=inputs,
        weights=f"file {path.name}",
        options=chosen,
        notes=notes,
        files=(str(path),),
    )


def _matched(path: Path, state: State, chosen: Options, seed: int) -> LoadedModel:
    """Weights alone, in the catalogue model that they fit."""
    from inferometer.models.sources.catalogue import CatalogueSource

    name = _fitting(state)
    if name is None:
        raise damaged(
            path,
            f"holds {len(state)} tensors that fit no model of the catalogue; "
            f"name the model: NAME?weights={shown(path)}",
        )
    shape = {} if chosen.input_shape is None else {"input": "x".join(map(str, chosen.input_shape))}
    model = CatalogueSource().load(name, shape, seed=seed)
    fit(model.network, state, path)
    return replace(
        model,
        source="file",
        weights=f"file {path.name}",
        notes=(*model.notes, f"its weights are those of {name}"),
        files=(str(path),),
    )


def _fitting(state: State) -> str | None:
    """The catalogue model whose weights have these names and shapes."""
    from inferometer.models.sources.catalogue import shapes

    found = _without_counters({str(key): tuple(value.shape) for key, value in state.items()})
    same = (name for name in CATALOGUE if _without_counters(shapes(name)) == found)
    return next(same, None)


def _without_counters(shapes: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """Without the step counters of batch normalisation, which old files do not have."""
    return {key: shape for key, shape in shapes.items() if not key.endswith("num_batches_tracked")}
