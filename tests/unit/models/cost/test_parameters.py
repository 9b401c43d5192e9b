from __future__ import annotations

import warnings

import pytest

torch = pytest.importorskip("torch")

from inferometer.models.cost import count_parameters  # noqa: E402 - after the skip


class Tied(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = torch.nn.Embedding(10, 4)
        self.head = torch.nn.Linear(4, 10, bias=False)
        self.head.weight = self.embedding.weight


def test_a_plain_module():
    network = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    network[0].bias.requires_grad = False
    count = count_parameters(network)
    assert count.parameters == count.parameters_with_duplicates == 3 * 2 + 2 + 2 + 2
    assert count.trainable_parameters == 10
    assert count.parameter_bytes == 4 * 12
    assert count.buffer_bytes == 2 * 2 * 4 + 8  # means and variances, and one 64-bit counter


def test_a_tied_parameter_counts_once():
    count = count_parameters(Tied())
    assert (count.parameters, count.parameters_with_duplicates) == (40, 80)
    assert count.trainable_parameters == 40
    assert count.parameter_bytes == 160


def test_a_module_used_twice_counts_once():
    layer = torch.nn.Linear(3, 3)
    count = count_parameters(torch.nn.Sequential(layer, torch.nn.ReLU(), layer))
    assert (count.parameters, count.parameters_with_duplicates) == (12, 24)


def test_two_parameters_on_one_memory_count_once():
    network = torch.nn.Module()
    network.a = torch.nn.Parameter(torch.zeros(4, 5))
    network.b = torch.nn.Parameter(network.a.data.t())
    assert count_parameters(network).parameters == 20


def test_weights_side_by_side_in_one_storage_all_count():
    network = torch.nn.Module()
    whole = torch.zeros(12)
    network.a = torch.nn.Parameter(whole[:4])
    network.b = torch.nn.Parameter(whole[4:])
    assert count_parameters(network).parameters == 12


def test_the_meta_device_and_other_types():
    with torch.device("meta"):
        network = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Linear(2, 2)).half()
    count = count_parameters(network)
    assert (count.parameters, count.parameter_bytes) == (14, 28)


def test_nothing_to_count():
    assert count_parameters(torch.nn.ReLU()).parameters == 0


def test_frozen_parameters_are_those_that_take_no_gradient():
    network = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Linear(2, 5))
    network[0].requires_grad_(requires_grad=False)
    count = count_parameters(network)
    assert (count.trainable_parameters, count.frozen_parameters) == (15, 8)
    assert count.parameters == 23


def test_buffers_count_by_element_and_by_byte():
    count = count_parameters(torch.nn.BatchNorm2d(3))
    assert (count.buffers, count.buffer_bytes) == (2 * 3 + 1, 2 * 3 * 4 + 8)


def test_types_are_told_apart():
    network = torch.nn.Sequential(torch.nn.Linear(3, 2).bfloat16(), torch.nn.Linear(2, 5).double())
    count = count_parameters(network)
    assert count.parameters_by_dtype == {"bfloat16": 8, "float64": 15}
    assert count.parameter_bytes_by_dtype == {"bfloat16": 16, "float64": 120}
    assert sum(count.parameter_bytes_by_dtype.values()) == count.parameter_bytes


def test_tied_parameters_are_named():
    assert count_parameters(Tied()).tied == (("embedding.weight", "head.weight"),)
    assert count_parameters(torch.nn.Linear(2, 2)).tied == ()


def test_parameters_of_one_shape_on_the_meta_device_are_not_tied():
    network = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)).to("meta")
    count = count_parameters(network)
    assert (count.tied, count.parameters) == ((), 12)


def test_the_record_has_fields_for_five_of_the_figures():
    from inferometer.core.record import FIELDS

    fields = count_parameters(Tied()).fields_of_record()
    assert len(fields) == 5
    assert set(fields) <= set(FIELDS)


def frozen(network):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.freeze(torch.jit.script(network.eval()))


def test_weights_that_freezing_made_constants_are_parameters_still():
    network = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Linear(2, 5, bias=False))
    count = count_parameters(frozen(network))
    assert (count.parameters, count.parameter_bytes) == (8 + 10, 72)
    assert (count.trainable_parameters, count.frozen_parameters) == (0, 18)
    assert count_parameters(frozen(torch.nn.ReLU())).parameters == 0


@pytest.mark.filterwarnings("ignore:Sparse")
def test_of_a_sparse_weight_the_stored_elements_count_with_their_places():
    matrix = torch.eye(5)
    network = torch.nn.Module()
    network.coo = torch.nn.Parameter(matrix.to_sparse())
    network.register_buffer("csr", matrix.to_sparse_csr())
    network.register_buffer("blocks", torch.ones(4, 4).to_sparse_bsr((2, 2)))
    count = count_parameters(network)
    assert (count.parameters, count.parameter_bytes) == (5, 5 * 4 + 2 * 5 * 8)
    assert count.parameters_by_dtype == {"float32": 5}
    assert count.buffers == 5 + 16
    assert count.buffer_bytes == (5 * 4 + 5 * 8 + 6 * 8) + (16 * 4 + 4 * 8 + 3 * 8)


@pytest.mark.filterwarnings("ignore:Sparse")
def test_two_sparse_parameters_on_one_memory_count_once():
    network = torch.nn.Module()
    network.a = torch.nn.Parameter(torch.eye(5).to_sparse_csr())
    network.b = torch.nn.Parameter(network.a.detach())
    count = count_parameters(network)
    assert (count.parameters, count.tied) == (5, (("a", "b"),))


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
def test_a_ragged_weight():
    rows = [torch.ones(3, 2), torch.ones(1, 2)]
    network = torch.nn.Module()
    network.a = torch.nn.Parameter(torch.nested.nested_tensor(rows))
    count = count_parameters(network)
    assert (count.parameters, count.parameter_bytes) == (8, 32)
