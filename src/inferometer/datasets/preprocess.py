"""From pictures to what a model takes, with Pillow and NumPy; from samples to a batch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inferometer.core.dataset import Kind, Task
from inferometer.core.errors import WorkloadError
from inferometer.core.preprocessing import Preprocessing

if TYPE_CHECKING:
    from PIL.Image import Image, Resampling

LEVELS = 255
VOID = 255
"""In a mask, what lies beside the picture: not judged."""


@dataclass(frozen=True, kw_only=True)
class Placement:
    """How a picture comes to its size, in pixels.

    Attributes:
        width: after resizing.
        height: after resizing.
        left: of what is cut out; below 0 there is a border.
        top: likewise.
        size: width and height of what is cut out.
    """

    width: int
    height: int
    left: int
    top: int
    size: tuple[int, int]


def placement(width: int, height: int, how: Preprocessing, input_size: int | None) -> Placement:
    """How a picture of a width and a height comes to its size."""
    size = input_size or how.size
    if how.fit == "natural" or size is None:
        return Placement(width=width, height=height, left=0, top=0, size=(width, height))
    if how.fit == "squash":
        return Placement(width=size, height=size, left=0, top=0, size=(size, size))
    shorter, longer = sorted((width, height))
    resized = math.floor(size / how.crop_share)
    further = int(resized * longer / shorter)
    new = (resized, further) if width <= height else (further, resized)
    left, top = (round((length - size) / 2) for length in new)
    return Placement(width=new[0], height=new[1], left=left, top=top, size=(size, size))


def prepare(
    sample_input: Any,  # noqa: ANN401 - as the dataset has it
    kind: Kind,
    preprocessing: Preprocessing | None = None,
    input_size: int | None = None,
) -> Any:  # noqa: ANN401 - an array, a mapping of arrays, or a text
    """The input of a sample as the model takes it.

    Args:
        sample_input: of a sample.
        kind: that of its dataset; only pictures are changed.
        preprocessing: what pictures go through; None is the default.
        input_size: height and width that the workload asks for; None takes those of the
            preprocessing, or of the picture.
    """
    if kind != "image":
        return sample_input
    how = preprocessing or Preprocessing()
    from PIL import Image

    image = Image.fromarray(sample_input)
    if how.channels == 1:
        image = image.convert("L")
    place = placement(*image.size, how, input_size)
    values = np.asarray(_placed(image, place, _resampling(how)), np.float32)
    values = values.reshape(*values.shape[:2], how.channels)
    mean, std = (_of_channels(numbers, how.channels) for numbers in (how.mean, how.std))
    return np.ascontiguousarray(((values / np.float32(LEVELS) - mean) / std).transpose(2, 0, 1))


def prepare_label(
    label: Any,  # noqa: ANN401 - as the dataset has it
    task: Task,
    sample_input: Any,  # noqa: ANN401 - likewise
    preprocessing: Preprocessing | None = None,
    input_size: int | None = None,
) -> Any:  # noqa: ANN401 - likewise
    """The label of a picture, moved as the picture is: of masks and boxes, others stay.

    A mask is resized without mixing classes. What lies beside the picture is not judged.
    """
    if task not in ("segmentation", "detection"):
        return label
    height, width = sample_input.shape[:2]
    place = placement(width, height, preprocessing or Preprocessing(), input_size)
    return _mask(label, place) if task == "segmentation" else _boxes(label, place, width, height)


def batched(inputs: Sequence[Any]) -> Any:  # noqa: ANN401 - likewise
    """What a model takes at once: arrays stacked, mappings of such by name, texts in a list.

    Raises:
        WorkloadError: (unsupported) arrays of a batch have different shapes.
    """
    first = inputs[0]
    if isinstance(first, Mapping):
        return {name: _stacked([one[name] for one in inputs]) for name in first}
    return _stacked(inputs) if isinstance(first, np.ndarray) else list(inputs)


def _placed(image: Image, place: Placement, resampling: Resampling) -> Image:
    if image.size != (place.width, place.height):
        image = image.resize((place.width, place.height), resampling)
    if (place.left, place.top, image.size) == (0, 0, place.size):
        return image
    width, height = place.size
    # Beyond the edges Pillow fills with black, as the usual transforms do.
    return image.crop((place.left, place.top, place.left + width, place.top + height))


def _resampling(how: Preprocessing) -> Resampling:
    from PIL.Image import Resampling

    return Resampling[how.interpolation.upper()]


def _of_channels(numbers: Sequence[float], channels: int) -> NDArray[np.float32]:
    """One number for each channel; for grey the mean of several."""
    if len(numbers) == channels:
        return np.array(numbers, np.float32)
    return np.full(channels, np.mean(numbers), np.float32)


def _mask(label: NDArray[Any], place: Placement) -> NDArray[Any]:
    rows = _nearest(label.shape[0], place.height, place.top, place.size[1])
    columns = _nearest(label.shape[1], place.width, place.left, place.size[0])
    found = label[np.clip(rows, 0, None)][:, np.clip(columns, 0, None)].copy()
    found[rows < 0, :] = VOID
    found[:, columns < 0] = VOID
    return found


def _nearest(length: int, resized: int, start: int, size: int) -> NDArray[np.int64]:
    """For each pixel that is cut out the nearest of the original; -1 beside the picture."""
    places = np.arange(start, start + size)
    nearest = np.floor((places + 0.5) * length / resized).astype(np.int64)
    return np.where((places >= 0) & (places < resized), nearest, -1)


def _boxes(label: Mapping[str, Any], place: Placement, width: int, height: int) -> dict[str, Any]:
    scale = np.array([place.width / width, place.height / height] * 2)
    moved = np.asarray(label["boxes"], np.float64).reshape(-1, 4) * scale
    moved -= np.array([place.left, place.top] * 2)
    inside = np.clip(moved, 0, np.array(place.size * 2))
    is_there = (inside[:, 2:] > inside[:, :2]).all(axis=1)
    parts = {
        name: np.asarray(value)[is_there]
        for name, value in label.items()
        if name != "boxes" and np.ndim(value) and len(value) == len(is_there)
    }
    return {**label, **parts, "boxes": inside[is_there]}


def _stacked(arrays: Sequence[Any]) -> NDArray[Any]:
    shapes = {np.shape(array) for array in arrays}
    if len(shapes) > 1:
        one, other = sorted(shapes)[:2]
        raise WorkloadError(
            "unsupported",
            f"samples of a batch have different sizes ({'x'.join(map(str, one))} and "
            f"{'x'.join(map(str, other))}): natural sizes need batch 1; for others write "
            "?preprocess=squash or ?preprocess=crop, and an input size",
        )
    return np.stack(arrays)
