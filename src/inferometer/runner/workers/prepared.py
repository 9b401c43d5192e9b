"""What a folder of the cache says of the model in it, and the model as a backend takes it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from inferometer.core.errors import WorkloadError
from inferometer.core.format import Format
from inferometer.core.model import LoadedModel
from inferometer.core.preprocessing import Preprocessing
from inferometer.core.protocols import Backend, Session
from inferometer.core.record import Value
from inferometer.core.workload import Shape, Variant
from inferometer.host.artifacts import read_kept
from inferometer.models.guards import LOOKS
from inferometer.models.inputs import GeneratedInputs
from inferometer.runner.workers.by_shape import SessionByShape, lengths
from inferometer.runner.workers.codec import MisfitError, decode, encode
from inferometer.runner.workers.messages import PreparedAt

LOG = "log.txt"
"""In each folder: what exporters and converters printed."""


@dataclass(frozen=True, kw_only=True)
class PreparedModel:
    """A model as a folder of the cache holds it: exported, or in its backend's own form.

    Attributes:
        format: value of its format.
        files: names in the folder, the one that is loaded first.
        inputs: what it takes.
        source: where the model came from.
        weights: where its weights came from.
        notes: what a reader of the figures should know.
        preprocessing: what pictures go through before.
        facts: fields of the record that hold for the model in any form.
        seconds: that making it took, with what it was made from.
    """

    format: str
    files: tuple[str, ...]
    inputs: GeneratedInputs
    source: str
    weights: str
    notes: tuple[str, ...] = ()
    preprocessing: Preprocessing | None = None
    facts: dict[str, int | float | str | bool | None] = field(default_factory=dict)
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """A JSON object; `from_json` reads it."""
        said: dict[str, Any] = json.loads(encode(self))
        return said

    @classmethod
    def from_json(cls, said: object) -> PreparedModel:
        """Read what `to_json` gave.

        Raises:
            MisfitError: another version wrote it.
        """
        return decode(json.dumps(said).encode(), cls)

    def model(self, folder: Path) -> LoadedModel:
        """The model, whose files are in a folder."""
        return LoadedModel(
            network=None,
            format=Format(self.format),
            inputs=self.inputs,
            source=self.source,
            weights=self.weights,
            notes=self.notes,
            files=tuple(str(folder / name) for name in self.files),
            preprocessing=self.preprocessing,
        )

    def figures(self) -> dict[str, Value]:
        """Fields of the record that follow from it."""
        return {**self.facts, "prepare_s": self.seconds}


@LOOKS.timed
def read_folder(folder: Path) -> PreparedModel:
    """What a folder of the cache says of the model in it, once its files were found whole.

    Raises:
        WorkloadError: (crash) it has gone, or its files were changed.
    """
    kept = read_kept(folder)
    try:
        if kept is not None:
            return PreparedModel.from_json(kept.said)
    except MisfitError:
        pass
    raise WorkloadError(
        "crash", f"{folder.name} has gone from the cache, or was changed; run again"
    )


def described(
    model: LoadedModel, folder: Path, *, facts: dict[str, Any], seconds: float
) -> PreparedModel:
    """What is to be said of a model whose files were written into a folder."""
    assert isinstance(model.inputs, GeneratedInputs)
    return PreparedModel(
        format=model.format.value,
        files=tuple(str(Path(one).relative_to(folder)) for one in model.files),
        inputs=model.inputs,
        source=model.source,
        weights=model.weights,
        notes=model.notes,
        preprocessing=model.preprocessing,
        facts=facts,
        seconds=seconds,
    )


def made_by(
    source: PreparedModel,
    artifact_format: Format,
    files: tuple[str, ...],
    *,
    notes: tuple[str, ...],
) -> PreparedModel:
    """The same model in the form that a backend gave it."""
    return replace(source, format=artifact_format.value, files=files, notes=(*source.notes, *notes))


def load_prepared(
    prepared: Sequence[PreparedAt], backend: Backend, variant: Variant, *, device: str
) -> tuple[LoadedModel, Session, dict[str, Value]]:
    """Load what was prepared of a variant: the model, its session, and fields of the record.

    Raises:
        WorkloadError: the backend refuses; (crash) it has gone from the cache, or was changed.
    """
    found = [(one.shape, read_folder(Path(one.folder))) for one in prepared]
    models = {
        shape: what.model(Path(one.folder))
        for one, (shape, what) in zip(prepared, found, strict=True)
    }
    (_, first), model = found[0], next(iter(models.values()))
    figures = {**first.figures(), "prepare_log": str(Path(prepared[0].folder) / LOG)}
    if None in models:
        return model, backend.load(model, variant, device=device), figures

    def load(shape: Shape) -> Session:
        return backend.load(models[shape], variant, device=device)

    known = {lengths(what.inputs, shape): shape for shape, what in found if shape is not None}
    return model, SessionByShape(known, load, device=device), figures
