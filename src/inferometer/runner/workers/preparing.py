"""In a worker that measures nothing: export a model, and make of that what its backend runs."""

from __future__ import annotations

import hashlib
import math
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from inferometer.core.errors import InputError, WorkloadError
from inferometer.core.format import Format
from inferometer.core.model import Inputs, InputSpec, LoadedModel
from inferometer.core.protocols import SupportsPreparation
from inferometer.core.shown import shown
from inferometer.core.workload import Shape, digest
from inferometer.host.artifacts import ArtifactCache, Kept
from inferometer.host.files import LIVE
from inferometer.host.processor import simd
from inferometer.host.software import installed_version
from inferometer.models.inputs import GeneratedInputs
from inferometer.runner.workers.messages import (
    Exported,
    ExportModel,
    PrepareVariant,
    VariantPrepared,
)
from inferometer.runner.workers.prepared import LOG, described, made_by, read_folder
from inferometer.runner.workers.samples import load_samples, save_samples

LAYOUT = 2
"""Another number makes everything anew: what is in the folders changed its meaning."""

CALIBRATION_SEED = 1_000_003
"""Added to the seed of the run: what calibrates is neither timed nor judged."""

EXPORTERS = ("torch", "torchvision", "onnx", "onnxscript", "timm", "transformers")


class Exporter:
    """Exports one model to what backends want.

    Args:
        model: as it was loaded, in fp32 on the processor.
    """

    def __init__(self, model: LoadedModel) -> None:
        from inferometer.models.export import digest_of

        self._model = model
        self._digest = digest_of(model)
        self._facts = _facts(model)

    def export(self, request: ExportModel) -> Exported:
        """The model in a format, out of the cache or made now.

        Raises:
            InputError: the data is wrong, or the cache cannot be written.
            WorkloadError: the model cannot be exported.
        """
        inputs = self._model.inputs
        key = digest(
            {
                "layout": LAYOUT,
                "model": self._digest,
                "inputs": repr(inputs) if isinstance(inputs, GeneratedInputs) else request.model,
                "wanted": request.wanted,
                "shape": None if request.shape is None else vars(request.shape),
                "versions": _versions(EXPORTERS),
            }
        )
        cache = ArtifactCache(Path(request.cache))
        kept = _obtained(cache, f"model-{key}", lambda into: self._export(request, into))
        samples = self._samples(request, cache) if request.samples else None
        return Exported(folder=str(kept.path), made=kept.made, samples=samples)

    def _export(self, request: ExportModel, into: Path) -> dict[str, Any]:
        from inferometer.models.export import export

        model, wanted = self._model, Format(request.wanted)
        begin = time.perf_counter()
        with _logged(into):
            if model.format is wanted and model.files and model.network is None:
                made = _copied(model, into)
            else:
                made = export(model, wanted, shape=request.shape, seed=request.seed, into=into)
        seconds = time.perf_counter() - begin
        return described(made, into, facts=self._facts, seconds=seconds).to_json()

    def _samples(self, request: ExportModel, cache: ArtifactCache) -> str:
        """Path of the calibration samples: each alone, unless the file takes one shape alone."""
        shape = request.shape or Shape(batch_size=1, input_size=request.size)
        made = (
            _made_up(self._model.inputs, shape, request)
            if request.data is None
            else _of_data(self._model, shape, request)
        )
        key = _digest_of_samples(made)

        def write(into: Path) -> dict[str, Any]:
            save_samples(made, into / "samples.npz")
            return {}

        return str(_obtained(cache, f"samples-{key}", write).path / "samples.npz")


def prepare(request: PrepareVariant) -> VariantPrepared:
    """What the backend makes of an exported model, out of the cache or made now.

    Raises:
        InputError: the backend cannot be used, or the cache cannot be written.
        WorkloadError: the backend refuses, or its converter fails.
    """
    from inferometer.backends import backend as backend_called

    backend = backend_called(request.variant.backend)
    assert isinstance(backend, SupportsPreparation)
    cache, folder = ArtifactCache(Path(request.cache)), Path(request.source)
    source = read_folder(folder)
    samples = [] if request.samples is None else load_samples(Path(request.samples))
    key = digest(
        {
            "layout": LAYOUT,
            "source": folder.name,
            "backend": request.variant.backend,
            "precision": request.variant.precision,
            "options": dict(request.variant.options),
            "samples": None if request.samples is None else Path(request.samples).parent.name,
            "versions": _versions(request.tools),
            "processor": simd(LIVE),
        }
    )

    def make(into: Path) -> dict[str, Any]:
        backend.start(threads=request.threads)
        begin = time.perf_counter()
        with _logged(into):
            artifact = backend.prepare(
                source.model(folder), request.variant, samples=samples, into=into
            )
        seconds = source.seconds + time.perf_counter() - begin
        files = tuple(str(Path(one).relative_to(into)) for one in artifact.files)
        made = made_by(source, artifact.format, files, notes=artifact.notes)
        return replace(made, seconds=seconds).to_json()

    kept = _obtained(cache, f"{_file_name(request.variant.backend)}-{key}", make)
    return VariantPrepared(folder=str(kept.path), made=kept.made)


def _obtained(cache: ArtifactCache, key: str, make: Callable[[Path], dict[str, Any]]) -> Kept:
    try:
        return cache.obtain(key, make)
    except OSError as error:
        raise InputError(
            f"the cache {shown(str(cache.folder))} cannot be written: {error.strerror or error}; "
            "make room there, or name another folder in INFEROMETER_CACHE"
        ) from error


def _copied(model: LoadedModel, into: Path) -> LoadedModel:
    """A file of the user's, with those beside it that it consists of, and inputs as plain data."""
    from inferometer.models.inputs.described import described as plain

    files = tuple(str(shutil.copy(one, into)) for one in model.files)
    return replace(model, files=files, inputs=plain(model.inputs))


def _facts(model: LoadedModel) -> dict[str, Any]:
    """Parameters of the model, whatever form it gets."""
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(model.network, torch.nn.Module):
        return {}
    from inferometer.models.cost import count_parameters

    found = count_parameters(model.network).fields_of_record()
    return {name: value for name, value in found.items() if name.startswith("parameters")}


def _made_up(spec: InputSpec, shape: Shape, request: ExportModel) -> list[Inputs]:
    seed = request.seed + CALIBRATION_SEED
    return [
        spec.make(batch_size=shape.batch_size, input_size=shape.input_size, seed=seed + number)
        for number in range(math.ceil(request.samples / shape.batch_size))
    ]


def _of_data(model: LoadedModel, shape: Shape, request: ExportModel) -> list[Inputs]:
    """Samples of the role calibration; where the data has none, of training.

    Raises:
        WorkloadError: (unsupported) it has neither.
    """
    from inferometer.datasets import assert_apart, open_data, open_roles

    assert request.data is not None
    roles = open_roles(request.data)
    role = next((one for one in ("calibration", "training") if one in roles), None)
    if role is None:
        raise WorkloadError(
            "unsupported",
            f"{shown(request.data)} has test samples alone; what calibrates must not judge: give "
            "it a part for calibration (?calibration=10%)",
        )
    limit = max(request.samples, shape.batch_size)
    opened = open_data(request.data, role, limit=limit, seed=request.seed)
    if "test" in roles:
        assert_apart(opened.dataset, roles["test"])
    take = opened.preparation(model.preprocessing, shape)
    found = cycle([opened.dataset[at].input for at in range(len(opened.dataset))])
    calls = math.ceil(len(opened.dataset) / shape.batch_size)  # the last is filled with the first
    return [_call(take(list(islice(found, shape.batch_size)))) for _ in range(calls)]


def _call(made: Any) -> Inputs:  # noqa: ANN401 - what a preparation gives
    from inferometer.models.inputs.arrays import shape_text

    args, kwargs = ((), dict(made)) if isinstance(made, dict) else ((made,), {})
    return Inputs(args=args, kwargs=kwargs, shape=shape_text(args, kwargs))


def _digest_of_samples(samples: Sequence[Inputs]) -> str:
    import numpy as np

    from inferometer.backends.tensors import as_numpy

    found = hashlib.sha256()
    for sample in samples:
        for name, value in [*enumerate(sample.args), *sorted(sample.kwargs.items())]:
            array = np.ascontiguousarray(as_numpy(value))
            found.update(f"{name} {array.dtype} {array.shape}".encode())
            found.update(array.tobytes())
    return found.hexdigest()[:16]


def _versions(names: Sequence[str]) -> dict[str, str]:
    found = {name: installed_version(name) for name in ("numpy", *names)}
    known = {name: version for name, version in found.items() if version is not None}
    return {**known, "inferometer": str(sys.modules["inferometer"].__version__)}


def _file_name(name: str) -> str:
    return "".join(one if one.isalnum() or one in "-_" else "_" for one in name)


@contextmanager
def _logged(into: Path) -> Iterator[None]:
    """What converters print, in a file beside what they make."""
    sys.stdout.flush()
    sys.stderr.flush()
    saved = [os.dup(1), os.dup(2)]
    with (into / LOG).open("wb") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        try:
            yield
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for number, one in enumerate(saved, 1):
                os.dup2(one, number)
                os.close(one)
