"""What is particular to torch: precisions, gradients, and what its errors mean."""

from __future__ import annotations

import pytest

from inferometer.backends.torch.session import TorchBackend
from inferometer.core.format import Format
from inferometer.core.model import Inputs, LoadedModel
from inferometer.core.workload import Variant

torch = pytest.importorskip("torch")


class Spec:
    pass


def load(module, precision="fp32", device="cpu"):
    model = LoadedModel(
        network=module, format=Format.TORCH_MODULE, inputs=Spec(), source="test", weights="none"
    )
    variant = Variant(model="test", backend="torch", precision=precision)
    return TorchBackend().load(model, variant, device=device)


@pytest.mark.parametrize(
    ("precision", "dtype"),
    [("fp32", torch.float32), ("bf16", torch.bfloat16), ("fp16", torch.float16)],
)
def test_a_precision_converts_weights_and_floating_inputs_only(precision, dtype):
    class Look(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(2))

        def forward(self, x, ids, extra):
            return x * self.weight, ids, extra["deep"][0]

    session = load(Look(), precision)
    call = session.bind(
        Inputs(
            args=(torch.ones(1, 2), torch.ones(1, 2, dtype=torch.long)),
            kwargs={"extra": {"deep": [torch.ones(1)]}},
            shape="",
        )
    )
    with session.running():
        x, ids, deep = call()
    assert (x.dtype, ids.dtype, deep.dtype) == (dtype, torch.int64, dtype)
    assert sum(p.element_size() for p in session.network.parameters()) == dtype.itemsize


def test_no_gradients_are_kept():
    session = load(torch.nn.Linear(2, 2))
    call = session.bind(Inputs(args=(torch.ones(1, 2),), shape="1x2"))
    with session.running():
        assert call().requires_grad is False


def error_of(module, *args):
    with pytest.raises((RuntimeError, ValueError, IndexError, NotImplementedError)) as caught:
        module(*args)
    return TorchBackend().classify(caught.value)


def test_errors_about_shapes_are_unsupported():
    assert error_of(torch.nn.Linear(4, 2), torch.ones(1, 3)) == "unsupported"
    assert error_of(torch.nn.Conv2d(3, 4, 3), torch.ones(1, 1, 8, 8)) == "unsupported"
    assert error_of(torch.nn.Conv2d(3, 4, 9), torch.ones(1, 3, 4, 4)) == "unsupported"
    assert error_of(torch.nn.MaxPool2d(9), torch.ones(1, 3, 4, 4)) == "unsupported"
    assert error_of(torch.cat, [torch.ones(1, 2, 3), torch.ones(1, 2, 4)], 1) == "unsupported"


def test_an_allocation_that_cannot_be_is_out_of_memory():
    assert error_of(torch.empty, 1 << 50) == "out_of_memory"


def test_a_live_module_is_taken_as_it_is():
    module = torch.nn.Linear(2, 2).to(torch.bfloat16)
    session, precision = TorchBackend().adopt(module)
    assert (precision, session.device) == ("bf16", "cpu")
    assert session.network is module


@pytest.mark.gpu
@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_a_call_returns_only_when_the_device_has_finished(device):
    """A large matrix product takes as long with a second wait behind it as without."""
    import time

    if not getattr(torch, device).is_available():
        pytest.skip(f"no {device} here")
    session = load(torch.nn.Linear(8192, 8192, bias=False), device=device)
    call = session.bind(Inputs(args=(torch.ones(8192, 8192),), shape=""))
    with session.running():
        for _ in range(3):
            call()
        begin = time.perf_counter()
        call()
        first = time.perf_counter() - begin
        begin = time.perf_counter()
        getattr(torch, device).synchronize()
        left_over = time.perf_counter() - begin
    assert left_over < 0.2 * first


def test_a_session_on_the_cpu_has_no_gpu():
    assert load(torch.nn.Linear(2, 2)).gpu_uuid() is None


def test_a_gpu_is_named_as_its_driver_names_it(monkeypatch):
    properties = type("Properties", (), {"uuid": "b6f9-1"})()
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: properties)
    session = load(torch.nn.Linear(2, 2))
    session.device = "cuda:0"
    assert session.gpu_uuid() == "b6f9-1"
