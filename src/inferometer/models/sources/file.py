"""A model file: TorchScript, an exported program, or the weights of a catalogue model."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

from inferometer.core.errors import (
    ModelReferenceError,
    in_one_line,
    is_out_of_memory,
)
from inferometer.core.model import LoadedModel
from inferometer.core.shown import shown, visible
from inferometer.models.building import image_inputs, is_module, settled
from inferometer.models.catalogue import CATALOGUE
from inferometer.models.exported import load_exported
from inferometer.models.filekind import check_file, file_kind
from inferometer.models.guards.extent import check_extents
from inferometer.models.guards.refusal import TRUST, damaged
from inferometer.models.guards.script import check_script
from inferometer.models.options import TRUSTED, Options
from inferometer.models.paths import path_of
from inferometer.models.state import State, as_state, fit, read_state, read_torch
from inferometer.models.userfiles import importable


class FileSource:
    """Loads a file by what it holds, whatever it is called."""

    def check(self, target: str, options: dict[str, Any]) -> None:
        """Check that the file is there, and that the options are ones that files have.

        Raises:
            ModelReferenceError: it is not so.
        """
        path = path_of(target)
        check_file(path)
        chosen = Options.read(options)
        if chosen.pretrained or chosen.weights_file:
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

    def load(self, target: str, options: dict[str, Any], *, seed: int) -> LoadedModel:
        """Read the file.

        Raises:
            ModelReferenceError: an input shape is given for a file that has its own.
            WorkloadError: (bad_model) it is damaged, matches no model, or needs to be trusted.
            MissingExtraError: a package is missing.
        """
        path, chosen = path_of(target), Options.read(options)
        kind, trusted = file_kind(path), chosen.builder.get("pickle") in TRUSTED
        if kind == "torchscript":
            return _torchscript(path, chosen, trusted=trusted)
        if kind == "exported":
            if chosen.input_shape:
                raise ModelReferenceError(
                    f"{shown(path)} says itself what it takes; leave input= out"
                )
            return load_exported(path, trusted=trusted)
        if kind == "safetensors":
            return _matched(path, read_state(path), chosen, seed)
        return _pickled(path, chosen, seed, trusted=trusted)


def _torchscript(path: Path, chosen: Options, *, trusted: bool) -> LoadedModel:
    import torch

    if not trusted:
        check_script(path)
    with warnings.catch_warnings():
        # torch advises whoever writes such files to export instead; the user has this one.
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        warnings.filterwarnings("ignore", category=FutureWarning)
        try:
            network = torch.jit.load(  # type: ignore[no-untyped-call]
                str(path), map_location="cpu"
            )
        except Exception as error:
            if is_out_of_memory(error):
                raise
            problem = visible(in_one_line(error))
            raise damaged(path, f"is a damaged TorchScript file: {problem}") from error
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
    inputs, notes = image_inputs(network, chosen)
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
