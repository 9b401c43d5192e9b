"""The backend `torchscript`: traces and scripts, and traces that are wrong for other inputs."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from inferometer.backends.torch.script import TorchScriptBackend  # noqa: E402
from inferometer.core.errors import WorkloadError  # noqa: E402
from inferometer.core.format import Format  # noqa: E402
from inferometer.core.model import Inputs, LoadedModel  # noqa: E402
from inferometer.core.protocols import SupportsOperations, SupportsProfile  # noqa: E402
from inferometer.core.workload import Variant  # noqa: E402


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 8, 3)
        self.norm = torch.nn.BatchNorm2d(8)
        self.head = torch.nn.Linear(8, 4)

    def forward(self, x):
        return self.head(torch.relu(self.norm(self.conv(x))).mean((2, 3)))


class OnValues(torch.nn.Module):
    def forward(self, x):
        return x + 1 if bool(x.sum() > 0) else x - 1


class OnShape(torch.nn.Module):
    def forward(self, x):
        return x * torch.tensor(float(x.shape[0]))


class Random(torch.nn.Module):
    def forward(self, x):
        return x + torch.rand_like(x)


def session(module, precision="fp32", *, form=Format.TORCH_MODULE, **options):
    model = LoadedModel(network=module, format=form, inputs=None, source="", weights="")
    variant = Variant(
        model="m",
        backend="torchscript",
        precision=precision,
        options=tuple(sorted(options.items())),
    )
    return TorchScriptBackend().load(model, variant, device="cpu")


def net():
    torch.manual_seed(0)
    return Net().eval()


def images(*shape):
    shape = shape or (2, 3, 12, 10)
    generator = torch.Generator().manual_seed(1)
    tensor = torch.rand(*shape, generator=generator)
    return Inputs(args=(tensor,), shape="x".join(map(str, shape)))


def output(made, inputs):
    with made.running():
        return torch.as_tensor(made.outputs(made.bind(inputs)()))


@torch.no_grad()
def eager(module, inputs):
    return module(*inputs.args, **inputs.kwargs)


@pytest.mark.parametrize("how", ["trace", "script"])
@pytest.mark.parametrize("optimize", ["off", "freeze", "inference"])
@pytest.mark.parametrize("memory_format", ["contiguous", "channels_last"])
def test_it_gives_what_eager_mode_gives_at_every_shape(how, optimize, memory_format):
    made = session(net(), how=how, optimize=optimize, memory_format=memory_format)
    for shape in ((2, 3, 12, 10), (1, 3, 12, 10), (3, 3, 9, 9)):
        wanted = eager(net(), images(*shape))
        torch.testing.assert_close(output(made, images(*shape)), wanted, rtol=1e-4, atol=1e-5)
        assert not made.remarks(images(*shape))


@pytest.mark.parametrize(("precision", "dtype"), [("bf16", torch.bfloat16), ("fp16", torch.half)])
def test_other_precisions_are_those_of_the_converted_module(precision, dtype):
    made = session(net(), precision)
    with made.running():
        assert made.bind(images())().dtype == dtype


def test_later_calls_go_to_the_script_at_once():
    made = session(net())
    output(made, images())
    assert isinstance(made.bind(images()).func, torch.jit.ScriptModule)


@pytest.mark.parametrize(("module", "batch_size"), [(OnValues(), 2), (OnShape(), 4)])
def test_a_trace_that_is_wrong_for_other_inputs_is_refused(module, batch_size):
    made = session(module)
    output(made, images(2, 3))
    with pytest.raises(WorkloadError, match="how=script") as caught:
        made.remarks(images(batch_size, 3))
    assert caught.value.kind == "unsupported"


def test_a_script_takes_what_a_trace_gets_wrong():
    made = session(OnValues(), how="script")
    for sign in (1, -1):
        inputs = Inputs(args=(sign * torch.ones(2),), shape="2")
        assert output(made, inputs).equal(eager(OnValues(), inputs))
    assert not made.remarks(images(2))


def test_a_trace_of_a_random_model_cannot_be_checked_and_says_so():
    made = session(Random())
    output(made, images(2, 3))
    (remark,) = made.remarks(images(2, 3))
    assert "unchecked" in remark


def test_named_inputs_are_traced_with_positional_ones():
    class Two(torch.nn.Module):
        def forward(self, x, y):
            return {"sum": x + y}

    made = session(Two())
    one = torch.ones(2)
    with made.running():
        given = made.bind(Inputs(args=(one,), kwargs={"y": 2 * one}, shape="2"))()
    assert given["sum"].tolist() == [3, 3]


def test_what_cannot_be_scripted_is_refused_in_a_sentence():
    class Odd(torch.nn.Module):
        def forward(self, x):
            return eval("x + 1")

    made = session(Odd(), how="script")
    with pytest.raises(
        WorkloadError, match=r"torch\.jit\.script does not take this model"
    ) as caught:
        output(made, images(2))
    assert caught.value.kind == "unsupported"
    assert "\n" not in str(caught.value)


@pytest.mark.filterwarnings("ignore:`torch.jit")
def test_a_script_from_a_file_runs_as_it_is(tmp_path):
    torch.jit.save(torch.jit.trace(net(), images().args), tmp_path / "m.pt")
    made = session(torch.jit.load(tmp_path / "m.pt"), form=Format.TORCHSCRIPT)
    wanted = eager(net(), images())
    torch.testing.assert_close(output(made, images()), wanted, rtol=1e-4, atol=1e-5)
    assert not made.remarks(images())


def test_operations_are_counted_in_the_module_and_no_profile_is_offered():
    module = net()
    made = session(module)
    assert isinstance(made, SupportsOperations)
    assert made.network is module
    assert not isinstance(made, SupportsProfile)
