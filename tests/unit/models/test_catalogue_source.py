from __future__ import annotations

import pytest

from inferometer.core.errors import ModelReferenceError, WorkloadError
from inferometer.models import load
from inferometer.models.catalogue import CATALOGUE
from inferometer.models.cost import count_parameters

torch = pytest.importorskip("torch")

LAB = {
    "unet": 7_763_041,
    "squeezenet1_0": 1_248_424,
    "mobilenet_v3_small": 2_542_856,
    "resnet18": 11_689_512,
}


@pytest.mark.parametrize(("name", "parameters"), LAB.items())
def test_the_published_parameter_counts(name, parameters):
    assert CATALOGUE[name].parameters == parameters
    model = load(name, seed=0)
    count = count_parameters(model.network)
    assert count.parameters == count.parameters_with_duplicates == parameters
    assert model.source == "catalogue"
    assert model.weights == "random, seed 0"
    assert model.notes == ()
    assert not model.network.training


def test_the_seed_decides_the_weights():
    first, same, other = (load("squeezenet1_0", seed=seed).network for seed in (1, 1, 2))
    weights = [network.features[0].weight for network in (first, same, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_options_change_the_model(run_once):
    model = load("unet?in_channels=1&out_channels=2&init_features=4", seed=0)
    assert tuple(run_once(model, batch_size=2, input_size=32).shape) == (2, 2, 32, 32)
    ten = load("squeezenet1_0?num_classes=10", seed=0)
    assert tuple(run_once(ten, input_size=64).shape) == (1, 10)


def test_the_models_own_size_is_224():
    assert load("unet", seed=0).inputs.make(batch_size=1, input_size=None, seed=0).shape == (
        "1x3x224x224"
    )


def test_sizes_that_unet_cannot_take():
    model = load("unet?init_features=4", seed=0)
    with pytest.raises(WorkloadError, match="multiple of 16") as caught:
        model.inputs.make(batch_size=1, input_size=100, seed=0)
    assert caught.value.kind == "unsupported"


def test_weights_from_a_file(tmp_path):
    trained = load("unet?init_features=4", seed=7).network
    torch.save(trained.state_dict(), tmp_path / "trained.pt")
    model = load(f"unet?init_features=4&weights={tmp_path / 'trained.pt'}", seed=0)
    assert model.weights == "file trained.pt"
    assert model.files == (str(tmp_path / "trained.pt"),)
    assert torch.equal(model.network.conv.weight, trained.conv.weight)


def test_weights_of_another_model_are_refused(tmp_path):
    torch.save(load("unet?init_features=4", seed=0).network.state_dict(), tmp_path / "s.pt")
    with pytest.raises(WorkloadError, match=r"s\.pt does not fit: size mismatch") as caught:
        load(f"unet?init_features=8&weights={tmp_path / 's.pt'}", seed=0)
    assert caught.value.kind == "bad_model"
    with pytest.raises(WorkloadError, match=r"tensors of the model are missing \(.*are not in"):
        load(f"squeezenet1_0?weights={tmp_path / 's.pt'}", seed=0)


def test_a_builder_that_refuses_its_options():
    with pytest.raises(WorkloadError, match=r"resnet18: TypeError: .*nope") as caught:
        load("resnet18?nope=1", seed=0)
    assert caught.value.kind == "bad_model"


def test_unknown_names():
    with pytest.raises(ModelReferenceError, match="did you mean 'unet'"):
        load("umet", seed=0)


@pytest.mark.parametrize(
    ("name", "least"), [("unet", 0.05), ("mobilenet_v3_small", 0.2), ("resnet18", 0.1)]
)
def test_calibrated_weights_let_the_input_through(name, least):
    """A constant answer is further off than any precision, and outputs are no longer tiny."""
    model = load(f"{name}?weights=calibrated", seed=0)
    made = [model.inputs.make(batch_size=1, input_size=96, seed=seed) for seed in range(4)]
    with torch.no_grad():
        found = torch.stack([model.network(torch.from_numpy(one.args[0])) for one in made])
    assert float((found - found.mean(0)).norm() / found.norm()) > least
    assert float(found.abs().mean()) > 1e-3
    assert model.weights == "random, seed 0, batch norm calibrated"
    assert not any(module.training for module in model.network.modules())


def test_calibrated_weights_are_the_same_each_time_and_refused_where_there_is_nothing():
    first, again = (load("mobilenet_v3_small?weights=calibrated", seed=0) for _ in range(2))
    for one, other in zip(
        first.network.state_dict().values(), again.network.state_dict().values(), strict=True
    ):
        assert torch.equal(one, other)
    (note,) = load("squeezenet1_0?weights=calibrated", seed=0).notes
    assert "no batch norm" in note
