"""The same content has one digest, whatever form it came in."""

from __future__ import annotations

import io

import numpy as np
import pytest

from inferometer.datasets.digests import content_digest, dataset_digest, label_digest
from inferometer.datasets.pictures import pixels_of

RANDOM = np.random.default_rng(0)
PICTURE = RANDOM.integers(0, 256, (7, 5, 3), dtype=np.uint8)
GREY = RANDOM.integers(0, 256, (7, 5), dtype=np.uint8)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_a_file_is_its_pixels(kind):
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(PICTURE).save(file, kind)
    assert content_digest(pixels_of(file.getvalue())) == content_digest(PICTURE)


@pytest.mark.parametrize(
    "other",
    [
        PICTURE.astype(np.int64),
        PICTURE.astype(np.float32),
        PICTURE / 255,
        PICTURE.astype(np.float32) / np.float32(255),
        PICTURE.transpose(2, 0, 1),
        PICTURE[None],
        np.asfortranarray(PICTURE),
    ],
)
def test_a_picture_in_other_forms_is_the_same(other):
    assert content_digest(other) == content_digest(PICTURE)


@pytest.mark.parametrize("other", [np.stack([GREY] * 3, axis=2), GREY[None, None], GREY / 255])
def test_a_grey_picture_in_other_forms_is_the_same(other):
    assert content_digest(other) == content_digest(GREY)


@pytest.mark.parametrize(
    "other", [PICTURE[::-1], PICTURE[:, :4], GREY, (PICTURE ^ np.uint8(1)), PICTURE + 0.25]
)
def test_other_contents_differ(other):
    assert content_digest(other) != content_digest(PICTURE)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (np.array([2.0001, 3]), np.array([2.0002, 3])),
        (np.array([1e-6, 0]), np.array([2e-6, 0])),
        (np.array([300, 1]), np.array([44, 1])),
        (np.array([-1, 1]), np.array([255, 1])),
        (np.array([2**40]), np.array([2**40 + 1])),
        ("a", "b"),
        (("ab", "c"), ("a", "bc")),
        ({"x": np.ones(2)}, {"y": np.ones(2)}),
    ],
)
def test_near_contents_differ(one, other):
    assert content_digest(one) != content_digest(other)


def test_precision_makes_no_difference():
    values = RANDOM.normal(size=50).astype(np.float32)
    assert content_digest(values) == content_digest(values.astype(np.float64))
    assert content_digest(np.array([-0.0, 0.5])) == content_digest(np.array([0.0, 0.5]))


def test_of_labels():
    labels = [None, 0, 1, 0.5, "0", True, np.zeros((2, 2), int), np.zeros(4, int), {"boxes": 1}]
    assert len({label_digest(label) for label in labels}) == len(labels)
    assert label_digest(np.int64(3)) == label_digest(3)
    assert label_digest(np.zeros(3, np.uint8)) == label_digest(np.zeros(3, np.int64))


def test_of_a_dataset_depends_on_contents_labels_and_order():
    first = dataset_digest(["a", "b"], ["0", "1"])
    assert first == dataset_digest(["a", "b"], ["0", "1"])
    others = (["b", "a"], ["1", "0"]), (["a", "b"], ["1", "0"]), (["a", "c"], ["0", "1"])
    assert all(dataset_digest(*other) != first for other in others)
