from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from inferometer.models.cost import count_operations  # noqa: E402 - after the skip
from inferometer.models.cost.torch.operations import _counted  # noqa: E402

nn = torch.nn
A = 8 * 4
"""Bytes of one result of the chains below."""


class Does(nn.Module):
    """A network that does what it is told."""

    def __init__(self, what):
        super().__init__()
        self.what = what

    def forward(self, *args):
        return self.what(*args)


def of(what, *args):
    network = what if isinstance(what, nn.Module) else Does(what)
    return count_operations(network.eval(), args, {})


def x(*shape, dtype=torch.float32):
    return torch.zeros(shape or (8,), dtype=dtype)


def residual(x):
    kept = x * 2
    y = kept + 1
    y = y * 3
    return y + kept


def forgotten(x):
    kept = x * 2
    y = kept + 1
    del kept
    y = y * 3
    return y + y


def chain(x):
    for _ in range(5):
        x = x + 1
    return x


def in_place(x):
    x = x + 1
    return x.relu_().mul_(2).add_(1)


def views(x):
    y = (x + 1).view(2, 4)
    return y.t()[1:].unsqueeze(0), y[0]


def held_by_a_view(x):
    last = (x + 1)[:1]
    y = x * 2
    return y.sum() + last


def pieces(x):
    first, second = (x + 1).chunk(2)
    return first + second


CHAINS = [
    (chain, 2 * A, 5 * A),  # a result and its successor
    (residual, 3 * A, 4 * A),  # the kept one, a result and its successor
    (forgotten, 2 * A, 4 * A),
    (in_place, A, 4 * A),
    (views, A, A),
    (held_by_a_view, 2 * A + 4 + 4, 2 * A + 4 + 4),  # all eight numbers stay for the one
    (pieces, A + A // 2, A + A // 2),
    (lambda x: x.view(2, 4), 0, 0),
    (lambda x: x, 0, 0),
    (nn.Sequential(nn.ReLU(), nn.ReLU(), nn.ReLU()), 2 * A, 3 * A),
    (nn.Sequential(nn.Identity(), nn.ReLU(inplace=True)), 0, A),
]


@pytest.mark.parametrize("real", [False, True])
@pytest.mark.parametrize(("what", "peak", "written"), CHAINS)
def test_what_is_alive_at_a_time(what, peak, written, real):
    network = what if isinstance(what, nn.Module) else Does(what)
    cost = _counted(network, (x(),), {}, simulated=not real)
    assert (cost.activation_peak_bytes, cost.activation_bytes) == (peak, written)


@settings(max_examples=15, deadline=None)
@given(widths=st.lists(st.integers(1, 30), min_size=1, max_size=6))
def test_the_peak_of_a_chain_is_its_largest_pair_of_neighbours(widths):
    layers = [nn.Linear(a, b, bias=False) for a, b in zip([7, *widths], widths, strict=False)]
    cost = of(nn.Sequential(*layers), x(3, 7))
    pairs = zip([0, *widths], widths, strict=False)
    assert cost.activation_peak_bytes == 3 * 4 * max(a + b for a, b in pairs)
    assert cost.activation_bytes == 3 * 4 * sum(widths)
    assert cost.weight_bytes == 4 * sum(layer.weight.numel() for layer in layers)


def test_bytes_of_a_layer():
    cost = of(nn.Linear(4, 3), x(2, 4))
    (layer,) = [one for one in cost.operators if one.macs]
    assert layer.bytes_read == 4 * (2 * 4 + 4 * 3 + 3)
    assert layer.bytes_written == 4 * 2 * 3
    assert (cost.input_bytes, cost.output_bytes, cost.weight_bytes) == (32, 24, 60)
    assert cost.compulsory_bytes == 32 + 24 + 60 == cost.operator_bytes
    assert cost.operator_calls == 1


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_the_precision_moves_half_the_bytes(dtype):
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 2))
    whole = of(network, x(1, 3, 4, 4))
    half = of(network.to(dtype), x(1, 3, 4, 4, dtype=dtype))
    assert half.macs == whole.macs
    for field in ("input", "output", "weight", "activation", "activation_peak", "operator"):
        assert 2 * getattr(half, f"{field}_bytes") == getattr(whole, f"{field}_bytes")


def test_weights_count_once_however_often_they_are_read():
    layer = nn.Linear(4, 4, bias=False)
    assert of(nn.Sequential(layer, layer, nn.Linear(4, 2)), x(1, 4)).weight_bytes == 64 + 32 + 8


def test_tied_weights_count_once():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(10, 4)
            self.head = nn.Linear(4, 10, bias=False)
            self.head.weight = self.embedding.weight

        def forward(self, index):
            return self.head(self.embedding(index))

    assert of(Tied(), torch.tensor([1, 2])).weight_bytes == 160


def test_weights_that_nobody_reads_do_not_count():
    network = nn.Sequential(nn.Linear(4, 2))
    network.unused = nn.Parameter(torch.zeros(100))
    network.forward = network[0].forward
    assert of(network, x(1, 4)).weight_bytes == 40


def test_of_a_table_only_the_rows_that_are_asked_for_count():
    cost = of(nn.Embedding(1000, 4), torch.tensor([1, 2, 3]))
    assert cost.weight_bytes == 3 * 4 * 4
    assert cost.operators[0].bytes_read == 3 * 4 * 4 + 3 * 8
    bag = of(nn.EmbeddingBag(1000, 4, mode="sum"), torch.tensor([[1, 2, 3]]))
    assert bag.weight_bytes == 3 * 4 * 4
    assert bag.elementwise_flops == 3 * 4


def test_the_places_that_are_asked_for_are_read_as_a_whole():
    places = torch.zeros(3, 5, dtype=torch.long)
    (taken,) = of(lambda a, i: a.gather(1, i), x(3, 100), places).operators
    assert taken.bytes_read == 3 * 5 * (4 + 8)


@pytest.mark.parametrize("real", [False, True])
def test_rows_of_half_the_precision_are_half_as_long(real):
    network = nn.EmbeddingBag(1000, 4, mode="sum").bfloat16()
    cost = _counted(network, (torch.tensor([[1, 2, 3]]),), {}, simulated=not real)
    assert cost.weight_bytes == 3 * 4 * 2


@pytest.mark.parametrize("real", [False, True])
def test_tensors_that_were_there_before_are_no_results(real):
    constant, weight = x(2, 8), x(3, 8)
    network = Does(lambda a: nn.functional.linear(a + constant[0].add_(1), weight))
    cost = _counted(network, (x(),), {}, simulated=not real)
    assert cost.unknown_operators == []
    assert cost.activation_bytes == A + A + 3 * 4  # the constant that is written, and two results
    assert cost.activation_peak_bytes == A + 3 * 4


@pytest.mark.parametrize("real", [False, True])
def test_constants_that_are_made_are_results_and_views_of_them_are_not(real):
    def forward(a):
        made = torch.ones(2, 3, 4) @ torch.ones(
            4, 4
        )  # flattened, and viewed in its own shape again
        return a + made.unsafe_split(1)[0].sum()

    cost = _counted(Does(forward), (x(),), {}, simulated=not real)
    assert cost.activation_bytes == 4 * (24 + 16 + 24 + 1) + A


def test_a_view_that_repeats_is_read_once():
    cost = of(lambda a, b: a.expand(100, 8) + b, x(1, 8), x(100, 8))
    (added,) = [one for one in cost.operators if one.bytes_written]
    assert added.bytes_read == 32 + 3200


def test_memory_that_is_written_over_is_not_read():
    cost = of(lambda a, b: torch.empty(8).copy_(a).add_(b), x(), x())
    copied, added = (one for one in cost.operators if one.bytes_written)
    assert (copied.bytes_read, copied.bytes_written) == (A, A)
    assert (added.bytes_read, added.bytes_written) == (2 * A, A)
    out = of(lambda a, b: torch.add(a, b, out=torch.empty(8)), x(), x())
    assert [one.bytes_read for one in out.operators if one.bytes_written] == [2 * A]


def test_views_cost_nothing():
    cost = of(lambda a: a.view(2, 4).t().unsqueeze(0).expand(3, 4, 2), x())
    assert (cost.operator_calls, cost.operator_bytes, cost.elementwise_flops) == (0, 0, 0)


def test_one_input_given_twice_counts_once():
    one = x()
    assert of(lambda a, b: a + b, one, one).input_bytes == A
    assert of(lambda a, b: a + b, one, x()).input_bytes == 2 * A


def test_inputs_and_outputs_that_share_memory_count_once():
    repeated = x(1, 8).expand(100, 8)
    assert of(lambda a: a[0] + 1, repeated).input_bytes == A
    assert of(lambda a: (y := a + 1, y[:4], y.expand(9, 8)), x()).output_bytes == A
    assert of(lambda a: (a + 1).chunk(2), x()).output_bytes == A


@dataclasses.dataclass
class Output:
    logits: object
    states: tuple


@pytest.mark.parametrize(
    ("what", "size"),
    [
        (lambda a: {"a": a + 1, "b": [a * 2, (a[:4] - 1,)]}, 2 * A + A // 2),
        (lambda a: Output(logits=a + 1, states=(a * 2,)), 2 * A),
        (lambda a: (a.sum(), "text", None, 3), 4),
    ],
)
def test_nested_outputs(what, size):
    assert of(what, x()).output_bytes == size


def test_nested_inputs():
    cost = of(lambda given: given["a"][0] + given["b"], {"a": [x()], "b": x()})
    assert (cost.input_bytes, cost.operator_calls) == (2 * A, 1)


@pytest.mark.parametrize("real", [False, True])
def test_a_residual_network_needs_as_much_as_was_worked_out_by_hand(real):
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = (nn.Conv2d(4, 4, 3, padding=1) for _ in range(2))

        def forward(self, x):
            return torch.relu_(self.second(torch.relu_(self.first(x))) + x)

    network = nn.Sequential(Block(), Block(), Block())
    cost = _counted(network, (x(1, 4, 5, 5),), {}, simulated=not real)
    # what a block begins with, the first result until the second is there, then the sum
    assert cost.activation_peak_bytes == 3 * 400
    assert cost.activation_bytes == 3 * 5 * 400


@pytest.mark.parametrize("form", ["plain", "both ways", "batch first", "no biases", "given states"])
def test_recurrent_layers_take_the_kernel_that_they_have_in_a_real_call(form):
    given = {
        "both ways": {"bidirectional": True, "num_layers": 2},
        "batch first": {"batch_first": True, "num_layers": 2, "dropout": 0.5},
        "no biases": {"bias": False},
    }
    network = nn.LSTM(3, 5, **given.get(form, {})).eval()
    args = (x(7, 2, 3), *([(x(1, 2, 5), x(1, 2, 5))] if form == "given states" else []))
    simulated, real = (_counted(network, args, {}, simulated=one) for one in (True, False))
    assert [one.calls for one in simulated.operators if one.kind == "recurrent"] == [
        network.num_layers * (1 + network.bidirectional)  # not a call for each of the steps
    ]
    found, expected = (
        [one for one in cost.operators if one.bytes_written] for cost in (simulated, real)
    )
    assert found == expected
    assert simulated.activation_peak_bytes == real.activation_peak_bytes
    outputs = network(*args)
    assert simulated.output_bytes == 4 * (outputs[0].numel() + 2 * outputs[1][0].numel())
