from __future__ import annotations

import warnings

import pytest

from inferometer.core.errors import ModelReferenceError, WorkloadError
from inferometer.models import load
from inferometer.models.cost import count_parameters
from inferometer.models.torchvision_compat import import_torchvision

pytest.importorskip("torch")


def shape(reference: str) -> str:
    return load(reference, seed=0).inputs.make(batch_size=1, input_size=None, seed=0).shape


@pytest.mark.parametrize(
    ("reference", "own"),
    [
        ("torchvision:shufflenet_v2_x0_5", "1x3x224x224"),
        ("torchvision:efficientnet_b1", "1x3x240x240"),
        ("torchvision:raft_small", "1x3x224x224, 1x3x224x224"),
        ("torchvision:mobilenet_v2?input=3x96x96", "1x3x96x96"),
    ],
)
def test_each_model_has_a_size_of_its_own(reference, own):
    assert shape(reference) == own


def test_videos():
    assert shape("torchvision:mc3_18") == "1x3x16x112x112"


def test_models_with_training_heads_load_without_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        inception = load("torchvision:inception_v3", seed=0)
        googlenet = load("torchvision:googlenet", seed=0)
    assert inception.inputs.make(batch_size=1, input_size=None, seed=0).shape == "1x3x299x299"
    assert count_parameters(inception.network).parameters == 27_161_264
    assert inception.notes
    assert count_parameters(googlenet.network).parameters == 6_624_904
    assert googlenet.notes == ()


def test_segmentation_models_download_no_backbone(run_once):
    model = load("torchvision:lraspp_mobilenet_v3_large", seed=0)
    assert tuple(run_once(model, input_size=64)["out"].shape) == (1, 21, 64, 64)


def test_a_transformer_is_built_for_one_size(run_once):
    model = load("torchvision:vit_b_32?image_size=64", seed=0)
    assert tuple(run_once(model, input_size=64).shape) == (1, 1000)
    with pytest.raises(
        WorkloadError, match=r"built for 64; \?image_size= builds another"
    ) as caught:
        model.inputs.make(batch_size=1, input_size=224, seed=0)
    assert caught.value.kind == "unsupported"


def test_detectors_run_or_say_what_they_lack(run_once):
    import_torchvision()
    from inferometer.models.torchvision_compat import operators_missing

    model = load("torchvision:ssdlite320_mobilenet_v3_large?num_classes=3", seed=0)
    assert count_parameters(model.network).parameters > 2_000_000
    if operators_missing():
        with pytest.raises(WorkloadError, match="compiled operators, which do not load") as caught:
            run_once(model, batch_size=2)
        assert caught.value.kind == "unsupported"
    else:
        assert len(run_once(model, batch_size=2)) == 2


def test_unknown_names_get_a_suggestion():
    with pytest.raises(ModelReferenceError, match="did you mean 'resnet18'"):
        load("torchvision:resnet81", seed=0)
