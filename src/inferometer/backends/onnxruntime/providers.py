"""Execution providers of ONNX Runtime: their names, devices and packages, and what falls to others.

ONNX Runtime gives operators that a provider lacks to the next one without a word.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from inferometer.core.errors import WorkloadError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

RECORD = "session.record_ep_graph_assignment_info"
"""The setting of a session that makes it remember which provider got which operator."""


class Provider(NamedTuple):
    """An execution provider.

    Attributes:
        name: what the runtime calls it.
        device: the kind of device that it runs on, as it is called here; `cpu` of those whose
            device has no name here.
        package: what offers it.
    """

    name: str
    device: str
    package: str


PROVIDERS: Mapping[str, Provider] = {
    "cpu": Provider("CPUExecutionProvider", "cpu", "the package onnxruntime"),
    "cuda": Provider("CUDAExecutionProvider", "cuda", "the package onnxruntime-gpu"),
    "tensorrt": Provider(
        "TensorrtExecutionProvider", "cuda", "the package onnxruntime-gpu, beside TensorRT"
    ),
    "coreml": Provider("CoreMLExecutionProvider", "mps", "the package onnxruntime on macOS"),
    "directml": Provider("DmlExecutionProvider", "cpu", "the package onnxruntime-directml"),
    "openvino": Provider("OpenVINOExecutionProvider", "cpu", "the package onnxruntime-openvino"),
    "migraphx": Provider("MIGraphXExecutionProvider", "cpu", "the package onnxruntime-migraphx"),
    "xnnpack": Provider("XnnpackExecutionProvider", "cpu", "a build of one's own (--use_xnnpack)"),
    "dnnl": Provider("DnnlExecutionProvider", "cpu", "a build of one's own (--use_dnnl)"),
}
OF_DEVICE = {"cpu": "cpu", "cuda": "cuda", "mps": "coreml"}
OF_THE_PROCESSOR = frozenset({"cpu", "openvino", "xnnpack", "dnnl"})

Chain = list[tuple[str, dict[str, str]]]
"""Providers with their options, the first of them the one that was chosen."""


def chosen_provider(options: Mapping[str, str], device: str) -> str:
    """The provider for a device, by its name here.

    Raises:
        WorkloadError: (unsupported) no such device, or another one than the provider's.
    """
    kind = device.partition(":")[0]
    if kind not in OF_DEVICE:
        raise WorkloadError(
            "unsupported", f"the backend onnxruntime runs on {', '.join(OF_DEVICE)}, not {device}"
        )
    name = options.get("provider", OF_DEVICE[kind])
    if PROVIDERS[name].device != kind:
        raise WorkloadError(
            "unsupported",
            f"the provider {name} belongs to the device {PROVIDERS[name].device}, not {device}",
        )
    return name


def check_precision(name: str, precision: str) -> None:
    """Refuse what would be computed in another precision than it says.

    Raises:
        WorkloadError: (unsupported) it is so.
    """
    if name == "cuda" and precision == "int8":
        raise WorkloadError(
            "unsupported",
            "the provider cuda has no int8 kernels and computes such a graph in fp32; "
            "the option provider=tensorrt has them",
        )


def require(name: str) -> None:
    """Refuse a provider that the installed runtime does not have.

    Raises:
        WorkloadError: (unsupported) it is so.
    """
    import onnxruntime

    if PROVIDERS[name].name not in onnxruntime.get_available_providers():
        raise WorkloadError(
            "unsupported",
            f"this onnxruntime {onnxruntime.__version__} has no provider {name}; "
            f"{PROVIDERS[name].package} offers it",
        )


def chain(
    name: str, *, device: str, precision: str, threads: int, options: Mapping[str, str]
) -> Chain:
    """The provider and those that take what it lacks, with their options."""
    index = device.partition(":")[2] or "0"
    cuda = {"device_id": index, "use_tf32": str(int(options.get("tf32") == "on"))}
    own: dict[str, dict[str, str]] = {
        "cuda": cuda,
        "tensorrt": {
            "device_id": index,
            "trt_fp16_enable": str(precision == "fp16"),
            "trt_int8_enable": str(precision == "int8"),
        },
        "openvino": {"device_type": "CPU", "precision": "FP32", "num_of_threads": str(threads)},
        "xnnpack": {"intra_op_num_threads": str(threads)},
    }
    found = [(PROVIDERS[name].name, own.get(name, {}))]
    if name == "tensorrt":
        found.append((PROVIDERS["cuda"].name, cuda))
    if name != "cpu":
        found.append((PROVIDERS["cpu"].name, {}))
    return found


def remarks(session: InferenceSession, name: str) -> tuple[str, ...]:
    """What a reader should know of a session of a provider other than the processor's own.

    Raises:
        WorkloadError: (unsupported) the provider is not in it, or runs none of its operators.
    """
    import onnxruntime

    provider = PROVIDERS[name]
    if provider.name not in session.get_providers():
        raise WorkloadError(
            "unsupported",
            f"onnxruntime {onnxruntime.__version__} has the provider {name}, which does not start "
            "here: libraries or a driver that it needs are missing",
        )
    own_device = (
        ()
        if provider.device != "cpu" or name in OF_THE_PROCESSOR
        else (f"it runs on the device of the provider {name}, which has no name here",)
    )
    if not hasattr(session, "get_provider_graph_assignment_info"):  # before onnxruntime 1.24
        told = f"which operators {name} leaves to the processor is not told by this onnxruntime"
        return (*own_device, told)
    return (*own_device, *_others(session, name))


def _others(session: InferenceSession, name: str) -> tuple[str, ...]:
    """What runs on other providers, in words.

    Raises:
        WorkloadError: (unsupported) everything does.
    """
    counts: dict[str, Counter[str]] = {}
    for part in session.get_provider_graph_assignment_info():
        kinds = [str(node.op_type) for node in part.get_nodes()]
        counts.setdefault(str(part.ep_name), Counter()).update(kinds)
    total = sum(kinds.total() for kinds in counts.values())
    names = {provider.name: known for known, provider in PROVIDERS.items()}
    others = {names.get(one, one): kinds for one, kinds in counts.items() if names.get(one) != name}
    if total and sum(kinds.total() for kinds in others.values()) == total:
        raise WorkloadError(
            "unsupported", f"the provider {name} runs none of the model's {total} operators"
        )
    return tuple(
        f"{kinds.total()} of {total} operators run on the provider {other}, not on {name}: "
        + ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(4))
        for other, kinds in others.items()
    )
