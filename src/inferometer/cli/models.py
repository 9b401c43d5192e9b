"""`inferometer models`: the catalogue, and how to name any other model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

import click

from inferometer.cli.backends import plugin_states, state_lines
from inferometer.cli.options import json_option, write_json

FORMS = (
    ("torchvision:NAME", "torchvision:resnet50?weights=pretrained"),
    ("timm:NAME", "timm:mobilenetv3_small_100"),
    ("transformers:NAME", "transformers:bert?num_hidden_layers=2"),
    ("transformers:FOLDER", "transformers:./my-model?weights=pretrained"),
    ("hub:OWNER/REPO:ENTRY", "hub:mateuszbuda/brain-segmentation-pytorch:unet"),
    ("hub:FOLDER:ENTRY", "hub:./checkout:unet?in_channels=1"),
    ("FILE.py:FACTORY", "nets/mine.py:build?width=64&input=1x28x28"),
    ("FILE", "./model.pt2, TorchScript, or weights of a model above"),
    ("FILE", "./model.onnx or another format that a backend takes"),
)
"""A form of reference, and an example of it."""

OPTIONS = (
    ("weights=pretrained", "published weights; by default they are random, seeded"),
    ("weights=calibrated", "random, but with batch norm that lets signals through"),
    ("weights=FILE", "weights from a state file (.pt, .pth, .safetensors)"),
    ("input=3x224x224", "shape of one sample, where the model does not say"),
    ("input=x:512,sr=16000", "of a model file: shapes, types and values by name"),
    ("NAME=VALUE", "anything else goes to whatever builds the model"),
)
"""An option that may follow `?`, and what it does."""

FACTORIES = (
    ("model", "a torch.nn.Module, or any callable for --backends python"),
    ("model, example", "inputs of a call; the first axes are the batch"),
    ("model, make_inputs", "a function of batch_size, input_size or both"),
)
"""What a function in FILE.py may return, and what that is."""


@click.command()
@json_option
def models(*, json_path: str | None) -> None:
    """List the models that have a name, and how to name any other.

    \b
    Example:
      inferometer models
    """  # noqa: D301 - \b is click's sign to leave the lines as they are
    from inferometer.models.catalogue import CATALOGUE

    if json_path is not None:
        write_json([asdict(entry) for entry in CATALOGUE.values()], json_path)
    if json_path != "-":
        click.echo("\n".join(_lines()))


def _lines() -> Iterator[str]:
    from inferometer.models.catalogue import CATALOGUE
    from inferometer.models.registry import SOURCES

    yield f"{'MODEL':<20}{'PARAMETERS':>11}  {'TASK':<22}BUILT BY"
    for entry in CATALOGUE.values():
        source = entry.built_by.partition(":")[0]
        yield f"{entry.name:<20}{entry.parameters:>11,}  {entry.task:<22}{source}"
    yield from ("", "Other models, as NAME?OPTION=VALUE&OPTION=VALUE:")
    yield from (f"  {form:<22}{example}" for form, example in FORMS)
    yield from ("", "Options:")
    yield from (f"  {option:<22}{meaning}" for option, meaning in OPTIONS)
    yield from ("", "FACTORY, which may take batch_size and input_size, returns:")
    yield from (f"  {what:<22}{meaning}" for what, meaning in FACTORIES)
    yield from ("", "Sources:")
    yield from (f"  {line}" for line in state_lines(plugin_states(SOURCES)))
