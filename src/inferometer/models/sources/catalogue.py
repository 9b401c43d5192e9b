"""Models that have a name of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from inferometer.core.errors import ModelReferenceError
from inferometer.core.model import LoadedModel
from inferometer.core.references import did_you_mean, quoted
from inferometer.core.shown import shown
from inferometer.models.building import seed_generators, settled
from inferometer.models.catalogue import CATALOGUE, find
from inferometer.models.failures import building
from inferometer.models.inputs import images, shaped
from inferometer.models.options import Options
from inferometer.models.registry import SOURCES
from inferometer.models.registry import source as source_called
from inferometer.models.torchvision_compat import import_torchvision

if TYPE_CHECKING:
    from inferometer.models.zoo.unet import UNet

UNET_OPTIONS = ("in_channels", "out_channels", "init_features")
UNET_MULTIPLE = 16


class CatalogueSource:
    """Loads a model of the catalogue: our own code, or that of another source."""

    def check(self, target: str, options: dict[str, Any]) -> None:
        """Check the name and what the model needs.

        Raises:
            ModelReferenceError: there is no such model, or it does not have an option.
            MissingExtraError: a package is missing.
        """
        source, _, _ = find(target).built_by.partition(":")
        if source in SOURCES.table:
            source_called(source)
        else:
            _check_unet(Options.read(options))

    def load(self, target: str, options: dict[str, Any], *, seed: int) -> LoadedModel:
        """Build the network on the CPU, in evaluation mode.

        Raises:
            ModelReferenceError: there is no such model, or it does not have an option.
            WorkloadError: (bad_model) it cannot be built with these options.
        """
        source, _, name = find(target).built_by.partition(":")
        if source not in SOURCES.table:
            return _load_unet(Options.read(options), seed)
        model = source_called(source).load(name, options, seed=seed)
        return replace(model, source="catalogue")


def shapes(name: str) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the weights of a model of the catalogue, without making any.

    Raises:
        MissingExtraError: a package is missing.
    """
    import torch

    source, _, target = CATALOGUE[name].built_by.partition(":")
    if source == "torchvision":
        source_called(source)
        models = import_torchvision().models
        with torch.device("meta"):
            network = models.get_model(target, weights=None)
    else:
        with torch.device("meta"):
            network = _unet({})
    return {key: tuple(value.shape) for key, value in network.state_dict().items()}


def _check_unet(options: Options) -> None:
    options.refuse_pretrained(
        "unet",
        "write unet?weights=FILE, or "
        "hub:mateuszbuda/brain-segmentation-pytorch:unet?weights=pretrained",
    )
    for name, value in options.builder.items():
        if name not in UNET_OPTIONS:
            raise ModelReferenceError(
                f"unet has no option {quoted(name)}{did_you_mean(name, UNET_OPTIONS)}; "
                f"it has {', '.join(UNET_OPTIONS)}"
            )
        if type(value) is not int or value < 1:
            raise ModelReferenceError(f"unet: {name}={shown(value)} must be a whole number from 1")


def _load_unet(options: Options, seed: int) -> LoadedModel:
    _check_unet(options)
    with building("unet"):
        seed_generators(seed)
        network = _unet(options.builder)
    inputs = (
        shaped(options.input_shape)
        if options.input_shape
        else images(channels=options.builder.get("in_channels", 3))
    )
    return settled(
        network,
        what="unet",
        source="catalogue",
        inputs=replace(inputs, multiple_of=UNET_MULTIPLE),
        weights=options.weights_label(seed, pretrained=""),
        options=options,
    )


def _unet(options: Mapping[str, Any]) -> UNet:
    from inferometer.models.zoo.unet import UNet

    return UNet(**options)
