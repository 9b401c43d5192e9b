"""How large a tensor may be that little is stored of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inferometer.core.shown import shown
from inferometer.models.guards import LOOKS
from inferometer.models.guards.refusal import damaged

REPEATED = 1 << 20
"""Elements of a tensor, at the most, where fewer are stored: one that is repeated is a mask or the
like, and copies of it are made."""


def check_extent(path: Path, name: str, elements: int, stored_bytes: int) -> None:
    """Refuse a tensor that is far larger than what is stored of it.

    Args:
        path: the file, for messages.
        name: of the tensor.
        elements: as many as its shape says.
        stored_bytes: as much as the file holds.

    Raises:
        WorkloadError: (bad_model) it is.
    """
    if (elements > REPEATED or not stored_bytes) and elements > stored_bytes:
        raise damaged(
            path,
            f"says that {shown(name, 80)} has {elements:,} elements, and holds {stored_bytes:,} "
            "bytes of them",
        )


@LOOKS.timed
def check_extents(path: Path, state: Mapping[str, Any]) -> None:
    """The same for each tensor of a state; those without a storage of their own are left out.

    Raises:
        WorkloadError: (bad_model) one of them is larger than what is stored of it.
    """
    import torch

    for name, tensor in state.items():
        if tensor.layout == torch.strided and tensor.device.type != "meta":
            check_extent(path, name, tensor.numel(), tensor.untyped_storage().nbytes())
