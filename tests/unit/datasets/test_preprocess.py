"""Preprocessing equals that of those whose models it is for."""

from __future__ import annotations

import numpy as np
import pytest

from inferometer.core.errors import WorkloadError
from inferometer.core.preprocessing import Preprocessing
from inferometer.core.workload import Shape
from inferometer.datasets import batched, open_data, prepare, prepare_label
from inferometer.models import load
from inferometer.models.torchvision_compat import import_torchvision

SIZES = [(300, 451), (451, 300), (224, 224), (97, 33), (1000, 401), (8, 8)]


def picture(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def of_pillow(pixels):
    from PIL import Image

    return Image.fromarray(pixels)


@pytest.mark.parametrize(
    "name", ["resnet18", "inception_v3", "efficientnet_b1", "regnet_y_400mf", "vit_b_16"]
)
def test_equals_torchvisions(name):
    weights = import_torchvision().models.get_model_weights(name).DEFAULT
    transform = weights.transforms()
    from inferometer.models.sources.torchvision import _preprocessing

    own = _preprocessing(weights)
    for size in SIZES:
        pixels = picture(*size)
        expected = transform(of_pillow(pixels)).numpy()
        found = prepare(pixels, "image", own)
        assert found.dtype == np.float32
        assert found.shape == expected.shape
        assert np.abs(found - expected).max() < 1e-5


@pytest.mark.parametrize("weights", ["DEFAULT", "IMAGENET1K_V1", "IMAGENET1K_V2"])
def test_every_size_of_torchvision_is_met(weights):
    from inferometer.datasets.preprocess import placement
    from inferometer.models.sources.torchvision import _preprocessing

    models = import_torchvision().models
    judged = 0
    for name in models.list_models(module=models):
        published = getattr(models.get_model_weights(name), weights, None)
        own = _preprocessing(published)
        if own is not None:
            transform = published.transforms()
            judged += 1
            place = placement(1000, 1000, own, None)
            assert (place.width, place.size[0]) == (
                transform.resize_size[0],
                transform.crop_size[0],
            )
    assert judged > 5


@pytest.mark.parametrize("name", ["mobilenetv3_small_100", "resnet18", "vit_tiny_patch16_224"])
def test_equals_timms(name):
    import_torchvision()
    timm = pytest.importorskip("timm")
    from timm.data import create_transform, resolve_model_data_config

    model = load(f"timm:{name}", seed=0)
    transform = create_transform(**resolve_model_data_config(model.network), is_training=False)
    assert model.preprocessing.source.startswith(f"timm {name}")
    for size in SIZES:
        pixels = picture(*size)
        expected = transform(of_pillow(pixels)).numpy()
        assert np.abs(prepare(pixels, "image", model.preprocessing) - expected).max() < 1e-5
    assert timm


def test_equals_timms_where_pictures_are_squashed():
    import_torchvision()
    pytest.importorskip("timm")
    from timm.data import create_transform

    settings = {"mean": (0.5, 0.4, 0.3), "std": (0.2, 0.3, 0.1), "interpolation": "bilinear"}
    transform = create_transform((3, 96, 96), crop_pct=1.0, crop_mode="squash", **settings)
    own = Preprocessing(size=96, fit="squash", **settings)
    for size in SIZES:
        pixels = picture(*size)
        expected = transform(of_pillow(pixels)).numpy()
        assert np.abs(prepare(pixels, "image", own) - expected).max() < 1e-5


def test_a_models_source_says_its_preprocessing():
    found = load("mobilenet_v3_small", seed=0).preprocessing
    assert (found.size, found.crop_share, found.interpolation) == (224, 0.875, "bilinear")
    assert found.source == "torchvision MobileNet_V3_Small_Weights.IMAGENET1K_V1"
    assert load("unet", seed=0).preprocessing is None


def test_the_size_of_the_workload_goes_first():
    own = Preprocessing(size=64)
    assert prepare(picture(300, 200), "image", own, 96).shape == (3, 96, 96)
    assert prepare(picture(300, 200), "image", own).shape == (3, 64, 64)
    assert prepare(picture(300, 200), "image", Preprocessing()).shape == (3, 300, 200)
    natural = Preprocessing(size=64, fit="natural")
    assert prepare(picture(300, 200), "image", natural, 96).shape == (3, 300, 200)


def test_grey():
    how = Preprocessing(channels=1, mean=(0.2, 0.4, 0.6), std=(0.5,), fit="natural")
    grey = np.repeat(picture(6, 5)[..., :1], 3, axis=2)
    found = prepare(grey, "image", how)
    assert found.shape == (1, 6, 5)
    assert np.allclose(found[0], (grey[..., 0] / 255 - 0.4) / 0.5, atol=1e-6)


def test_what_is_no_picture_stays():
    array = np.ones((2, 3))
    assert prepare(array, "array", Preprocessing(), 96) is array
    assert prepare("a text", "text", Preprocessing(), 96) == "a text"


def test_a_mask_moves_as_its_picture():
    mask = np.zeros((40, 80), np.uint8)
    mask[10:30, 30:60] = 3
    pixels = np.repeat((mask * 80)[..., None], 3, axis=2)
    how = Preprocessing(size=32, mean=(0.0,), std=(1.0,), interpolation="nearest")
    for fit in ("crop", "squash", "natural"):
        how = Preprocessing(
            size=32, fit=fit, mean=(0.0,), std=(1.0,), interpolation="nearest", crop_share=0.8
        )
        moved = prepare_label(mask, "segmentation", pixels, how)
        seen = prepare(pixels, "image", how)[0]
        assert moved.shape == seen.shape
        assert np.array_equal(moved == 3, seen > 0.5)


def test_boxes_move_as_their_picture():
    label = {"boxes": np.array([[10, 5, 30, 25], [70, 0, 80, 40]]), "labels": np.array([1, 2])}
    how = Preprocessing(size=40, crop_share=1.0)
    moved = prepare_label(label, "detection", picture(40, 80), how)
    assert moved["boxes"].tolist() == [[0, 5, 10, 25]]
    assert moved["labels"].tolist() == [1]
    squashed = Preprocessing(size=20, fit="squash")
    moved = prepare_label(label, "detection", picture(40, 80), squashed)
    assert moved["boxes"].tolist() == [[2.5, 2.5, 7.5, 12.5], [17.5, 0, 20, 20]]


def test_batches():
    assert batched([np.ones((2, 3)), np.zeros((2, 3))]).shape == (2, 2, 3)
    named = batched([{"ids": np.ones(4), "mask": np.ones(4)}] * 3)
    assert {name: array.shape for name, array in named.items()} == {"ids": (3, 4), "mask": (3, 4)}
    assert batched(["a", "b"]) == ["a", "b"]


def test_natural_sizes_need_batches_of_one():
    opened = open_data("pictures?preprocess=natural")
    samples = [opened.dataset[number] for number in range(4)]
    preparation = opened.preparation(None, Shape(batch_size=2, input_size=64))
    assert preparation([samples[0].input]).shape[0] == 1
    with pytest.raises(WorkloadError, match=r"different sizes .*natural sizes need batch 1"):
        preparation([sample.input for sample in samples])
    squashed = open_data("pictures?preprocess=squash").preparation(None, preparation_shape())
    assert squashed([sample.input for sample in samples]).shape == (4, 3, 64, 64)


def preparation_shape():
    return Shape(batch_size=4, input_size=64)
