"""Networks that look at their tensors, or lead them past torch's dispatcher."""

from __future__ import annotations

from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

torch = pytest.importorskip("torch")

from torch.nn.utils import parametrizations  # noqa: E402 - after the skip
from torch.utils.checkpoint import checkpoint  # noqa: E402

from inferometer.core.errors import WorkloadError  # noqa: E402
from inferometer.models.cost import count_operations, count_parameters  # noqa: E402

nn = torch.nn
ROWS, WIDTH = 6, 4
MACS = ROWS * WIDTH * WIDTH


class Does(nn.Module):
    """A layer without bias, and a function that is given it and the inputs."""

    def __init__(self, what):
        super().__init__()
        self.layer, self.what = nn.Linear(WIDTH, WIDTH, bias=False), what

    def forward(self, *inputs):
        return self.what(self.layer, *inputs)


def inputs():
    return torch.ones(ROWS, WIDTH)


def both(network, *given):
    network.eval()
    return [count_operations(network, given, {}, method=how) for how in ("simulated", "run")]


def same(network, *given):
    """The count, which is the same without values and of a real call."""
    simulated, real = both(network, *given)
    assert simulated.operators == real.operators
    assert simulated.unknown_operators == []
    return simulated


LOOKING = {
    "device": lambda f, x: f(x) if x.device.type == "cpu" else x,
    "device of a weight": lambda f, x: f(x) if f.weight.device == torch.device("cpu") else x,
    "is_cpu": lambda f, x: f(x) if x.is_cpu else x,
    "is_cuda": lambda f, x: x if x.is_cuda else f(x),
    "is_meta": lambda f, x: x if x.is_meta else f(x),
    "get_device": lambda f, x: f(x) if x.get_device() < 0 else x,
    "moved": lambda f, x: f(x.to("cpu").to(x.device).to(f.weight).cpu()),
    "moved by name": lambda f, x: f(x.to(device=f.weight.device, dtype=x.dtype)),
    "made there": lambda f, x: f(x + torch.zeros(WIDTH, device=x.device)),
}


@pytest.mark.parametrize("name", LOOKING)
def test_tensors_say_that_they_are_where_they_are(name):
    assert same(Does(LOOKING[name]), inputs()).macs == MACS


def test_a_move_to_another_type_is_one():
    cost = same(Does(lambda f, x: f(x).to("cpu", torch.float64)), inputs())
    assert [one.operator for one in cost.operators][-1] == "aten._to_copy"
    assert cost.output_bytes == ROWS * WIDTH * 8


def test_autocast_of_the_device_of_a_tensor():
    def cast(f, x):
        with torch.autocast(x.device.type, enabled=False):
            return f(x)

    assert same(Does(cast), inputs()).macs == MACS


@dataclass
class Data:
    x: torch.Tensor
    label: str = "given"


class Object:
    def __init__(self, x):
        self.parts = {"x": [x]}


Pair = namedtuple("Pair", "first second")  # noqa: PYI024 - as users write it

CONTAINERS = {
    "data class": (lambda f, one: Data(f(one.x)), Data),
    "object": (lambda f, one: Object(f(one.parts["x"][0])), Object),
    "named tuple": (lambda f, one: Pair(f(one.first), None), lambda x: Pair(x, "text")),
    "mapping": (lambda f, one: {"y": (f(one["x"]),)}, lambda x: {"x": x, "none": None}),
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_tensors_are_found_in_what_holds_them(name):
    what, holding = CONTAINERS[name]
    for cost in both(Does(what), holding(inputs())):
        assert cost.macs == MACS
        assert cost.input_bytes == cost.output_bytes == ROWS * WIDTH * 4


def test_modules_that_other_threads_call_are_named():
    with ThreadPoolExecutor(1) as pool:
        network = Does(lambda f, x: x + pool.submit(f, x).result())
        for cost in both(network, inputs()):
            assert cost.unknown_operators == ["modules called by other threads (1)"]


def test_what_is_done_with_numpy_is_named():
    def elsewhere(f, x):
        return torch.from_numpy(f(x).numpy() @ f.weight.detach().numpy())

    network = Does(elsewhere)
    with pytest.raises(WorkloadError, match="without running it"):
        count_operations(network, (inputs(),), {})
    with torch.no_grad():
        cost = count_operations(network, (inputs(),), {}, method="run")
    assert cost.macs == MACS
    assert cost.unknown_operators == ["torch.Tensor.numpy (2)"]


def test_arrays_of_integers_are_no_work():
    def lengths(f, x, ends):
        return f(x[: int(ends.numpy().max())])

    assert same(Does(lengths), inputs(), torch.tensor([2, ROWS])).macs == MACS


class Plain(torch.Tensor):
    """A tensor with a name of its own, as users write them."""


class Rotary(nn.Module):
    """Makes a table in its first call."""

    def __init__(self):
        super().__init__()
        self.layer, self.table = nn.Linear(WIDTH, WIDTH, bias=False), None

    def forward(self, x):
        if self.table is None:
            self.register_buffer("made", torch.ones(WIDTH))
            self.table = torch.arange(len(x)).float()[:, None].cos().repeat(1, WIDTH)
        return self.layer(x) * self.table * self.made


def hooked():
    network = nn.Sequential(nn.Linear(WIDTH, WIDTH, bias=False), nn.Identity())
    network[0].register_forward_hook(lambda _, __, result: result @ torch.ones(WIDTH, WIDTH))
    return network


def functional(f, x):
    doubled = {name: 2 * value for name, value in f.named_parameters()}
    return torch.func.functional_call(f, doubled, (x,))


AWKWARD = {
    "a table of its own": (Rotary, 1),
    "a hook that gives another output": (hooked, 2),
    "normalised weights": (
        lambda: parametrizations.weight_norm(nn.Linear(WIDTH, WIDTH, bias=False)),
        1,
    ),
    "other parameters": (lambda: Does(functional), 1),
    "in place": (lambda: Does(lambda f, x: f(x.clone().mul_(2).add_(1))), 1),
    "checkpoints": (lambda: Does(lambda f, x: checkpoint(f, x, use_reentrant=False)), 1),
    "random": (lambda: Does(lambda f, x: f(x + torch.randn_like(x))), 1),
    "two products": (lambda: Does(lambda f, x: torch.einsum("ij,jk,lk->il", x, f.weight, x)), 2.5),
    "a user's tensor": (lambda: Does(lambda f, x: f(x.as_subclass(Plain))), 1),
}


@pytest.mark.parametrize("name", AWKWARD)
def test_the_products_of_awkward_networks(name):
    make, products = AWKWARD[name]
    costs = [
        count_operations(make().eval(), (inputs(),), {}, method=how) for how in ("simulated", "run")
    ]
    assert [cost.macs for cost in costs] == [int(products * MACS)] * 2
    assert costs[0].unknown_operators == costs[1].unknown_operators == []


def test_inputs_and_buffers_that_were_made_for_inference():
    with torch.inference_mode():
        made, table = inputs(), torch.ones(WIDTH, 5)
    network = Does(lambda f, x: f(x) @ f.table)
    network.layer.register_buffer("table", table)
    assert same(network, made).macs == MACS + ROWS * WIDTH * 5


def test_lazy_modules_that_were_never_called_are_refused():
    network = nn.Sequential(nn.LazyLinear(3))
    for count in (lambda: count_parameters(network), lambda: both(network, inputs())):
        with pytest.raises(WorkloadError, match="lazy modules") as caught:
            count()
        assert caught.value.kind == "bad_model"
    network(inputs())
    assert same(network, inputs()).macs == ROWS * WIDTH * 3
