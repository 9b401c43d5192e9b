"""One folder for each runtime. A backend knows its runtime, no other, and no model source."""

from __future__ import annotations

from inferometer.backends.environments import elsewhere
from inferometer.core.errors import InputError
from inferometer.core.format import Format
from inferometer.core.protocols import Backend, SupportsLiveModels
from inferometer.core.registry import Environment, Plugin, Registry

BACKENDS = Registry(
    what="backend",
    group="inferometer.backends",
    table={
        "torch": Plugin(
            path="inferometer.backends.torch.session:TorchBackend",
            extra="torch",
            requires=("torch",),
        ),
        "torch-compile": Plugin(
            path="inferometer.backends.torch.compiled:TorchCompileBackend",
            extra="torch-compile",
            requires=("torch",),
        ),
        "torchscript": Plugin(
            path="inferometer.backends.torch.script:TorchScriptBackend",
            extra="torch",
            requires=("torch",),
        ),
        "onnxruntime": Plugin(
            path="inferometer.backends.onnxruntime.session:OnnxRuntimeBackend",
            extra="onnxruntime",
            requires=("onnx", "onnxruntime"),
        ),
        "openvino": Plugin(
            path="inferometer.backends.openvino.session:OpenVinoBackend",
            extra="openvino",
            requires=("nncf", "openvino"),
        ),
        "litert": Plugin(
            path="inferometer.backends.litert.session:LiteRtBackend",
            requires=("ai_edge_litert",),
            lock="backends/litert/requirements.txt",
        ),
        "executorch": Plugin(
            path="inferometer.backends.executorch.session:ExecuTorchBackend",
            requires=("executorch",),
            lock="backends/executorch/requirements.txt",
        ),
        "ncnn": Plugin(
            path="inferometer.backends.ncnn.session:NcnnBackend", extra="ncnn", requires=("ncnn",)
        ),
        "mnn": Plugin(
            path="inferometer.backends.mnn.session:MnnBackend", extra="mnn", requires=("MNN",)
        ),
        "python": Plugin(path="inferometer.backends.python.session:PythonBackend"),
    },
    contract=Backend,
    elsewhere=elsewhere,
)
"""The runtimes; each is a class that takes no arguments and fits `core.protocols.Backend`."""


def backend(name: str) -> Backend:
    """A runtime by its name. Imports no runtime.

    Raises:
        InputError: there is none of that name, or it cannot be used.
        MissingExtraError: what it needs is not installed.
    """
    found: Backend = BACKENDS.make(name)
    return found


def environment(name: str) -> Environment | None:
    """The environment that a backend runs in; None where that is the one of this process."""
    plugin = BACKENDS.table.get(name)
    return elsewhere(name) if plugin is not None and plugin.lock else None


def taker(network: object) -> tuple[str, SupportsLiveModels] | None:
    """The backend that takes a live model over as it is, with its name; None where none does.

    Those that take any callable are asked last; those that cannot be used are not asked.
    """
    last: tuple[str, SupportsLiveModels] | None = None
    for name in BACKENDS.names():
        try:
            found = backend(name)
        except InputError:
            continue
        if isinstance(found, SupportsLiveModels) and found.can_adopt(network):
            if Format.CALLABLE not in found.accepts:
                return name, found
            last = last or (name, found)
    return last
