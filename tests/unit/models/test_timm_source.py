from __future__ import annotations

from importlib.util import find_spec

import pytest

from inferometer.core.errors import ModelReferenceError, WorkloadError
from inferometer.models import load
from inferometer.models.cost import count_parameters

pytest.importorskip("torch")
pytestmark = pytest.mark.skipif(find_spec("timm") is None, reason="needs timm")


def test_a_network(run_once):
    model = load("timm:resnet18?num_classes=5&in_chans=1", seed=3)
    assert model.source == "timm"
    assert model.weights == "random, seed 3"
    assert tuple(run_once(model, batch_size=2, input_size=32).shape) == (2, 5)
    assert model.inputs.make(batch_size=1, input_size=None, seed=0).shape == "1x1x224x224"


def test_it_is_the_published_network():
    assert count_parameters(load("timm:resnet18", seed=0).network).parameters == 11_689_512


def test_a_size_that_it_was_not_built_for(run_once):
    model = load("timm:vit_tiny_patch16_224?img_size=64&depth=1", seed=0)
    assert tuple(run_once(model).shape) == (1, 1000)
    with pytest.raises(WorkloadError, match="built for 64") as caught:
        model.inputs.make(batch_size=1, input_size=224, seed=0)
    assert caught.value.kind == "unsupported"


def test_unknown_names_and_weights():
    with pytest.raises(ModelReferenceError, match="did you mean 'resnet18'"):
        load("timm:resnte18", seed=0)
    with pytest.raises(ModelReferenceError, match="has no pretrained weights"):
        load("timm:vit_base_patch32_plus_256?weights=pretrained", seed=0)


def test_options_that_the_builder_does_not_take():
    with pytest.raises(WorkloadError, match="timm:resnet18: TypeError") as caught:
        load("timm:resnet18?nope=1", seed=0)
    assert caught.value.kind == "bad_model"
