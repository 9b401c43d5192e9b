"""A prepared model as a worker loads it: checked files, one session for each shape."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pytest

from inferometer.core.errors import WorkloadError
from inferometer.core.format import Format
from inferometer.core.model import Inputs, LoadedModel, PlacedInputs
from inferometer.core.workload import Shape, Variant
from inferometer.host.artifacts import ArtifactCache
from inferometer.models.inputs import GeneratedInputs, images
from inferometer.runner.workers.messages import PreparedAt
from inferometer.runner.workers.prepared import described, load_prepared, made_by, read_folder
from inferometer.runner.workers.samples import load_samples, save_samples

VARIANT = Variant(model="net", backend="fake", precision="fp32")


class Runtime:
    """A backend whose sessions remember the file that they were loaded from."""

    def __init__(self):
        self.loaded = []

    def load(self, model, variant, *, device):
        self.loaded.append(model.files[0])
        return Session(model.files[0])


class Session:
    device = "cpu"

    def __init__(self, file):
        self.file = file

    def running(self):
        return nullcontext()

    def place(self, inputs):
        return PlacedInputs(**vars(inputs))

    def bind(self, inputs):
        return lambda: self.file

    def outputs(self, raw):
        return f"outputs of {raw}"

    def remarks(self, inputs):
        return (f"remark of {self.file}",)

    def non_finite(self, output):
        return None

    def minus_infinite(self, output):
        return None


@pytest.fixture
def kept(tmp_path):
    cache = ArtifactCache(tmp_path)

    def keep(key, text="weights", **said):
        def make(into):
            (into / "model.bin").write_text(text)
            model = LoadedModel(
                network=None,
                format=Format.MNN,
                inputs=images(size=8),
                source="catalogue",
                weights="random",
                notes=("exported",),
                files=(str(into / "model.bin"),),
            )
            return described(model, into, facts={"parameters": 7}, seconds=2.5).to_json() | said

        return cache.obtain(key, make).path

    return keep


def test_it_comes_back_as_it_was(kept):
    found = read_folder(kept("a"))
    assert found.model(kept("a")).files == (str(kept("a") / "model.bin"),)
    assert found.inputs == images(size=8)
    assert isinstance(found.inputs, GeneratedInputs)
    assert found.figures() == {"parameters": 7, "prepare_s": 2.5}
    further = made_by(found, Format.NCNN, ("x.param",), notes=("2 layers in fp32",))
    assert further.notes == ("exported", "2 layers in fp32")
    assert further.model(kept("a")).format is Format.NCNN


def test_a_model_for_all_shapes_has_one_session(kept):
    runtime = Runtime()
    folder = kept("a")
    model, session, figures = load_prepared(
        [PreparedAt(folder=str(folder))], runtime, VARIANT, device="cpu"
    )
    assert isinstance(session, Session)
    assert model.network is None
    assert figures["prepare_log"] == str(folder / "log.txt")


def test_a_model_for_each_shape_is_loaded_when_it_is_used(kept):
    runtime = Runtime()
    shapes = [Shape(batch_size=batch, input_size=8) for batch in (1, 2)]
    folders = [kept("one"), kept("two")]
    at = [
        PreparedAt(folder=str(folder), shape=shape)
        for folder, shape in zip(folders, shapes, strict=True)
    ]
    _, session, _ = load_prepared(at, runtime, VARIANT, device="cpu")
    assert len(runtime.loaded) == 1
    for batch, folder in ((2, folders[1]), (1, folders[0]), (2, folders[1])):
        inputs = images(size=8).make(batch_size=batch, input_size=8, seed=0)
        file = str(folder / "model.bin")
        assert session.bind(session.place(inputs))() == file
        assert session.remarks(inputs) == (f"remark of {file}",)
        assert session.outputs(file) == f"outputs of {file}"
    assert len(runtime.loaded) == 2
    strange = images(size=8).make(batch_size=3, input_size=8, seed=0)
    with pytest.raises(WorkloadError, match="prepared for other shapes, not for 3x3x8x8"):
        session.place(strange)


@pytest.mark.parametrize("damage", ["gone", "changed", "of another version"])
def test_what_is_not_as_it_was_is_refused(kept, damage):
    folder = kept("a") if damage != "of another version" else kept("b", newer=1)
    if damage == "gone":
        (folder / "made.json").unlink()
    if damage == "changed":
        (folder / "model.bin").write_text("others")
    with pytest.raises(WorkloadError, match="has gone from the cache, or was changed"):
        read_folder(folder)


def test_samples_come_back(tmp_path):
    first = Inputs(args=(np.ones((1, 2)), np.arange(3)), kwargs={"a/b": np.zeros(1)}, shape="")
    save_samples([first, first], tmp_path / "s.npz")
    again = load_samples(tmp_path / "s.npz")
    assert len(again) == 2
    assert [one.tolist() for one in again[1].args] == [[[1.0, 1.0]], [0, 1, 2]]
    assert again[0].args[1].dtype == np.arange(3).dtype
    assert list(again[0].kwargs) == ["a/b"]


def test_samples_that_are_no_arrays_are_refused(tmp_path):
    strange = Inputs(args=(SimpleNamespace(),), shape="")
    with pytest.raises(WorkloadError, match="a SimpleNamespace, which is not an array"):
        save_samples([strange], tmp_path / "s.npz")
