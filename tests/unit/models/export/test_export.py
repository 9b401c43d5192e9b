"""Models as files: names, open axes, what is refused, and outputs that stay the same."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from inferometer.core.errors import WorkloadError
from inferometer.core.format import Format
from inferometer.core.model import LoadedModel
from inferometer.core.workload import Shape
from inferometer.models.export import export
from inferometer.models.inputs import ExampleInputs, GeneratedInputs, TensorSpec, images

torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")


class Branching(torch.nn.Module):
    """Two ways through the code, by values."""

    def forward(self, x):
        return x * 2 if x.sum() > 0 else x - 1


class Flattening(torch.nn.Module):
    """Takes one size, as its last layer is built for it."""

    def __init__(self):
        super().__init__()
        self.last = torch.nn.Linear(3 * 16 * 16, 5)

    def forward(self, x):
        return self.last(x.flatten(1))


class Nested(torch.nn.Module):
    """Takes keywords, one of them in vain, and gives tensors in a mapping."""

    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 4, 3, padding=1)
        self.norm = torch.nn.BatchNorm2d(4)

    def forward(self, pair, mask=None, unused=None, scale=1.0):
        features = self.norm(self.conv(pair["image"])).relu()
        pooled = features.mean((2, 3)) * scale
        return {"map": features, "nothing": None, "pooled": [pooled * mask, 3]}


class Spectral(torch.nn.Module):
    """Gives complex numbers."""

    def forward(self, x):
        return torch.fft.rfft(x)


def loaded(network, inputs, form=Format.TORCH_MODULE):
    return LoadedModel(
        network=network.eval(), format=form, inputs=inputs, source="python", weights="none"
    )


def convolutions():
    torch.manual_seed(0)
    layers = torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.ReLU()
    return torch.nn.Sequential(*layers, torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())


def nested_model():
    torch.manual_seed(0)
    example = ExampleInputs(
        args=({"image": torch.randn(2, 3, 8, 8)},),
        kwargs={"mask": torch.tensor([[1.0], [0.5]]), "unused": torch.ones(2, 7), "scale": 2.0},
    )
    return loaded(Nested(), example)


def run_onnx(made, inputs):
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(made.files[0], providers=["CPUExecutionProvider"])
    names = [one.name for one in session.get_inputs()]
    return session.run(None, {**dict(zip(names, inputs.args, strict=False)), **inputs.kwargs})


def run_torch(network, inputs):
    with torch.no_grad():
        return network(
            *map(torch.as_tensor, inputs.args),
            **{name: torch.as_tensor(array) for name, array in inputs.kwargs.items()},
        )


def refusal(model, wanted, into, shape=None):
    with pytest.raises(WorkloadError) as caught:
        export(model, wanted, shape=shape, seed=0, into=into)
    assert caught.value.kind == "unsupported"
    return str(caught.value)


def test_an_onnx_file_serves_other_batches_and_sizes_and_gives_the_same(tmp_path, capfd):
    model = loaded(convolutions(), images(size=16))
    made = export(model, Format.ONNX, shape=None, seed=0, into=tmp_path)
    assert (made.format, made.network, made.files) == (
        Format.ONNX,
        None,
        (str(tmp_path / "model.onnx"),),
    )
    assert made.inputs == model.inputs
    assert "opset 18" in made.notes[-1]
    assert capfd.readouterr() == ("", "")
    assert logging.root.manager.disable < logging.CRITICAL
    for batch_size, input_size in ((1, 16), (3, 24)):
        inputs = made.inputs.make(batch_size=batch_size, input_size=input_size, seed=5)
        wanted = run_torch(model.network, inputs).numpy()
        np.testing.assert_allclose(run_onnx(made, inputs)[0], wanted, rtol=1e-4, atol=1e-6)


def test_nested_inputs_and_outputs_become_arrays_with_names_in_their_order(tmp_path):
    onnx = pytest.importorskip("onnx")
    model = nested_model()
    made = export(model, Format.ONNX, shape=None, seed=0, into=tmp_path)
    graph = onnx.load(made.files[0]).graph
    axes = {
        one.name: [axis.dim_param or axis.dim_value for axis in one.type.tensor_type.shape.dim]
        for one in graph.input
    }
    assert axes == {
        "input0": ["batch", 3, "size", "size"],
        "mask": ["batch", 1],
        "unused": ["batch", 7],
    }
    assert [one.name for one in graph.output] == ["output0", "output1"]
    assert made.notes[-1] == "fixed in its file: scale = 2.0"
    assert "conv.weight" in {one.name for one in graph.initializer}
    inputs = made.inputs.make(batch_size=3, input_size=12, seed=0)
    image, mask = (torch.as_tensor(one) for one in (inputs.args[0], inputs.kwargs["mask"]))
    with torch.no_grad():
        wanted = model.network({"image": image}, mask=mask, scale=2.0)
    features, pooled = run_onnx(made, inputs)
    np.testing.assert_allclose(features, wanted["map"].numpy(), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(pooled, wanted["pooled"][0].numpy(), rtol=1e-4, atol=1e-6)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("wanted", [Format.EXPORTED_PROGRAM, Format.TORCHSCRIPT])
def test_torchs_own_files_take_arrays_by_the_same_names(tmp_path, wanted):
    model = nested_model()
    made = export(model, wanted, shape=None, seed=0, into=tmp_path)
    is_script = wanted is Format.TORCHSCRIPT
    network = torch.jit.load(made.files[0]) if is_script else torch.export.load(made.files[0])
    inputs = made.inputs.make(batch_size=1, input_size=12, seed=0)
    features, _ = run_torch(network if is_script else network.module(), inputs)
    with torch.no_grad():
        given = model.network(
            {"image": torch.as_tensor(inputs.args[0])}, mask=torch.ones(1, 1), scale=2.0
        )
    torch.testing.assert_close(features, given["map"])


@pytest.mark.parametrize("wanted", [Format.ONNX, Format.EXPORTED_PROGRAM, Format.TORCHSCRIPT])
def test_code_that_chooses_by_values_is_refused(tmp_path, wanted):
    inputs = GeneratedInputs(tensors=(TensorSpec(shape=(4,)),))
    said = refusal(loaded(Branching(), inputs), wanted, tmp_path)
    assert "values" in said
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("wanted", [Format.EXPORTED_PROGRAM, Format.TORCHSCRIPT])
def test_a_size_that_the_code_fixes_is_refused_until_a_shape_is_given(tmp_path, wanted):
    model = loaded(Flattening(), images(size=16))
    assert "takes no 1x3x48x48" in refusal(model, wanted, tmp_path)
    made = export(model, wanted, shape=Shape(batch_size=3, input_size=16), seed=0, into=tmp_path)
    assert made.notes[-1] == "its file is for 16/3 alone"


def test_what_onnx_does_not_hold_is_refused(tmp_path):
    spectral = loaded(Spectral(), GeneratedInputs(tensors=(TensorSpec(shape=(4,)),)))
    assert "complex" in refusal(spectral, Format.ONNX, tmp_path)
    assert "callable" in refusal(
        LoadedModel(
            network=len, format=Format.CALLABLE, inputs=images(), source="python", weights=""
        ),
        Format.ONNX,
        tmp_path,
    )


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_script_becomes_onnx_by_the_older_exporter(tmp_path):
    pytest.importorskip("onnx")
    script = torch.jit.script(convolutions().eval())
    made = export(
        loaded(script, images(size=16), Format.TORCHSCRIPT),
        Format.ONNX,
        shape=None,
        seed=0,
        into=tmp_path,
    )
    inputs = made.inputs.make(batch_size=3, input_size=24, seed=0)
    wanted = run_torch(script, inputs).numpy()
    np.testing.assert_allclose(run_onnx(made, inputs)[0], wanted, rtol=1e-4, atol=1e-6)


def test_half_precision_weights_are_exported_in_fp32(tmp_path):
    half = loaded(convolutions().half(), images(size=16))
    made = export(half, Format.EXPORTED_PROGRAM, shape=None, seed=0, into=tmp_path)
    stored = torch.export.load(made.files[0]).state_dict.values()
    assert {one.dtype for one in stored if one.is_floating_point()} == {torch.float32}
    assert half.network[0].weight.dtype == torch.float16


def test_an_axis_that_the_exporter_fixes_is_named(tmp_path):
    class Recurrent(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.GRU(8, 4, batch_first=True)

        def forward(self, x):
            return self.layer(x)[0]

    inputs = GeneratedInputs(tensors=(TensorSpec(shape=(6, 8), size_axes=(0,)),))
    said = refusal(loaded(Recurrent(), inputs), Format.EXPORTED_PROGRAM, tmp_path)
    assert "fixes the input size of the example (6)" in said
