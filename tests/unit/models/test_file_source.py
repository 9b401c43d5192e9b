from __future__ import annotations

import os
import pickle
import zipfile

import pytest

from inferometer.core.errors import ModelReferenceError, WorkloadError
from inferometer.models import load

torch = pytest.importorskip("torch")


class Classifier(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(2, 4, 3)

    def forward(self, image):
        return self.conv(image).mean((2, 3))


def make(model, *, batch_size=1, input_size=None):
    return model.inputs.make(batch_size=batch_size, input_size=input_size, seed=0)


@pytest.fixture(scope="module")
def exported_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    network, example = Classifier().eval(), (torch.zeros(2, 2, 8, 8),)
    torch.export.save(torch.export.export(network, example), folder / "static.pt2")
    batch = torch.export.Dim("batch", min=1, max=16)
    size = torch.export.Dim("size", min=4)
    program = torch.export.export(network, example, dynamic_shapes=({0: batch, 2: size},))
    torch.export.save(program, folder / "dynamic.pt2")
    return folder


@pytest.fixture(scope="module")
def squeezenet():
    return load("squeezenet1_0", seed=5).network


@pytest.fixture(scope="module")
def writers():
    """Writers of a good file each, by suffix."""

    def safetensors(path):
        module = pytest.importorskip("safetensors.torch")
        module.save_file(Classifier().state_dict(), path)

    def exported(path):
        program = torch.export.export(Classifier().eval(), (torch.zeros(1, 2, 8, 8),))
        torch.export.save(program, path)

    def old(path):
        state = Classifier().state_dict()
        torch.save(state, path, _use_new_zipfile_serialization=False)

    return {
        "state.pt": lambda path: torch.save(Classifier().state_dict(), path),
        "old.pt": old,
        "state.safetensors": safetensors,
        "program.pt2": exported,
    }


def refusal(reference) -> WorkloadError:
    with pytest.raises(WorkloadError) as caught:
        load(str(reference), seed=0)
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
@pytest.mark.parametrize("name", ["script.pt", "script.ts", "renamed.pth"])
def test_torchscript(tmp_path, name, run_once):
    torch.jit.script(Classifier().eval()).save(str(tmp_path / name))
    model = load(str(tmp_path / name), seed=0)
    assert model.source == "file"
    assert model.weights == f"file {name}"
    assert model.files == (str(tmp_path / name),)
    assert tuple(run_once(model, batch_size=2, input_size=8).shape) == (2, 4)
    assert "assumed to be images 2x224x224" in model.notes[0]
    assert make(load(f"{tmp_path / name}?input=2x9x9", seed=0)).shape == "1x2x9x9"


class TestExported:
    def test_its_own_shape(self, exported_folder, run_once):
        model = load(str(exported_folder / "static.pt2"), seed=0)
        assert model.weights == "file static.pt2"
        assert model.files == (str(exported_folder / "static.pt2"),)
        assert model.notes == ()
        assert make(model, batch_size=2).shape == "2x2x8x8"
        assert tuple(run_once(model, batch_size=2, input_size=8).shape) == (2, 4)

    @pytest.mark.parametrize(
        ("shape", "axis"),
        [({"batch_size": 1}, 0), ({"batch_size": 2, "input_size": 16}, 2)],
    )
    def test_a_shape_that_it_was_not_exported_for(self, exported_folder, shape, axis):
        model = load(str(exported_folder / "static.pt2"), seed=0)
        with pytest.raises(
            WorkloadError, match=rf"static.pt2 was exported for \d along axis {axis}"
        ) as caught:
            make(model, **shape)
        assert caught.value.kind == "unsupported"

    def test_a_dynamic_batch(self, exported_folder, run_once):
        model = load(str(exported_folder / "dynamic.pt2"), seed=0)
        assert tuple(run_once(model, batch_size=5).shape) == (5, 4)
        with pytest.raises(WorkloadError, match="for 1 to 16 along axis 0") as caught:
            make(model, batch_size=17)
        assert caught.value.kind == "unsupported"

    def test_one_dynamic_side_is_not_two(self, exported_folder):
        model = load(str(exported_folder / "dynamic.pt2"), seed=0)
        with pytest.raises(WorkloadError, match="for 8 along axis 3"):
            make(model, batch_size=2, input_size=16)

    def test_it_says_itself_what_it_takes(self, exported_folder):
        with pytest.raises(ModelReferenceError, match="leave input= out"):
            load(f"{exported_folder / 'static.pt2'}?input=2x9x9", seed=0)

    def test_several_inputs_with_names(self, tmp_path, run_once):
        class Sum(torch.nn.Module):
            def forward(self, left, factor, *, right):
                return left * factor + right

        example = (torch.ones(2, 3), 2)
        program = torch.export.export(Sum(), example, {"right": torch.ones(2, 3)})
        torch.export.save(program, tmp_path / "sum.pt2")
        model = load(str(tmp_path / "sum.pt2"), seed=0)
        assert make(model, batch_size=2).shape == "2x3, right=2x3"
        assert run_once(model, batch_size=2).tolist() == [[3.0] * 3] * 2


class TestWeights:
    @pytest.mark.parametrize(
        "wrap",
        [
            dict,
            lambda state: {"state_dict": state, "epoch": 3},
            lambda state: {"model": {f"module.{name}": value for name, value in state.items()}},
        ],
    )
    def test_they_are_matched_with_the_catalogue(self, tmp_path, squeezenet, wrap):
        torch.save(wrap(squeezenet.state_dict()), tmp_path / "trained.pth")
        model = load(str(tmp_path / "trained.pth"), seed=0)
        assert (model.source, model.weights) == ("file", "file trained.pth")
        assert model.files == (str(tmp_path / "trained.pth"),)
        assert "its weights are those of squeezenet1_0" in model.notes
        assert torch.equal(model.network.features[0].weight, squeezenet.features[0].weight)

    def test_the_old_format_of_torch(self, tmp_path, squeezenet):
        state = squeezenet.state_dict()
        torch.save(state, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
        assert load(str(tmp_path / "old.pt"), seed=0).weights == "file old.pt"

    def test_safetensors(self, tmp_path):
        safetensors = pytest.importorskip("safetensors.torch")
        network = load("unet", seed=5).network
        safetensors.save_file(network.state_dict(), tmp_path / "unet.safetensors")
        model = load(f"{tmp_path / 'unet.safetensors'}?input=3x32x32", seed=0)
        assert torch.equal(model.network.conv.weight, network.conv.weight)
        assert make(model).shape == "1x3x32x32"

    def test_weights_from_before_batch_norm_counted(self, tmp_path):
        network = load("unet", seed=5).network
        state = {k: v for k, v in network.state_dict().items() if "num_batches" not in k}
        torch.save(state, tmp_path / "unet.pt")
        assert "those of unet" in load(str(tmp_path / "unet.pt"), seed=0).notes[0]

    def test_weights_of_no_catalogue_model(self, tmp_path):
        torch.save(Classifier().state_dict(), tmp_path / "mine.pt")
        error = refusal(tmp_path / "mine.pt")
        assert error.kind == "bad_model"
        assert f"NAME?weights={tmp_path / 'mine.pt'}" in str(error)

    def test_a_whole_model_is_not_weights(self, tmp_path):
        program = torch.export.export(Classifier().eval(), (torch.zeros(1, 2, 8, 8),))
        torch.export.save(program, tmp_path / "whole.pt2")
        assert "name the file as the model" in str(
            refusal(f"unet?weights={tmp_path / 'whole.pt2'}")
        )


class Payload:
    """Unpickling it makes a folder."""

    def __init__(self, folder):
        self.folder = str(folder)

    def __reduce__(self):
        return os.mkdir, (self.folder,)


class TestPickles:
    @pytest.mark.parametrize(
        "save", [torch.save, lambda value, path: path.write_bytes(pickle.dumps(value))]
    )
    def test_code_in_a_file_does_not_run(self, tmp_path, save):
        save({"weight": Payload(tmp_path / "executed")}, tmp_path / "evil.pt")
        error = refusal(tmp_path / "evil.pt")
        assert error.kind == "bad_model"
        assert "can run code" in str(error)
        assert "?pickle=yes" in str(error)
        assert not (tmp_path / "executed").exists()
        refusal(f"unet?weights={tmp_path / 'evil.pt'}")
        refusal(f"{tmp_path / 'evil.pt'}?pickle=no")
        assert not (tmp_path / "executed").exists()

    def test_a_pickled_module_loads_only_when_it_is_trusted(self, tmp_path, run_once):
        torch.save(torch.nn.Conv2d(3, 2, 1), tmp_path / "whole.pt")
        assert "?pickle=yes" in str(refusal(tmp_path / "whole.pt"))
        model = load(f"{tmp_path / 'whole.pt'}?pickle=yes", seed=0)
        assert tuple(run_once(model, input_size=4).shape) == (1, 2, 4, 4)

    def test_other_objects_are_no_model(self, tmp_path):
        torch.save({1: torch.zeros(3)}, tmp_path / "numbered.pt")
        assert "holds a dict, neither" in str(refusal(tmp_path / "numbered.pt"))
        torch.save(torch.zeros(3), tmp_path / "tensor.pt")
        assert "holds a Tensor, neither a model nor weights" in str(refusal(tmp_path / "tensor.pt"))


class TestDamage:
    @pytest.mark.parametrize("name", ["state.pt", "old.pt", "state.safetensors", "program.pt2"])
    @pytest.mark.parametrize("kept", [0.02, 0.5, 0.95])
    def test_files_that_are_cut_short(self, tmp_path, writers, name, kept):
        writers[name](tmp_path / name)
        content = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(content[: int(len(content) * kept)])
        error = refusal(tmp_path / name)
        assert error.kind == "bad_model"
        assert name in str(error)

    @pytest.mark.parametrize(
        ("content", "problem"),
        [
            (b"", "is empty"),
            (b"hello, world, this is text", "is not a model file; files that can run"),
            (b"\x80", "damaged"),
            (b"PK\x03\x04", "cut short or damaged"),
            (b"\x08\x00\x00\x00\x00\x00\x00\x00{}      ", "fit no model|holds a dict"),
            (b"\xff\xff\x00\x00\x00\x00\x00\x00{}      ", "damaged"),
        ],
    )
    def test_what_is_no_model(self, tmp_path, content, problem):
        (tmp_path / "model.pt").write_bytes(content)
        with pytest.raises(WorkloadError, match=problem) as caught:
            load(str(tmp_path / "model.pt"), seed=0)
        assert caught.value.kind == "bad_model"
        assert "\n" not in str(caught.value)

    def test_an_archive_of_something_else(self, tmp_path):
        with zipfile.ZipFile(tmp_path / "model.pt", "w") as archive:
            archive.writestr("notes.txt", "nothing")
        assert "archive without a model" in str(refusal(tmp_path / "model.pt"))

    def test_an_archive_that_only_looks_like_torchscript(self, tmp_path):
        with zipfile.ZipFile(tmp_path / "model.pt", "w") as archive:
            archive.writestr("m/code/x.py", "")
            archive.writestr("m/constants.pkl", "")
        assert "is cut short or damaged" in str(refusal(tmp_path / "model.pt"))


def test_a_missing_file(tmp_path):
    with pytest.raises(ModelReferenceError, match="there is no such file"):
        load(str(tmp_path / "none.pt"), seed=0)
