"""The models that have a name of their own: data, and nothing that loads them."""

from __future__ import annotations

from dataclasses import dataclass

from inferometer.core.errors import ModelReferenceError
from inferometer.core.references import did_you_mean, quoted
from inferometer.models.registered import registered_in


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A model of the catalogue.

    Attributes:
        name: what a user writes.
        built_by: `torchvision:NAME`, or `inferometer` for our own code.
        title: the name in publications.
        task: what it is for.
        why: why it is here, in a line.
        parameters: published parameter count, shared parameters counted once.
        paper: where it was published.
    """

    name: str
    built_by: str
    title: str
    task: str
    why: str
    parameters: int
    paper: str


CATALOGUE: dict[str, Entry] = {
    entry.name: entry
    for entry in (
        Entry(
            name="unet",
            built_by="inferometer",
            title="U-Net for brain MRI",
            task="image segmentation",
            why="An encoder and decoder at full resolution: few parameters, many operations.",
            parameters=7_763_041,
            paper="Buda, Saha, Mazurowski 2019, doi:10.1016/j.compbiomed.2019.05.002",
        ),
        Entry(
            name="squeezenet1_0",
            built_by="torchvision:squeezenet1_0",
            title="SqueezeNet 1.0",
            task="image classification",
            why="Made for few parameters, not for few operations.",
            parameters=1_248_424,
            paper="Iandola et al. 2016, arXiv:1602.07360",
        ),
        Entry(
            name="mobilenet_v3_small",
            built_by="torchvision:mobilenet_v3_small",
            title="MobileNetV3-small",
            task="image classification",
            why="Searched for low latency on phones; depthwise convolutions.",
            parameters=2_542_856,
            paper="Howard et al. 2019, arXiv:1905.02244",
        ),
        Entry(
            name="resnet18",
            built_by="torchvision:resnet18",
            title="ResNet-18",
            task="image classification",
            why="The plain baseline that everyone knows.",
            parameters=11_689_512,
            paper="He et al. 2015, arXiv:1512.03385",
        ),
    )
}
"""Name → entry."""


def find(name: str) -> Entry:
    """The entry of a name.

    Raises:
        ModelReferenceError: there is none.
    """
    if name in CATALOGUE:
        return CATALOGUE[name]
    elsewhere = registered_in(name)
    hint = f" (did you mean {elsewhere!r}?)" if elsewhere else did_you_mean(name, CATALOGUE)
    raise ModelReferenceError(
        f"no model is called {quoted(name)}{hint}; known: "
        f"{', '.join(CATALOGUE)}; others are named as torchvision:NAME, timm:NAME, "
        "transformers:NAME, file.py:factory or ./FILE (see `inferometer models`)"
    )
