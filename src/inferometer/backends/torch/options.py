"""Options of eager torch, and what they do to the settings of the process. Imports no torch."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

from inferometer.core.artifact import BackendOption
from inferometer.core.errors import WorkloadError
from inferometer.core.workload import Variant

ON_OFF = ("on", "off")

MEMORY_FORMAT = BackendOption(
    values=("contiguous", "channels_last"),
    usual="contiguous",
    says="Layout of weights and of inputs with four axes; inputs are laid out before the timing.",
)

EAGER: Mapping[str, BackendOption] = {
    "memory_format": MEMORY_FORMAT,
    "autocast": BackendOption(
        values=ON_OFF,
        usual="off",
        says="For bf16 and fp16: torch.autocast in each call in place of a converted module.",
    ),
    "mkldnn": BackendOption(values=ON_OFF, usual="on", says="oneDNN's operators on the CPU."),
    "quantization": BackendOption(
        values=("dynamic", "weights"),
        usual="dynamic",
        says="For int8: linear layers with activations quantised in each call, or weights alone.",
    ),
    "tf32": BackendOption(
        values=ON_OFF, says="On CUDA: TF32 in fp32 convolutions and matrix products."
    ),
    "cudnn_benchmark": BackendOption(
        values=ON_OFF, says="On CUDA: cuDNN tries its algorithms at the first call of a shape."
    ),
    "cuda_graphs": BackendOption(
        values=ON_OFF,
        usual="off",
        says="On CUDA: replay a captured graph, which reads inputs at a fixed place on the GPU.",
    ),
}

_CUDA = ("tf32", "cudnn_benchmark", "cuda_graphs")


def chosen(options: Mapping[str, BackendOption], variant: Variant) -> dict[str, str]:
    """Each option's value: what the variant says, else the usual one.

    Raises:
        WorkloadError: (unsupported) an option has no such value, or there is no such option.
    """
    for name, value in variant.options:
        if name not in options:
            raise WorkloadError("unsupported", f"{variant.backend} has no option {name}")
        if not options[name].takes(value):
            words = options[name].words
            raise WorkloadError("unsupported", f"{variant.backend}.{name} takes {words}")
    return {name: option.usual for name, option in options.items()} | dict(variant.options)


def check_fit(variant: Variant, *, device: str) -> None:
    """Refuse options of eager torch that would do nothing for a precision or a device.

    Raises:
        WorkloadError: (unsupported) one would.
    """
    given = {name: value for name, value in variant.options if value != EAGER[name].usual}
    elsewhere = [name for name in _CUDA if name in given]
    if elsewhere and not device.startswith("cuda"):
        raise WorkloadError(
            "unsupported", f"the option {elsewhere[0]} is for CUDA, and the device is {device}"
        )
    if "autocast" in given and variant.precision not in ("bf16", "fp16"):
        raise WorkloadError(
            "unsupported", f"autocast computes in bf16 or fp16, not in {variant.precision}"
        )
    if "quantization" in given and variant.precision != "int8":
        raise WorkloadError(
            "unsupported", f"the option quantization is for int8, not for {variant.precision}"
        )


def apply(options: Mapping[str, str]) -> None:
    """Set what holds for the whole process; what no option names stays as it is."""
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some releases advise other names
        if options["tf32"]:
            torch.backends.cuda.matmul.allow_tf32 = options["tf32"] == "on"
            torch.backends.cudnn.allow_tf32 = options["tf32"] == "on"
        if options["cudnn_benchmark"]:
            torch.backends.cudnn.benchmark = options["cudnn_benchmark"] == "on"
        if options["mkldnn"] == "off":
            torch.backends.mkldnn.set_flags(False)  # type: ignore[no-untyped-call]
