"""Options of eager torch: what each changes, what it gives, and where it is refused."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from inferometer.backends.torch.session import TorchBackend  # noqa: E402
from inferometer.core.errors import WorkloadError  # noqa: E402
from inferometer.core.format import Format  # noqa: E402
from inferometer.core.model import Inputs, LoadedModel  # noqa: E402
from inferometer.core.protocols import (  # noqa: E402
    SupportsOperations,
    SupportsOptions,
    SupportsRemarks,
)
from inferometer.core.workload import Variant  # noqa: E402


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 8, 3)
        self.head = torch.nn.Linear(8, 4)

    def forward(self, x):
        self.seen = x
        return self.head(torch.relu(self.conv(x)).mean((2, 3)))


@pytest.fixture(autouse=True)
def settings_put_back():
    kept = torch.backends.mkldnn.enabled, torch.backends.cudnn.benchmark
    yield
    torch.backends.mkldnn.set_flags(kept[0])
    torch.backends.cudnn.benchmark = kept[1]


def images(batch_size=2):
    generator = torch.Generator().manual_seed(1)
    return Inputs(args=(torch.randn(batch_size, 3, 12, 10, generator=generator),), shape="")


def net():
    torch.manual_seed(0)
    return Net().eval()


def session(module=None, precision="fp32", *, backend=None, device="cpu", **options):
    model = LoadedModel(
        network=module or net(),
        format=Format.TORCH_MODULE,
        inputs=None,
        source="test",
        weights="none",
    )
    variant = Variant(
        model="m", backend="torch", precision=precision, options=tuple(sorted(options.items()))
    )
    return (backend or TorchBackend()).load(model, variant, device=device)


def output(made, inputs=None):
    call = made.bind(inputs or images())
    with made.running():
        return torch.as_tensor(made.outputs(call()))


@torch.no_grad()
def eager():
    return net()(*images().args)


def test_options_are_offered():
    assert isinstance(TorchBackend(), SupportsOptions)
    for name, option in TorchBackend().options.items():
        assert option.says.endswith("."), name
        assert not option.usual or option.takes(option.usual)


def test_channels_last_lays_out_weights_and_inputs_and_gives_the_same():
    made = session(memory_format="channels_last")
    torch.testing.assert_close(output(made), eager(), rtol=1e-4, atol=1e-5)
    for tensor in (made.network.conv.weight, made.network.seen):
        assert tensor.is_contiguous(memory_format=torch.channels_last)
        assert not tensor.is_contiguous()


def test_inputs_without_image_axes_have_no_layout():
    made = session(torch.nn.Linear(2, 2), memory_format="channels_last")
    assert output(made, Inputs(args=(torch.ones(3, 2),), shape="")).shape == (3, 2)


def test_autocast_keeps_weights_and_inputs_in_fp32_and_computes_in_bf16():
    made = session(precision="bf16", autocast="on")
    call = made.bind(images())
    with made.running():
        assert call().dtype == torch.bfloat16
        assert not torch.is_autocast_enabled("cpu")  # each call enters it for itself
    assert made.network.conv.weight.dtype == made.network.seen.dtype == torch.float32
    torch.testing.assert_close(output(made), eager(), rtol=0.05, atol=0.02)


def test_what_an_option_sets_is_no_change_by_the_models_code():
    backend = TorchBackend()
    before = dict(backend.settings())
    session(backend=backend, mkldnn="off")
    assert backend.settings()["mkldnn_enabled"] is False
    assert backend.setting_changes(before) == []
    torch.backends.mkldnn.set_flags(True)
    assert "oneDNN" in backend.setting_changes(before)[0]


@pytest.mark.parametrize("quantization", ["dynamic", "weights"])
def test_int8_quantises_linear_layers_and_says_which(quantization):
    pytest.importorskip("torchao")
    made = session(precision="int8", quantization=quantization)
    torch.testing.assert_close(output(made), eager(), rtol=0.1, atol=0.02)
    assert isinstance(made, SupportsRemarks)
    (remark,) = made.remarks(images())
    assert "in 1 of 1 linear layers; 1 other layers with weights stay in fp32" in remark
    assert not isinstance(made, SupportsOperations)  # parameters and bytes would be wrong


def test_int8_without_a_linear_layer_is_refused_with_a_way_out():
    pytest.importorskip("torchao")
    with pytest.raises(WorkloadError, match="--backends torch-compile") as caught:
        session(torch.nn.Conv2d(3, 4, 3), "int8")
    assert caught.value.kind == "unsupported"


def test_int8_without_torchao_names_the_command(monkeypatch):
    monkeypatch.setattr("inferometer.backends.torch.eager_int8.find_spec", lambda _: None)
    with pytest.raises(WorkloadError, match=r"pip install 'inferometer\[torch-compile\]'"):
        session(precision="int8")


@pytest.mark.parametrize(
    ("precision", "options", "words"),
    [
        ("fp32", {"tf32": "on"}, "tf32 is for CUDA"),
        ("fp32", {"cuda_graphs": "on"}, "cuda_graphs is for CUDA"),
        ("fp32", {"autocast": "on"}, "not in fp32"),
        ("bf16", {"quantization": "weights"}, "is for int8"),
        ("fp32", {"memory_format": "sideways"}, "takes contiguous, channels_last"),
        ("fp32", {"speed": "on"}, "no option speed"),
    ],
)
def test_what_would_do_nothing_is_refused(precision, options, words):
    with pytest.raises(WorkloadError, match=words) as caught:
        session(precision=precision, **options)
    assert caught.value.kind == "unsupported"


class FakeGraph:
    """Stands for a captured graph: a replay does nothing."""

    captures = 0

    def __init__(self):
        type(self).captures += 1

    def replay(self):
        pass


@pytest.fixture
def fake_cuda(monkeypatch):
    """Streams and graphs that need no GPU: what is captured runs once."""
    from contextlib import nullcontext
    from types import SimpleNamespace

    FakeGraph.captures = 0
    stream = SimpleNamespace(wait_stream=lambda _: None)
    for name, value in {
        "Stream": lambda _: stream,
        "current_stream": lambda _: stream,
        "stream": nullcontext,
        "CUDAGraph": FakeGraph,
        "graph": nullcontext,
        "synchronize": lambda _: None,
    }.items():
        monkeypatch.setattr(torch.cuda, name, value)


@pytest.mark.usefixtures("fake_cuda")
def test_a_graph_is_captured_once_for_the_same_inputs():
    made = session()
    made.replay_graphs()
    placed = made.place(images())
    first = made.bind(placed)
    assert FakeGraph.captures == 0  # in the first call: a cold start holds it
    with made.running():
        torch.testing.assert_close(first(), eager())
        first()
    assert made.bind(placed) is first
    assert FakeGraph.captures == 1
    made.bind(made.place(images(4)))
    assert FakeGraph.captures == 2  # later ones are captured before anything is timed


@pytest.mark.usefixtures("fake_cuda")
def test_what_cannot_be_captured_is_refused_with_a_way_out():
    class Syncs(torch.nn.Module):
        def forward(self, x):
            raise RuntimeError("operation not permitted when stream is capturing")

    made = session(Syncs())
    made.replay_graphs()
    with pytest.raises(WorkloadError, match="leave out the option cuda_graphs") as caught:
        made.bind(images())()
    assert caught.value.kind == "unsupported"


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA here")
def test_a_replayed_graph_gives_what_the_model_gives():
    made = session(device="cuda", cuda_graphs="on")
    torch.testing.assert_close(output(made), eager(), rtol=1e-2, atol=1e-2)
    torch.testing.assert_close(output(made, images(4))[:2].shape, eager().shape)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA here")
@pytest.mark.parametrize("value", ["on", "off"])
def test_tf32_is_set_and_recorded(value):
    backend = TorchBackend()
    session(backend=backend, device="cuda", tf32=value, cudnn_benchmark=value)
    settings = backend.settings()
    for name in ("cudnn_allow_tf32", "cuda_matmul_allow_tf32", "cudnn_benchmark"):
        assert settings[name] is (value == "on")
