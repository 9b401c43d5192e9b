"""Images as rows of patches, with what says how many there are: what some encoders take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from inferometer.core.model import Inputs
from inferometer.models.inputs.arrays import shape_text

if TYPE_CHECKING:
    import torch

SIDE = 8
"""Patches along each side of an image."""


@dataclass(frozen=True, kw_only=True)
class PatchInputs:
    """Patches of square images; fits `core.model.InputSpec`.

    Attributes:
        name: of the argument that takes the patches.
        width: values of a patch.
        flat: whether the patches of all images lie in one row, not in one for each.
        rows: whole numbers for each image by the name of their argument, such as `grid_thw`.
        masked: names of masks of the patches, of ones.
    """

    name: str
    width: int
    flat: bool
    rows: Mapping[str, tuple[int, ...] | int] = field(default_factory=dict)
    masked: tuple[str, ...] = ()

    @property
    def batch_size(self) -> int:
        """One image, where no batch size is asked for."""
        return 1

    def make(self, *, batch_size: int, input_size: int | None, seed: int) -> Inputs:
        """Inputs of one call, the same for the same seed; they have no other size."""
        import torch

        generator = torch.Generator().manual_seed(seed)
        patches = torch.randn(batch_size, SIDE * SIDE, self.width, generator=generator)
        made: dict[str, torch.Tensor] = {
            self.name: patches.flatten(0, 1) if self.flat else patches,
            **{name: torch.tensor([row] * batch_size) for name, row in self.rows.items()},
            **{name: torch.ones(batch_size, SIDE * SIDE).long() for name in self.masked},
        }
        return Inputs(
            args=(), kwargs=made, shape=shape_text((), made), size_applied=input_size is None
        )


def patches_of(config: Any, arguments: Mapping[str, Any]) -> PatchInputs | None:  # noqa: ANN401 - theirs
    """Inputs of an encoder that takes patches; None for one that does not.

    Args:
        config: of the network.
        arguments: by name, of its forward.
    """
    size = getattr(config, "patch_size", None)
    if not isinstance(size, int):
        return None
    name = "pixel_values" if "pixel_values" in arguments else "hidden_states"
    frames = getattr(config, "temporal_patch_size", 1) or 1
    channels = getattr(config, "in_channels", None) or getattr(config, "num_channels", 3) or 3
    width = channels * frames * size * size
    grids = [one for one in ("grid_thw", "image_grid_thw") if one in arguments]
    if grids and name in arguments:
        rows: dict[str, tuple[int, ...] | int] = {grids[0]: (1, SIDE, SIDE)}
        if "merge_sizes" in arguments:
            rows["merge_sizes"] = getattr(config, "spatial_merge_size", 1)
        return PatchInputs(name=name, width=width, flat=True, rows=rows)
    if "spatial_shapes" in arguments and "input_ids" not in arguments:
        masks = tuple({"pixel_attention_mask"} & set(arguments))
        rows = {"spatial_shapes": (SIDE, SIDE)}
        return PatchInputs(name=name, width=width // frames, flat=False, rows=rows, masked=masks)
    return None
