"""Let torchvision be imported even where its compiled operators do not load.

The torchvision of a package index is built for CUDA; beside a CPU build of torch its library does
not load, and the import then fails on operators that most models do not need. Here they are
declared instead: they have names, arguments and the shapes of their results, so that they can be
counted, and a call says what is missing. None is replaced by Python code, which would be timed in
its place.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from inferometer.core.errors import WorkloadError

_PACKAGE = "torchvision"
_LOADS_OPERATORS = "torchvision.extension"
"""This module of theirs loads the library. The next that is imported needs the operators."""

_VERSION = "_cuda_version"
_NO_CUDA = -1
"""What a library that was built without CUDA says of its version."""

_ROIS = "Tensor input, Tensor rois, float spatial_scale, SymInt pooled_height, SymInt pooled_width"
_ROIS_GRAD = (
    "float spatial_scale, SymInt pooled_height, SymInt pooled_width, {}SymInt batch_size, "
    "SymInt channels, SymInt height, SymInt width"
)
_SAMPLED = "int sampling_ratio, "
_DEFORMED = (
    "Tensor input, Tensor weight, Tensor offset, Tensor mask, Tensor bias, SymInt stride_h, "
    "SymInt stride_w, SymInt pad_h, SymInt pad_w, SymInt dilation_h, SymInt dilation_w, "
    "SymInt groups, SymInt offset_groups, bool use_mask"
)
_FIVE = ", ".join(["Tensor"] * 5)

_OPERATORS = {
    "nms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "box_iou_rotated": "(Tensor boxes1, Tensor boxes2) -> Tensor",
    "roi_align": f"({_ROIS}, int sampling_ratio, bool aligned) -> Tensor",
    "_roi_align_backward": f"(Tensor grad, Tensor rois, {_ROIS_GRAD.format('')}, "
    "int sampling_ratio, bool aligned) -> Tensor",
    "roi_pool": f"({_ROIS}) -> (Tensor, Tensor)",
    "_roi_pool_backward": f"(Tensor grad, Tensor rois, Tensor argmax, {_ROIS_GRAD.format('')})"
    " -> Tensor",
    "ps_roi_align": f"({_ROIS}, int sampling_ratio) -> (Tensor, Tensor)",
    "_ps_roi_align_backward": "(Tensor grad, Tensor rois, Tensor channel_mapping, "
    f"{_ROIS_GRAD.format(_SAMPLED)}) -> Tensor",
    "ps_roi_pool": f"({_ROIS}) -> (Tensor, Tensor)",
    "_ps_roi_pool_backward": "(Tensor grad, Tensor rois, Tensor channel_mapping, "
    f"{_ROIS_GRAD.format('')}) -> Tensor",
    "qroi_align": "(Tensor input, Tensor rois, float input_scale, int input_zero_point, "
    "float rois_scale, int rois_zero_point, float spatial_scale, SymInt pooled_height, "
    "SymInt pooled_width, int sampling_ratio, bool aligned) -> Tensor",
    "deform_conv2d": f"({_DEFORMED}) -> Tensor",
    "_deform_conv2d_backward": f"(Tensor grad, {_DEFORMED}) -> ({_FIVE})",
    _VERSION: "() -> int",
}
"""What the library of torchvision 0.28 declares, by name."""

_kept: list[Any] = []
"""The library that holds the declarations: torch forgets them when it is collected."""


def make_importable() -> None:
    """Let `import torchvision` succeed from now on, whoever does it and when; imports nothing."""
    if any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    if _PACKAGE not in sys.modules:  # what an import left that failed would not be looked for again
        for name in [name for name in sys.modules if name.partition(".")[0] == _PACKAGE]:
            del sys.modules[name]
    sys.meta_path.insert(0, _Finder())


def import_torchvision() -> ModuleType:
    """Import torchvision; where its operators do not load, declare them on the way.

    Raises:
        ImportError: torchvision is not installed, or cannot be imported for another reason;
            whatever else its import raises is passed on too.
    """
    make_importable()
    return import_module(_PACKAGE)


def import_torchvision_if_installed() -> None:
    """For packages that import torchvision themselves where they find it."""
    if find_spec(_PACKAGE) is not None:
        import_torchvision()


def operators_missing() -> bool:
    """Whether the operators had to be declared: they can be counted then, but not run."""
    return bool(_kept)


class _Finder(MetaPathFinder):
    """Finds the one module whose import is completed, and leaves all others to others."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != _LOADS_OPERATORS:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


class _Loader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        has_operators = getattr(module, "_has_ops", None)
        if has_operators is not None and not has_operators():
            _declare_operators()
            # so that their own shapes and gradients are registered, none replaced by Python code
            module.__dict__["_has_ops"] = operators_missing


def _declare_operators() -> None:
    import torch

    library: Any = torch.library.Library(_PACKAGE, "FRAGMENT")  # type: ignore[no-untyped-call]
    for name, signature in _OPERATORS.items():
        with suppress(AttributeError):  # somebody declared it before us
            getattr(torch.ops.torchvision, name)
            continue
        library.define(name + signature)
        kernel = (lambda: _NO_CUDA) if name == _VERSION else _refusing(name)
        library.impl(name, kernel, "CompositeExplicitAutograd")
    _kept.append(library)


def _refusing(name: str) -> Any:  # noqa: ANN401 - takes what the operator takes
    def refuse(*_: object, **__: object) -> None:
        import torch

        raise WorkloadError(
            "unsupported",
            f"it needs {name}, one of torchvision's compiled operators, which do not load beside "
            f"this torch ({torch.__version__}); install the torch and torchvision that were built "
            "for each other, both from the same index (pytorch.org/get-started lists them)",
        )

    return refuse
