"""torchmetrics, an oracle, imports torchvision, whose operators some builds of torch cannot load."""

from __future__ import annotations

from inferometer.models.torchvision_compat import make_importable

make_importable()
