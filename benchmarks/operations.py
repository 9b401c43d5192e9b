"""Our counts beside what others publish, and beside one real call, as tables in Markdown.

Published are torchvision's figures of its weights, which it calls GFLOPS and which are MACs with
three decimals; for networks that nobody publishes, the closed formula or torch's own counter on
the meta device. Repeat with: python benchmarks/operations.py
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import psutil
import torch
from torch.utils.flop_counter import FlopCounterMode

from inferometer.core.cost import Cost
from inferometer.core.errors import WorkloadError
from inferometer.models import load
from inferometer.models.cost import count_operations
from inferometer.models.torchvision_compat import import_torchvision

LAB = ("squeezenet1_0", "mobilenet_v3_small", "resnet18", "unet")
OTHERS = (
    *("vgg16", "resnet50", "resnext50_32x4d", "densenet121", "efficientnet_b0"),
    *("convnext_tiny", "mobilenet_v2", "shufflenet_v2_x1_0", "swin_t", "vit_b_16"),
)
SIDE = 224
LENGTH = 128


@dataclass(frozen=True, kw_only=True)
class Row:
    """One network beside what is known of it.

    Attributes:
        name: of the network.
        cost: our count, at batch 1.
        macs: of the other side.
        source: where these come from.
    """

    name: str
    cost: Cost
    macs: float
    source: str


def main() -> None:
    """Print the tables."""
    first_count()
    print("| network | input | MACs, 10⁶ | other, 10⁶ | difference | other from |")
    print("|---|---|---|---|---|---|")
    for row in rows():
        shape = f"{LENGTH} tokens" if row.name.startswith("BERT") else f"3x{SIDE}x{SIDE}"
        difference = row.cost.macs / row.macs - 1
        print(
            f"| {row.name} | {shape} | {row.cost.macs / 1e6:,.1f} | {row.macs / 1e6:,.1f} ", end=""
        )
        print(f"| {difference:+.2%} | {row.source} |")
    print("\n| network | | MACs, 10⁶ | element-wise, 10⁶ | written, MB | alive at most, MB | s |")
    print("|---|---|---|---|---|---|---|")
    for name in LAB:
        beside_a_real_call(name)


def first_count() -> None:
    """Print what the first count of a process costs, which makes torch import more of itself."""
    network = load("unet", seed=0).network
    before, begin = psutil.Process().memory_info().rss, time.perf_counter()
    count_operations(network, (image(),), {})
    grown = psutil.Process().memory_info().rss - before
    print(f"first count of a process: {time.perf_counter() - begin:.2f} s, {grown / 1e6:.0f} MB\n")


def rows() -> Iterator[Row]:
    """Lab models, other models of torchvision, and two transformers."""
    models = import_torchvision().models
    for name in (*LAB, *OTHERS):
        if name == "unet":
            unet = load(name, seed=0).network.to("meta")
            cost = count_operations(unet, (image(),), {})
            yield Row(name=name, cost=cost, macs=of_torch(unet), source="torch's counter")
            continue
        with torch.device("meta"):
            network = models.get_model(name, weights=None).eval()
        published = next(iter(models.get_model_weights(name))).meta["_ops"] * 1e9
        cost = count_operations(network, (image(),), {})
        yield Row(name=name, cost=cost, macs=published, source="torchvision")
    yield from transformers_rows()


def transformers_rows() -> Iterator[Row]:
    """BERT-base and ViT-B/16 from their configurations."""
    transformers: Any = import_module("transformers")
    with torch.device("meta"):
        bert = transformers.BertModel(transformers.BertConfig()).eval()
        vision = transformers.ViTForImageClassification(transformers.ViTConfig(num_labels=1000))
    ids = torch.zeros(1, LENGTH, dtype=torch.long)
    given = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    yield Row(
        name="BERT-base",
        cost=count_operations(bert, (), given),
        macs=encoder(LENGTH) + 768 * 768,
        source="closed formula",
    )
    patches = (SIDE // 16) ** 2
    yield Row(
        name="ViT-B/16, transformers",
        cost=count_operations(vision.eval(), (image(),), {}),
        macs=encoder(patches + 1) + patches * 768 * 3 * 16 * 16 + 768 * 1000,
        source="closed formula",
    )


def encoder(length: int, width: int = 768, inner: int = 3072, layers: int = 12) -> int:
    """MACs of a transformer's encoder for so many tokens."""
    products = length * (4 * width * width + 2 * width * inner)
    return layers * (products + 2 * length * length * width)


def of_torch(network: torch.nn.Module) -> int:
    """MACs by torch's own counter."""
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        network(image())
    return int(counter.get_total_flops()) // 2


def image() -> torch.Tensor:
    """One image without values."""
    return torch.empty(1, 3, SIDE, SIDE, device="meta")


def beside_a_real_call(name: str) -> None:
    """Print a count without values above one of a real call."""
    network = load(name, seed=0).network.eval()
    inputs = torch.rand(1, 3, SIDE, SIDE)

    def simulated() -> Cost:
        return count_operations(network, (inputs,), {})

    def real() -> Cost:
        return count_operations(OnlyReally(network), (inputs,), {}, method="run")

    for what, count in (("simulated", simulated), ("real call", real)):
        print_count(name, what, count)


def print_count(name: str, what: str, count: Callable[[], Cost]) -> None:
    """Print one count and how long it took, the faster of two."""
    seconds = []
    for _ in range(2):
        begin = time.perf_counter()
        cost = count()
        seconds.append(time.perf_counter() - begin)
    print(
        f"| {name} | {what} | {cost.macs / 1e6:,.1f} | {cost.elementwise_flops / 1e6:,.2f} ", end=""
    )
    print(
        f"| {cost.activation_bytes / 1e6:,.2f} | {cost.activation_peak_bytes / 1e6:,.3f} ", end=""
    )
    print(f"| {min(seconds):.3f} |")


class OnlyReally(torch.nn.Module):
    """A network that cannot be counted without values."""

    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, inputs: torch.Tensor) -> Any:  # noqa: ANN401 - whatever the network gives
        """Refuse inputs without values."""
        if inputs.is_meta:
            raise WorkloadError("unsupported", "it wants values")
        return self.network(inputs)


if __name__ == "__main__":
    main()
