"""The analytical cost of a network: parameters, operations, bytes. Knows no session or clock."""

from __future__ import annotations

from inferometer.models.cost.torch.operations import count_operations, import_counter
from inferometer.models.cost.torch.parameters import count_parameters

__all__ = ["count_operations", "count_parameters", "import_counter"]
