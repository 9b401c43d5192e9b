"""Sparse, ragged, packed and opaque tensors: what they store is counted, or named unknown."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from inferometer.core.errors import WorkloadError  # noqa: E402 - after the skip
from inferometer.models.cost import count_operations, count_parameters  # noqa: E402

nn = torch.nn
pytestmark = [
    pytest.mark.filterwarnings("ignore:Sparse"),
    pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors"),
]

SIDE, WIDTH = 6, 4
MATRIX = torch.block_diag(torch.ones(2, 2), torch.tensor([[1.0, 0.0], [2.0, 3.0]]), torch.eye(2))
STORED = int(MATRIX.count_nonzero())
BLOCKS = 3 * 2 * 2
LAYOUTS = {
    "coo": (MATRIX.to_sparse, STORED),
    "csr": (MATRIX.to_sparse_csr, STORED),
    "csc": (MATRIX.to_sparse_csc, STORED),
    "bsr": (lambda: MATRIX.to_sparse_bsr((2, 2)), BLOCKS),
}
INPUT = torch.ones(SIDE, WIDTH)


class Graph(nn.Module):
    """Multiplies by a matrix of its own, in a way that it is told."""

    def __init__(self, matrix, what, *, trained=False):
        super().__init__()
        self.what = what
        if trained:
            self.matrix = nn.Parameter(matrix)
        else:
            self.register_buffer("matrix", matrix)

    def forward(self, *inputs):
        return self.what(self.matrix, *inputs)


def both(network, *inputs):
    """The count without values, and that of a real call."""
    return [count_operations(network, inputs, {}, method=how) for how in ("simulated", "run")]


PRODUCTS = {
    "matmul": (lambda a, x: a @ x, WIDTH),
    "mm": (torch.mm, WIDTH),
    "sparse.mm": (torch.sparse.mm, WIDTH),
    "addmm": (lambda a, x: torch.addmm(x, a, x), WIDTH),
    "sparse.addmm": (lambda a, x: torch.sparse.addmm(x, a, x), WIDTH),
    "mv": (lambda a, x: torch.mv(a, x[:, 0]), 1),
    "linear": (lambda a, x: nn.functional.linear(x.t(), a), WIDTH),
    "scaled first": (lambda a, x: (a * 2) @ x, WIDTH),
    "transposed": (lambda a, x: a.t() @ x, WIDTH),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize("trained", [False, True])
def test_a_product_takes_the_stored_elements(layout, product, trained):
    make, stored = LAYOUTS[layout]
    what, times = PRODUCTS[product]
    if (layout, product) == ("bsr", "transposed"):
        pytest.skip("torch has no such product on a processor")
    for cost in both(Graph(make(), what, trained=trained), INPUT):
        assert (cost.macs, cost.unknown_operators) == (stored * times, [])


@pytest.mark.parametrize("layout", ["coo", "csr", "csc"])
def test_a_sparse_matrix_on_the_right_or_among_the_inputs(layout):
    make, stored = LAYOUTS[layout]
    for cost in both(Graph(make(), lambda a, x: x.t() @ a), INPUT):
        assert cost.macs == stored * WIDTH
    given = Graph(torch.zeros(1), lambda _, x, a: a @ x)
    for cost in both(given, INPUT, make()):
        assert cost.macs == stored * WIDTH


def test_a_batch_of_sparse_matrices():
    batch = torch.stack([MATRIX, MATRIX]).to_sparse()
    for cost in both(Graph(batch, torch.bmm), INPUT.expand(2, SIDE, WIDTH)):
        assert cost.macs == 2 * STORED * WIDTH


def test_bytes_are_those_of_values_and_places():
    matrix = MATRIX.to_sparse_csr()
    held = STORED * 4 + STORED * 8 + (SIDE + 1) * 8
    network = Graph(matrix, lambda a, x: a @ x)
    assert count_parameters(network).buffer_bytes == held
    assert count_parameters(network).buffers == STORED
    for cost in both(network, INPUT):
        assert cost.weight_bytes == held
        assert cost.operator_bytes == held + 2 * INPUT.numel() * 4
        assert cost.compulsory_bytes == held + 2 * INPUT.numel() * 4


def test_the_values_of_a_sparse_matrix_are_a_view_of_it():
    network = Graph(MATRIX.to_sparse_csr(), lambda a, x: a.values()[:WIDTH] * x)
    for cost in both(network, INPUT):
        assert cost.weight_bytes == WIDTH * 4
        assert cost.elementwise_flops == INPUT.numel()


def test_a_matrix_that_is_made_of_computed_values():
    places = torch.tensor([[0, 1, 2], [1, 2, 3]])

    def messages(_, x, edges):
        return torch.sparse_coo_tensor(edges, x[:3, 0], (SIDE, SIDE)) @ x

    for cost in both(Graph(torch.zeros(1), messages), INPUT, places):
        assert (cost.macs, cost.unknown_operators) == (3 * WIDTH, [])


def test_messages_by_places_take_additions():
    places = torch.tensor([[0, 1, 2], [1, 2, 3]])

    def messages(_, x, edges):
        return torch.zeros_like(x).index_add(0, edges[1], x[edges[0]])

    for cost in both(Graph(torch.zeros(1), messages), INPUT, places):
        assert (cost.macs, cost.elementwise_flops) == (0, 3 * WIDTH)


@pytest.mark.parametrize("layout", ["coo", "csr", "csc"])
def test_a_product_of_two_sparse_matrices_is_unknown(layout):
    for cost in both(Graph(LAYOUTS[layout][0](), lambda a, x: (a @ a) @ x), INPUT):
        assert cost.unknown_operators == ["aten.mm (1)"]


def sampled(a, x):
    return torch.sparse.sampled_addmm(a, x, x.t().contiguous())


def made_sparse(_, x):
    return (x @ x.t()).to_sparse() @ x


DEPENDING = {
    "sampled": (sampled, STORED * WIDTH),
    "the largest message": (lambda a, x: torch.sparse.mm(a, x, "amax"), 0),
    "the mean message": (lambda a, x: torch.sparse.mm(a, x, "mean"), STORED * WIDTH),
    "made of a plain matrix": (made_sparse, 2 * SIDE * SIDE * WIDTH),
}


@pytest.mark.parametrize("name", DEPENDING)
def test_what_depends_on_values_is_counted_by_a_real_call(name):
    what, macs = DEPENDING[name]
    network = Graph(MATRIX.to_sparse_csr(), what)
    with pytest.raises(WorkloadError, match="cannot be counted without running it"):
        count_operations(network, (INPUT,), {})
    cost = count_operations(network, (INPUT,), {}, method="run")
    assert (cost.macs, cost.unknown_operators) == (macs, [])


def test_a_network_does_not_write_into_its_own_sparse_matrix():
    matrix = MATRIX.to_sparse()
    with pytest.raises(WorkloadError, match="writes into its own sparse tensors"):
        count_operations(Graph(matrix, lambda a, x: a.mul_(2) @ x), (INPUT,), {})
    assert torch.equal(matrix.to_dense(), MATRIX)


def test_values_that_a_sparse_product_writes_over_are_not_known_any_more():
    def forward(a, x):
        sums = torch.zeros(SIDE, WIDTH)
        sums.addmm_(a, x)
        return x * sums.sum().item()

    with pytest.raises(WorkloadError, match="depends on values"):
        count_operations(Graph(MATRIX.to_sparse_csr(), forward), (INPUT,), {})


def test_zeros_in_a_plain_matrix_count():
    for cost in both(Graph(MATRIX.clone(), lambda a, x: a @ x), INPUT):
        assert cost.macs == SIDE * SIDE * WIDTH


def ragged(layout):
    return torch.nested.nested_tensor([torch.ones(3, WIDTH), torch.ones(5, WIDTH)], layout=layout)


@pytest.mark.parametrize("layout", [torch.jagged, torch.strided])
def test_ragged_tensors_take_the_steps_that_they_have(layout):
    network, inputs = nn.Linear(WIDTH, 7), ragged(layout)
    with pytest.raises(WorkloadError, match="cannot be counted without running it"):
        count_operations(network, (inputs,), {})
    cost = count_operations(network, (inputs,), {}, method="run")
    assert (cost.macs, cost.unknown_operators) == ((3 + 5) * WIDTH * 7, [])


def test_attention_over_ragged_tensors_is_counted_or_named():
    def attention(_, x):
        heads = x.unflatten(-1, [2, 2]).transpose(1, 2)
        return nn.functional.scaled_dot_product_attention(heads, heads, heads)

    network = Graph(torch.zeros(1), attention)
    cost = count_operations(network, (ragged(torch.jagged),), {}, method="run")
    assert cost.macs == 2 * (3 * 3 + 5 * 5) * WIDTH or cost.unknown_operators


def test_opaque_tensors():
    weight = torch.ones(7, WIDTH).to_mkldnn()

    def opaque(weight, x):
        return nn.functional.linear(x.to_mkldnn(), weight).to_dense()

    network = Graph(weight, opaque)
    assert count_parameters(network).buffer_bytes == 7 * WIDTH * 4
    with pytest.raises(WorkloadError, match="without running it"):
        count_operations(network, (INPUT,), {})
    cost = count_operations(network, (INPUT,), {}, method="run")
    assert (cost.macs, cost.unknown_operators) == (SIDE * WIDTH * 7, [])


@pytest.mark.filterwarnings("ignore:torch.ao", "ignore:torch.quantize_per_tensor")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_dynamic_quantisation_takes_the_products_of_its_layer():
    try:
        network = torch.ao.quantization.quantize_dynamic(nn.Sequential(nn.Linear(WIDTH, 7)).eval())
    except RuntimeError:
        pytest.skip("this torch has no quantised kernels")
    cost = count_operations(network, (INPUT,), {}, method="run")
    assert (cost.macs, cost.unknown_operators) == (SIDE * WIDTH * 7, [])


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor")
def test_quantising_is_element_wise():
    def there_and_back(_, x):
        return torch.quantize_per_tensor(x, 0.1, 0, torch.qint8).dequantize()

    network = Graph(torch.zeros(1), there_and_back)
    cost = count_operations(network, (INPUT,), {}, method="run")
    assert (cost.elementwise_flops, cost.unknown_operators) == (2 * INPUT.numel(), [])
