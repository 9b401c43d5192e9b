"""Where torch's profiler says that time goes, on modules whose structure is known."""

from __future__ import annotations

import threading
from collections import Counter

import pytest

from inferometer.backends.torch.profile import ELSEWHERE, SCRIPTED, TorchProfiler
from inferometer.backends.torch.session import TorchSession
from inferometer.core.errors import InputError, WorkloadError
from inferometer.core.model import Inputs

torch = pytest.importorskip("torch")
hooks = torch.nn.modules.module


class Tail(torch.nn.Module):
    def __init__(self, shared):
        super().__init__()
        self.again = shared

    def forward(self, x):
        return self.again(self.again(x))


class Net(torch.nn.Module):
    """A large product beside small ones, a module at two places, and a function of no module."""

    def __init__(self):
        super().__init__()
        self.big = torch.nn.Linear(512, 512)
        self.small = torch.nn.Linear(512, 4)
        self.square = torch.nn.Linear(4, 4)
        self.tail = Tail(self.square)

    def forward(self, x):
        return self.tail(self.square(torch.tanh(self.small(self.big(x)))))


def profiled(network, *args, calls=3, warmup=1):
    profiler = TorchProfiler(network, lambda: network(*args), device="cpu")
    with torch.inference_mode():
        latencies = profiler.run(calls, warmup=warmup)
    return profiler, latencies


def modules_of(node):
    return [below for below in node.walk() if below.kind == "module"]


@pytest.fixture(scope="module")
def net():
    torch.set_num_threads(1)
    return Net().eval()


@pytest.fixture(scope="module")
def tree(net):
    return profiled(net, torch.randn(256, 512))[0].tree()


def test_the_large_product_comes_first(tree):
    assert tree.operators[0].name == "aten::addmm"
    times = {node.name: node.total_s for node in modules_of(tree.root)}
    assert times["big"] == max(times[name] for name in ("big", "small", "square", "tail"))
    assert tree.clock == "host"
    assert tree.notes == ()


def test_modules_and_operators_are_counted_where_they_were_called(tree):
    places = [(node.name, node.type, node.calls) for node in modules_of(tree.root)]
    assert places == [
        ("", "Net", 1),
        ("big", "Linear", 1),
        ("small", "Linear", 1),
        ("square", "Linear", 1),
        ("tail", "Tail", 1),
        ("square", "Linear", 2),  # by the first of its names
    ]
    calls = {one.name: one.calls for one in tree.operators}
    assert calls["aten::addmm"] == 5
    assert [node.name for node in tree.root.operators] == ["aten::tanh"]


def test_own_times_add_up_to_the_whole(tree):
    whole = tree.root.total_s
    assert sum(node.self_s for node in tree.root.walk()) == pytest.approx(whole)
    assert sum(one.self_s for one in tree.operators) + tree.outside_s == pytest.approx(whole)
    for node in tree.root.walk():
        assert node.total_s == pytest.approx(
            node.self_s + sum(child.total_s for child in node.children)
        )
        assert node.low_s <= node.high_s


def test_own_times_are_those_of_torchs_own_table(net):
    profiler, (latency,) = profiled(net, torch.randn(8, 512), calls=1, warmup=0)
    tree = profiler.tree()
    table = {row.key: row for row in profiler._last.key_averages() if row.key.startswith("aten::")}
    assert {one.name for one in tree.operators} == set(table)
    for one in tree.operators:
        assert one.calls == table[one.name].count
        assert one.self_s * 1e6 == pytest.approx(table[one.name].self_cpu_time_total, abs=0.01)
    assert tree.root.total_s == pytest.approx(latency)


def test_the_network_is_left_as_it_was(net):
    x = torch.randn(2, 512)
    with torch.inference_mode():
        before = net(x)
        profiled(net, x)
        assert torch.equal(net(x), before)
    assert not hooks._global_forward_hooks
    assert not hooks._global_forward_pre_hooks
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in net.modules())


def test_an_error_of_the_network_leaves_nothing_behind():
    class Fails(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = torch.nn.Linear(4, 4)

        def forward(self, x):
            return self.inner(x[:, :3])

    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        profiled(Fails(), torch.randn(1, 4))
    assert not hooks._global_forward_hooks
    assert not torch.autograd.profiler._is_profiler_enabled


def test_a_module_of_another_network_is_none_of_this_one(net):
    other = torch.nn.Tanh()

    def call():
        other(net(torch.ones(1, 512)))

    profiler = TorchProfiler(net, call, device="cpu")
    with torch.inference_mode():
        profiler.run(1, warmup=0)
    assert "Tanh" not in {node.type for node in modules_of(profiler.tree().root)}


def test_the_fast_path_of_a_transformer_stays_on():
    layer = torch.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True).eval()
    names = {one.name for one in profiled(layer, torch.randn(1, 4, 8))[0].tree().operators}
    assert "aten::_transformer_encoder_layer_fwd" in names


@pytest.mark.filterwarnings("ignore:`torch.jit")
def test_a_scripted_module_is_told_by_operator():
    inner = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.ReLU()).eval()
    scripted = torch.jit.script(inner)
    tree = profiled(scripted, torch.randn(1, 4))[0].tree()
    assert tree.notes == (SCRIPTED,)
    assert [node.name for node in modules_of(tree.root)] == [""]
    assert "aten::addmm" in {one.name for one in tree.operators}


def test_operators_on_another_thread_are_told_of():
    class Elsewhere(torch.nn.Module):
        def forward(self, x):
            thread = threading.Thread(target=lambda: torch.cos(torch.sin(x)))
            thread.start()
            thread.join()
            return torch.tanh(x)

    tree = profiled(Elsewhere(), torch.ones(3))[0].tree()
    names = Counter({one.name: one.calls for one in tree.operators})
    assert names["aten::tanh"] == 1
    if ELSEWHERE in tree.notes:  # whether they are seen at all is up to torch
        assert "aten::sin" not in names


def test_no_profile_on_a_device_that_the_profiler_does_not_see(net):
    with pytest.raises(WorkloadError, match="no kernels on mps"):
        TorchProfiler(net, lambda: None, device="mps")


def test_a_session_offers_it_and_the_trace_is_written(net, tmp_path):
    session = TorchSession(net, device="cpu", dtype=torch.float32)
    profiler = session.profiler(Inputs(args=(torch.randn(1, 512),), shape="1x512"))
    assert profiler.events == 0
    with session.running():
        assert len(profiler.run(2, warmup=0)) == 2
    assert profiler.events > 5
    profiler.save_trace(str(tmp_path / "trace.json"))
    assert "aten::addmm" in (tmp_path / "trace.json").read_text()
    profiler.forget()
    with pytest.raises(IndexError):
        profiler.tree()


def test_a_trace_that_cannot_be_written(net, tmp_path):
    profiler, _ = profiled(net, torch.randn(1, 512), calls=1, warmup=0)
    with pytest.raises(InputError, match="cannot be written"):
        profiler.save_trace(str(tmp_path / "nowhere" / "trace.json"))


def test_a_torch_without_a_profiler(net, monkeypatch):
    monkeypatch.setattr(torch.profiler, "kineto_available", lambda: False)
    with pytest.raises(WorkloadError, match="without its profiler"):
        TorchProfiler(net, lambda: None, device="cpu")


def test_an_older_trace_is_not_taken_for_the_new_one(net, tmp_path, monkeypatch):
    trace = tmp_path / "trace.json"
    trace.write_text("older")
    profiler, _ = profiled(net, torch.randn(1, 512), calls=1, warmup=0)
    monkeypatch.setattr(profiler._last, "export_chrome_trace", lambda path: None)
    with pytest.raises(InputError, match="cannot be written"):
        profiler.save_trace(str(trace))
    assert trace.read_text() == "older"
