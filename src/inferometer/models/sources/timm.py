"""`timm:NAME`: any model that timm registers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from inferometer.core.model import LoadedModel
from inferometer.core.preprocessing import Fit, Interpolation, Preprocessing
from inferometer.models.building import seed_generators, settled
from inferometer.models.failures import building
from inferometer.models.inputs import GeneratedInputs, images, shaped
from inferometer.models.options import Options
from inferometer.models.registered import check_registered, unknown
from inferometer.models.torchvision_compat import import_torchvision_if_installed

LISTED_BY = "timm.list_models()"
FITS: dict[str, Fit] = {"center": "crop", "squash": "squash"}
INTERPOLATIONS: dict[str, Interpolation] = {
    "nearest": "nearest",
    "bilinear": "bilinear",
    "bicubic": "bicubic",
    "lanczos": "lanczos",
}


class TimmSource:
    """Loads models by their registered names."""

    def check(self, target: str, options: dict[str, Any]) -> None:
        """Check the name, where it is none of a hub.

        Raises:
            ModelReferenceError: timm has no such model.
        """
        del options
        if ":" not in target:
            check_registered("timm", target.partition(".")[0], LISTED_BY)

    def load(self, target: str, options: dict[str, Any], *, seed: int) -> LoadedModel:
        """Build the network on the CPU, in evaluation mode.

        Raises:
            ModelReferenceError: timm has no such model, or no weights for it.
            WorkloadError: (bad_model) it cannot be built with these options.
        """
        chosen, what = Options.read(options), f"timm:{target}"
        with building("timm"):
            import_torchvision_if_installed()
            import timm
        if ":" not in target:  # `hf-hub:OWNER/NAME` is looked up by timm
            _check_name(timm, target, chosen)
        with building(what):
            seed_generators(seed)
            network = timm.create_model(target, pretrained=chosen.pretrained, **chosen.builder)
        model = settled(
            network,
            what=what,
            source="timm",
            inputs=_inputs(network, chosen),
            weights=chosen.weights_label(seed, pretrained=target),
            options=chosen,
        )
        return replace(model, preprocessing=_preprocessing(network, chosen))


def _check_name(timm: Any, target: str, chosen: Options) -> None:  # noqa: ANN401 - the module
    name = target.partition(".")[0]
    if not timm.is_model(name):
        raise unknown("timm", name, timm.list_models(), LISTED_BY)
    if not timm.models.is_model_pretrained(target):
        chosen.refuse_pretrained(f"timm:{target}", "leave weights= out for random ones")


def _inputs(network: Any, chosen: Options) -> GeneratedInputs:  # noqa: ANN401 - any module
    """What its configuration says, unless its builder was told otherwise."""
    if chosen.input_shape:
        return shaped(chosen.input_shape)
    about = network.pretrained_cfg
    channels, size = about.get("input_size", (3, 224, 224))[:2]
    size = chosen.builder.get("img_size", size)
    inputs = images(channels=chosen.builder.get("in_chans", channels), size=size)
    if not about.get("fixed_input_size") or chosen.builder.get("dynamic_img_size"):
        return inputs
    return replace(
        inputs, fixed_because=f"this network is built for {size}; ?img_size= builds another"
    )


def _preprocessing(network: Any, chosen: Options) -> Preprocessing | None:  # noqa: ANN401 - any module
    """What its data configuration says; None where that asks for what we do not do."""
    about = network.pretrained_cfg
    fit = FITS.get(about.get("crop_mode", "center"))
    interpolation = INTERPOLATIONS.get(about.get("interpolation", "bicubic"))
    channels, size = about.get("input_size", (3, 224, 224))[:2]
    channels = chosen.builder.get("in_chans", channels)
    if fit is None or interpolation is None or channels not in (1, 3):
        return None
    crop_share = about.get("crop_pct") or Preprocessing.crop_share
    if fit == "squash" and crop_share != 1:
        return None
    return Preprocessing(
        size=chosen.builder.get("img_size", size),
        crop_share=crop_share,
        fit=fit,
        interpolation=interpolation,
        mean=tuple(about["mean"]),
        std=tuple(about["std"]),
        channels=channels,
        source=f"timm {about.get('architecture', '')}.{about.get('tag', '')}".rstrip("."),
    )
