"""The backend `executorch`, under a Python that has ExecuTorch; every file is made by the tests:

PYTHONPATH=src PYTHON -m pytest -p no:anyio tests/backends/test_executorch.py
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("executorch")
torch = pytest.importorskip("torch")

from inferometer.backends.executorch.session import ExecuTorchBackend  # noqa: E402
from inferometer.core.errors import WorkloadError  # noqa: E402
from inferometer.core.format import Format  # noqa: E402
from inferometer.core.model import Inputs, LoadedModel  # noqa: E402
from inferometer.core.protocols import (  # noqa: E402
    SupportsErrorKinds,
    SupportsOptions,
    SupportsOutputs,
    SupportsPreparation,
    SupportsSettings,
)
from inferometer.core.workload import Variant  # noqa: E402

pytestmark = [pytest.mark.runtimes, pytest.mark.filterwarnings("ignore")]


class Spec:
    batch_size = 1

    def make(self, *, batch_size, input_size, seed):
        raise AssertionError("a backend makes no inputs")


class Mixed(torch.nn.Module):
    """Several inputs by name, whole numbers, several outputs, an operator that XNNPACK lacks."""

    def __init__(self):
        super().__init__()
        self.table = torch.nn.Embedding(5, 4)

    def forward(self, x, *, ids, scale):
        return {"sum": x * scale + self.table(ids), "ids": ids + 1}


def model_of(*paths, form=Format.EXECUTORCH):
    return LoadedModel(
        network=None,
        format=form,
        inputs=Spec(),
        source="file",
        weights="",
        files=tuple(map(str, paths)),
    )


def variant(precision="fp32", **options):
    return Variant(
        model="m", backend="executorch", precision=precision, options=tuple(sorted(options.items()))
    )


def given(*args, **kwargs):
    return Inputs(args=args, kwargs=kwargs, shape="")


def started(threads=1):
    backend = ExecuTorchBackend()
    backend.start(threads=threads)
    return backend


def prepared(network, args, into, *, precision="fp32", samples=(), named=None, **options):
    program = torch.export.export(network.eval(), args, named)
    torch.export.save(program, into / "m.pt2")
    source = model_of(into / "m.pt2", form=Format.EXPORTED_PROGRAM)
    (into / "made").mkdir()
    return started().prepare(
        source, variant(precision, **options), samples=samples, into=into / "made"
    )


def session_of(*files, device="cpu", precision="fp32", threads=1):
    return started(threads).load(model_of(*files), variant(precision), device=device)


def called(session, *args, **kwargs):
    with session.running():
        return session.outputs(session.bind(given(*args, **kwargs))())


def refusal(action):
    with pytest.raises(WorkloadError) as caught:
        action()
    assert "\n" not in str(caught.value)
    return caught.value.kind, str(caught.value)


@pytest.fixture(scope="module")
def net():
    """A small network with signal in its outputs, and its inputs."""
    torch.manual_seed(0)
    made = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, padding=1),
        torch.nn.BatchNorm2d(8),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2),
        torch.nn.Conv2d(8, 8, 3, stride=2),
        torch.nn.Flatten(),
        torch.nn.Linear(8 * 7 * 7, 10),
    )
    return made.eval(), torch.randn(2, 3, 32, 32)


@pytest.fixture(scope="module")
def artifact(net, tmp_path_factory):
    network, pictures = net
    return prepared(network, (pictures,), tmp_path_factory.mktemp("fp32"))


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """What was made of `Mixed`, the network, and inputs of a call."""
    inputs = {"ids": torch.tensor([[1, 4]]), "scale": torch.full((1, 2, 4), 3.0)}
    network, x = Mixed(), torch.ones(1, 2, 4)
    return (
        prepared(network, (x,), tmp_path_factory.mktemp("mixed"), named=inputs),
        network,
        x,
        inputs,
    )


def test_fp32_is_that_of_torch(net, artifact):
    network, pictures = net
    found = called(session_of(*artifact.files), pictures)
    expected = network(pictures).detach().numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert artifact.format is Format.EXECUTORCH
    assert artifact.notes == ()


def test_a_file_alone_takes_inputs_by_number(net, artifact):
    _, pictures = net
    session = session_of(artifact.files[0])
    np.testing.assert_array_equal(called(session, input0=pictures), called(session, pictures))


def test_names_whole_numbers_and_several_outputs(mixed):
    made, network, x, inputs = mixed
    found = called(session_of(*made.files), x, **inputs)
    expected = network(x, **inputs)
    assert list(found) == ["output0", "output1"]
    np.testing.assert_allclose(found["output0"], expected["sum"].detach(), rtol=1e-5)
    np.testing.assert_array_equal(found["output1"], expected["ids"])


def test_operators_outside_of_xnnpack_are_told(mixed):
    (note,) = mixed[0].notes
    assert "operators run outside of XNNPACK" in note
    assert "embedding" in note


def test_an_output_is_not_changed_by_the_next_call(net, artifact):
    _, pictures = net
    session = session_of(*artifact.files)
    first = called(session, pictures)
    before = first.copy()
    called(session, torch.zeros_like(pictures))
    np.testing.assert_array_equal(first, before)


@pytest.mark.parametrize(
    ("precision", "options", "note"),
    [
        ("int8", {}, ""),
        ("int8", {"quantization": "dynamic"}, "1 of 3 convolutions and linear layers stay in fp32"),
        ("fp16", {}, ""),
    ],
)
def test_other_precisions_are_close(net, tmp_path, precision, options, note):
    network, pictures = net
    samples = [given(np.random.default_rng(n).normal(size=(1, 3, 32, 32)).astype("float32"))
               for n in range(9)]  # fmt: skip
    made = prepared(network, (pictures,), tmp_path, precision=precision, samples=samples, **options)
    found, expected = (
        called(session_of(*made.files, precision=precision), pictures),
        network(pictures).detach().numpy(),
    )
    assert found.dtype == np.float32
    cosine = expected.ravel() @ found.ravel() / np.linalg.norm(expected) / np.linalg.norm(found)
    assert cosine > 0.98
    assert not np.allclose(found, expected, rtol=1e-6)
    assert [one for one in made.notes if "fp32" in one] == ([note] if note else [])


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_so_many_threads_as_were_asked_for(net, artifact):
    def running():
        return len(list(Path("/proc/self/task").iterdir()))

    _, pictures = net
    session_of(*artifact.files, threads=1)
    before = running()
    for threads in (2, 4, 1):
        backend = started(threads)
        session = backend.load(model_of(*artifact.files), variant(), device="cpu")
        called(session, pictures)
        assert backend.settings() == {"threads": threads}
        assert running() - before == threads - 1


def test_another_number_of_threads_is_refused(artifact):
    backend = started(2)
    started(1)
    kind, said = refusal(lambda: backend.load(model_of(*artifact.files), variant(), device="cpu"))
    assert kind == "unsupported"
    assert "took 1 threads, where 2 were asked for" in said


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ((3, 3, 32, 32), "input input0 takes 2x3x32x32, and was given 3x3x32x32"),
        ((2, 3, 32), "and was given 2x3x32"),
    ],
)
def test_shapes_that_it_was_not_made_for(artifact, shape, said):
    kind, message = refusal(lambda: session_of(*artifact.files).place(given(torch.ones(shape))))
    assert kind == "unsupported"
    assert said in message


def test_a_smaller_shape_is_refused_in_the_call(artifact):
    with pytest.raises(RuntimeError) as caught:
        called(session_of(*artifact.files), torch.ones(1, 3, 32, 32))
    assert ExecuTorchBackend().classify(caught.value) == "unsupported"


class TestRefusals:
    """Files that do not load or convert, and why."""

    @pytest.mark.parametrize("kept", [0.3, 0.9])
    def test_a_file_that_is_cut_short(self, artifact, tmp_path, kept):
        content = Path(artifact.files[0]).read_bytes()
        (tmp_path / "m.pte").write_bytes(content[: int(len(content) * kept)])
        kind, said = refusal(lambda: session_of(tmp_path / "m.pte"))
        assert kind == "bad_model"
        assert "damaged or cut short" in said

    def test_no_file(self):
        assert refusal(session_of)[0] == "bad_model"

    def test_devices_and_precisions(self, artifact):
        assert refusal(lambda: session_of(*artifact.files, device="cuda"))[0] == "unsupported"
        assert refusal(lambda: session_of(*artifact.files, precision="bf16"))[0] == "unsupported"

    def test_a_file_is_not_converted(self):
        backend = ExecuTorchBackend()
        assert backend.preparation(Format.EXECUTORCH, variant()) is None
        kind, said = refusal(lambda: backend.preparation(Format.EXECUTORCH, variant("int8")))
        assert kind == "unsupported"
        assert "runs it as it is" in said

    def test_what_it_cannot_lower(self, tmp_path):
        class Odd(torch.nn.Module):
            def forward(self, x):
                return torch.linalg.svd(x).S

        kind, said = refusal(lambda: prepared(Odd(), (torch.ones(3, 3),), tmp_path))
        assert kind == "unsupported"
        assert "executorch" in said

    def test_a_damaged_program(self, tmp_path):
        (tmp_path / "m.pt2").write_bytes(b"PK nothing")
        source = model_of(tmp_path / "m.pt2", form=Format.EXPORTED_PROGRAM)
        kind, said = refusal(
            lambda: started().prepare(source, variant(), samples=(), into=tmp_path)
        )
        assert kind == "bad_model"
        assert "must be of the same version" in said

    def test_errors_of_others(self):
        assert ExecuTorchBackend().classify(RuntimeError("something else")) is None
        assert ExecuTorchBackend().classify(ValueError("error 0x10")) is None


def test_what_only_some_backends_can_do(artifact):
    backend = ExecuTorchBackend()
    for protocol in (SupportsErrorKinds, SupportsOptions, SupportsPreparation, SupportsSettings):
        assert isinstance(backend, protocol)
    assert isinstance(session_of(*artifact.files), SupportsOutputs)


def test_what_is_prepared_of_what():
    backend = ExecuTorchBackend()
    made = {
        (precision, how): backend.preparation(
            Format.TORCH_MODULE, variant(precision, quantization=how)
        )
        for precision in ("fp32", "int8")
        for how in ("static", "dynamic")
    }
    assert [key for key, one in made.items() if one.calibrates] == [("int8", "static")]
    assert {one.wants for one in made.values()} == {Format.EXPORTED_PROGRAM}
    assert all(one.each_shape for one in made.values())
    assert backend.preparation(Format.ONNX, variant()) is None
