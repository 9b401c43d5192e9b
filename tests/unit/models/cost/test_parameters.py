from __future__ import annotations

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
