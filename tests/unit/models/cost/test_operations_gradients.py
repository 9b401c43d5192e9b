"""Networks that differentiate inside a call, as models of molecules do."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

torch = pytest.importorskip("torch")

from torch.utils.flop_counter import FlopCounterMode  # noqa: E402 - after the skip

from inferometer.models.cost import count_operations  # noqa: E402

nn = torch.nn


class Differentiates(nn.Module):
    """The gradient of the sum of a part's outputs: of its input, or of what it is told."""

    def __init__(self, part, *, of=None):
        super().__init__()
        self.part, self.of = part, of

    def forward(self, x):
        with torch.enable_grad():
            x = x.detach().requires_grad_(x.is_floating_point())
            total = self.part(x).sum()
            return torch.autograd.grad(total, x if self.of is None else self.of(self.part))


class Curvature(nn.Module):
    def __init__(self, part):
        super().__init__()
        self.part = part

    def forward(self, x):
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            (slope,) = torch.autograd.grad(self.part(x).sum(), x, create_graph=True)
            return torch.autograd.grad(slope.square().sum(), x)


def both(network, *inputs):
    network.eval()
    return [count_operations(network, inputs, {}, method=how) for how in ("simulated", "run")]


def energies():
    return nn.Sequential(nn.Linear(3, 32), nn.SiLU(), nn.Linear(32, 1))


def test_the_gradient_of_an_input_takes_the_products_once_more():
    for cost in both(Differentiates(energies()), torch.ones(2, 10, 3)):
        assert cost.macs == 2 * 20 * (3 * 32 + 32)
        assert cost.unknown_operators == []


def test_the_count_is_the_same_where_gradients_are_off_around_it():
    with torch.no_grad():
        costs = both(Differentiates(energies()), torch.ones(2, 10, 3))
    assert {cost.macs for cost in costs} == {5120}


class Nowhere(nullcontext):
    """In the place of what tells modules apart, which cannot where they are differentiated."""

    parents = frozenset({"Global"})


KNOWN_TO_TORCH = {
    "products": (Differentiates(energies()), torch.ones(20, 3)),
    "products, weights": (
        Differentiates(energies(), of=lambda part: list(part.parameters())),
        torch.ones(20, 3),
    ),
    "twice": (Curvature(energies()), torch.ones(20, 3)),
    "convolutions": (
        Differentiates(
            nn.Sequential(
                nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.MaxPool2d(2), nn.Conv2d(4, 6, 2, groups=2)
            )
        ),
        torch.ones(2, 3, 10, 10),
    ),
    "convolution, weights": (
        Differentiates(nn.Conv2d(3, 4, 3), of=lambda part: list(part.parameters())),
        torch.ones(2, 3, 10, 10),
    ),
    "transposed convolution": (
        Differentiates(nn.ConvTranspose2d(3, 4, 3, stride=2)),
        torch.ones(2, 3, 8, 8),
    ),
}


@pytest.mark.parametrize("name", KNOWN_TO_TORCH)
def test_gradients_have_the_operations_of_torchs_own_counter(name):
    network, inputs = KNOWN_TO_TORCH[name]
    network.eval()
    counter = FlopCounterMode(display=False)
    counter.mod_tracker = Nowhere()
    with counter:
        network(inputs)
    for cost in both(network, inputs):
        assert cost.flops == counter.get_total_flops()
        assert cost.unknown_operators == []


def attention(x):
    return nn.functional.scaled_dot_product_attention(x, x, x)


def test_gradients_of_attention_take_five_products_where_it_has_two():
    for cost in both(Differentiates(attention), torch.ones(1, 2, 5, 4)):
        assert cost.macs == (2 + 5) * 2 * 5 * 5 * 4
        assert cost.unknown_operators == []


class States(nn.Module):
    def __init__(self, cells):
        super().__init__()
        self.cells = cells

    def forward(self, x):
        return self.cells(x)[0]


def test_gradients_of_recurrent_layers_are_of_weights_too():
    network = Differentiates(States(nn.LSTM(4, 3)))
    forward = 5 * 12 * (4 + 3)
    for cost in both(network, torch.ones(5, 1, 4)):
        assert cost.macs == 3 * forward
        assert cost.unknown_operators == []


ELEMENTWISE = {
    "normalisation of layers": (nn.LayerNorm(4), [3, 4], 12 * (7 + 10)),
    "softmax": (nn.Softmax(-1), [3, 4], 12 * (5 + 4)),
    "largest": (nn.MaxPool2d(2), [1, 1, 4, 4], 4 * 4 + 4),
    "mean of windows": (nn.AvgPool2d(2), [1, 1, 4, 4], 4 * 4 + 4 * 4),
    "resampling": (nn.Upsample(scale_factor=2, mode="bilinear"), [1, 1, 2, 2], 16 * 8 + 16 * 8),
    "padding": (nn.ReflectionPad2d(1), [1, 1, 3, 3], 25),
    "hardswish": (nn.Hardswish(), [3, 4], 12 + 12),
}


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_element_wise_operations_of_gradients(name):
    part, shape, flops = ELEMENTWISE[name]
    outputs = part(torch.ones(shape)).numel()
    for cost in both(Differentiates(part), torch.ones(shape)):
        assert cost.unknown_operators == []
        # the sum, and its gradient, which is written down once for some operators
        assert cost.elementwise_flops - outputs == flops


def test_gradients_of_an_embedding():
    network = Differentiates(nn.Embedding(10, 4), of=lambda part: part.weight)
    for cost in both(network, torch.tensor([1, 2])):
        assert (cost.macs, cost.unknown_operators) == (0, [])


FUNCTIONS = {
    "jacobian": (lambda f, x: torch.func.jacrev(f)(x), 2 * 16 + 4 * 2 * 16),
    "gradient": (lambda f, x: torch.func.grad(lambda y: f(y).sum())(x), 4 * 16),
    "mapped": (lambda f, x: torch.vmap(f)(x.expand(5, 4)), 5 * 2 * 16),
}


class Function(nn.Module):
    def __init__(self, how):
        super().__init__()
        self.how = how
        self.part = nn.Sequential(
            nn.Linear(4, 4, bias=False), nn.Tanh(), nn.Linear(4, 4, bias=False)
        )

    def forward(self, x):
        return self.how(self.part, x)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_transforms_of_functions(name):
    how, macs = FUNCTIONS[name]
    for cost in both(Function(how), torch.ones(4)):
        assert (cost.macs, cost.unknown_operators) == (macs, [])
