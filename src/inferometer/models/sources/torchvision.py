"""`torchvision:NAME`: any model that torchvision registers."""

from __future__ import annotations

import inspect
import math
from dataclasses import replace
from typing import Any, get_args

from inferometer.core.model import LoadedModel
from inferometer.core.preprocessing import Interpolation, Preprocessing
from inferometer.models.building import seed_generators, settled
from inferometer.models.failures import building
from inferometer.models.inputs import GeneratedInputs, TensorSpec, images, shaped
from inferometer.models.options import Options
from inferometer.models.registered import check_registered, unknown
from inferometer.models.torchvision_compat import import_torchvision

LISTED_BY = "torchvision.models.list_models()"
IMAGE_SIZE = 224
VIDEO_FRAMES = 16

UNTRAINED: dict[str, dict[str, object]] = {
    "inception_v3": {"init_weights": False},
    "googlenet": {"init_weights": False, "aux_logits": False},
}
"""Builder options for random weights: without them these warn, or build heads for training."""

INTERPOLATIONS: tuple[Interpolation, ...] = get_args(Interpolation)

AUXILIARY = "its auxiliary classifier is counted among its parameters, but does not run"


class TorchvisionSource:
    """Loads models by their registered names."""

    def check(self, target: str, options: dict[str, Any]) -> None:
        """Check the name.

        Raises:
            ModelReferenceError: torchvision has no such model.
        """
        del options
        check_registered("torchvision", target, LISTED_BY)

    def load(self, target: str, options: dict[str, Any], *, seed: int) -> LoadedModel:
        """Build the network on the CPU, in evaluation mode.

        Raises:
            ModelReferenceError: torchvision has no such model, or no weights for it.
            WorkloadError: (bad_model) it cannot be built with these options.
        """
        chosen, what = Options.read(options), f"torchvision:{target}"
        with building("torchvision"):
            models = import_torchvision().models
        published = _published(models, target, chosen)
        with building(what):
            seed_generators(seed)
            network = models.get_model(target, **_arguments(models, target, chosen))
        inputs = shaped(chosen.input_shape) if chosen.input_shape else _inputs(network, published)
        model = settled(
            network,
            what=what,
            source="torchvision",
            inputs=replace(inputs, as_list=_is_detector(network)),
            weights=chosen.weights_label(seed, pretrained=str(published)),
            options=chosen,
            notes=(AUXILIARY,) if getattr(network, "AuxLogits", None) else (),
        )
        return replace(model, preprocessing=_preprocessing(published))


def _published(models: Any, name: str, chosen: Options) -> Any:  # noqa: ANN401 - their enumeration
    """The default weights of a model, which also say how its images are cropped."""
    known = models.list_models()
    if name not in known:
        raise unknown("torchvision", name, known, LISTED_BY)
    published = getattr(models.get_model_weights(name), "DEFAULT", None)
    if published is None:
        chosen.refuse_pretrained(f"torchvision:{name}", "leave weights= out for random ones")
    return published


def _arguments(models: Any, name: str, chosen: Options) -> dict[str, Any]:  # noqa: ANN401 - torchvision.models
    known = inspect.signature(models.get_model_builder(name)).parameters
    fixed: dict[str, Any] = {"weights": "DEFAULT" if chosen.pretrained else None}
    if "progress" in known:
        fixed["progress"] = False
    if "weights_backbone" in known:
        fixed["weights_backbone"] = None  # by default it is downloaded, even for random weights
    untrained = {} if chosen.pretrained else UNTRAINED.get(name, {})
    return {**fixed, **untrained, **chosen.builder}


def _is_detector(network: object) -> bool:
    return type(network).__module__.startswith("torchvision.models.detection")


def _inputs(network: Any, published: Any) -> GeneratedInputs:  # noqa: ANN401 - any module, their enumeration
    """Images or videos, at the size that the network is built for or was trained at."""
    family = type(network).__module__
    transforms = getattr(published, "transforms", None)
    trained_at = getattr(transforms, "keywords", {}).get("crop_size", IMAGE_SIZE)
    size = int(trained_at[0] if isinstance(trained_at, list | tuple) else trained_at)
    if "optical_flow" in family:
        return _image_pair(size)
    if ".video" in family:
        return shaped((3, VIDEO_FRAMES, size, size))
    built_for = getattr(network, "image_size", None)
    if isinstance(built_for, int):
        return replace(
            images(size=built_for),
            fixed_because=f"this network is built for {built_for}; ?image_size= builds another",
        )
    return images(size=size)


def _image_pair(size: int) -> GeneratedInputs:
    one = TensorSpec(shape=(3, size, size), fill="image", size_axes=(1, 2))
    return GeneratedInputs(tensors=(one, one), multiple_of=8)


def _preprocessing(published: Any) -> Preprocessing | None:  # noqa: ANN401 - their enumeration
    """What the transforms of the default weights say; None for videos, pairs, and without any."""
    made: Any = None if published is None else published.transforms()
    name, source = type(made).__name__, f"torchvision {published}"
    if name == "ObjectDetection":
        return Preprocessing(fit="natural", mean=(0.0,), std=(1.0,), source=source)
    if name not in ("ImageClassification", "SemanticSegmentation"):
        return None
    interpolation = next(one for one in INTERPOLATIONS if one == made.interpolation.value)
    resized = int(made.resize_size[0])
    size = int(made.crop_size[0]) if name == "ImageClassification" else resized
    return Preprocessing(
        size=size,
        crop_share=_share(size, resized),
        interpolation=interpolation,
        mean=tuple(made.mean),
        std=tuple(made.std),
        source=source,
    )


def _share(size: int, resized: int) -> float:
    """The share that gives back the size after resizing, whatever rounding does."""
    share = size / resized
    while math.floor(size / share) < resized:
        share = math.nextafter(share, 0)
    return share
