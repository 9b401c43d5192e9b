"""Sessions: a model in torch, TorchScript, ONNX Runtime, TFLite, or as a function of Python."""

import math
import os
from contextlib import contextmanager
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

from inferometer.fleet.light.networks import (
    Model,
    Refused,
    asked_example,
    filled,
    import_torch,
    imported,
    module_arrays,
)

DTYPES = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}
LITERT = ("ai_edge_litert.interpreter", "tflite_runtime.interpreter", "tensorflow.lite")
KINDS_OF = {
    "torch": ("module", "script"),
    "torchscript": ("module", "script"),
    "onnxruntime": ("onnx",),
    "litert": ("tflite",),
    "python": ("callable",),
}
"""What the agent's sessions run. A full instrument also converts; the agent does not."""
OPTIONS_OF: Dict[str, Dict[str, Tuple[str, ...]]] = {
    "torch": {"memory_format": ("contiguous", "channels_last")},
    "torchscript": {
        "how": ("trace", "script"),
        "optimize": ("off", "freeze", "inference"),
        "memory_format": ("contiguous", "channels_last"),
    },
}

Call = Callable[[], Any]


class Session:
    """A model in a runtime."""

    mode: Optional[str] = None
    threads: Optional[int] = None

    def inputs(self, batch: int, size: Optional[int], seed: int) -> Any:
        """Inputs of a shape."""
        raise NotImplementedError

    def place(self, inputs: Any) -> Any:
        """Inputs as a call takes them, in memory of their own."""
        return inputs

    def bind(self, placed: Any) -> Call:
        """A call that returns when the work is done."""
        raise NotImplementedError

    @contextmanager
    def running(self) -> Iterator[None]:
        """What holds during calls."""
        yield

    def after_first(self, placed: Any) -> None:
        """What the first call allows to be found out."""


class TorchSession(Session):
    """A module or a script, called without gradients."""

    mode: Optional[str] = "no_grad"

    def __init__(self, model: Model, workload: Dict[str, Any]) -> None:
        self.torch = import_torch()
        options, device = workload.get("options", {}), workload["device"]
        self._model, self._device = model, self.torch.device(device)
        self._refuse_device(device)
        self._dtype = getattr(self.torch, DTYPES[workload["precision"]])
        self._layout = options.get("memory_format") == "channels_last"
        module = model.network.eval()
        if any(p.is_floating_point() and p.dtype != self._dtype for p in module.parameters()):
            module = module.to(self._dtype)
        self.module = module.to(self._device)
        if self._layout:
            self.module.to(memory_format=self.torch.channels_last)
        self._optimise = options.get("optimize", "freeze")
        self._how = options.get("how", "trace")
        self._pending = workload["backend"] == "torchscript"
        self.threads = int(self.torch.get_num_threads())

    def _refuse_device(self, device: str) -> None:
        if self._device.type == "cuda" and not self.torch.cuda.is_available():
            raise Refused("unsupported", "this torch finds no cuda device on this machine")
        if self._device.type not in ("cpu", "cuda"):
            raise Refused("unsupported", f"the light agent does not run torch on {device}")

    def inputs(self, batch: int, size: Optional[int], seed: int) -> Any:
        """A picture's tensor, or the example of the factory."""
        if self._model.example is not None:
            return asked_example(self._model, batch, size)
        return module_arrays(self._model, batch, size, seed)

    def place(self, inputs: Any) -> Any:
        """Tensors on the device, floating ones in the precision."""
        return [self._placed(one) for one in inputs]

    def _placed(self, one: Any) -> Any:
        torch = self.torch
        tensor = torch.as_tensor(one) if hasattr(one, "__array__") else one
        if not isinstance(tensor, torch.Tensor):
            return one
        dtype = self._dtype if tensor.is_floating_point() else tensor.dtype
        tensor = tensor.to(self._device, dtype)
        if tensor is one or tensor.data_ptr() == getattr(one, "data_ptr", lambda: 0)():
            tensor = tensor.clone()
        if self._layout and tensor.dim() == 4:
            return tensor.contiguous(memory_format=torch.channels_last)
        return tensor

    def bind(self, placed: Any) -> Call:
        """The forward pass; on a GPU, until it has finished."""
        if self._pending:
            self._scripted(placed)
        module, args = self.module, tuple(placed)
        if self._device.type != "cuda":
            return lambda: module(*args)
        wait, device = self.torch.cuda.synchronize, self._device

        def call() -> Any:
            output = module(*args)
            wait(device)
            return output

        return call

    def _scripted(self, placed: Any) -> None:
        jit = self.torch.jit
        self._pending, module = False, self.module
        if not isinstance(module, jit.ScriptModule):
            with self.torch.no_grad():
                example = tuple(placed)
                options = {"strict": False, "check_trace": False}
                trace = self._how == "trace"
                module = jit.trace(module, example, **options) if trace else jit.script(module)
        if self._optimise == "freeze" and not module.training:
            module = jit.freeze(module)
        elif self._optimise == "inference":
            module = jit.optimize_for_inference(module.eval())
        self.module = module

    @contextmanager
    def running(self) -> Iterator[None]:
        """No gradients."""
        inference = self.mode == "inference_mode"
        with self.torch.inference_mode() if inference else self.torch.no_grad():
            yield

    def after_first(self, placed: Any) -> None:
        """Take inference mode where this torch has it and the model bears it."""
        if self.mode != "no_grad" or not hasattr(self.torch, "inference_mode"):
            return
        try:
            with self.torch.inference_mode():
                self.bind(placed)()
        except RuntimeError:
            return
        self.mode = "inference_mode"


class OnnxSession(Session):
    """An ONNX file in ONNX Runtime."""

    def __init__(self, model: Model, workload: Dict[str, Any]) -> None:
        runtime = imported("onnxruntime", "ONNX Runtime")
        provider = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
        wanted = provider.get(workload["device"].partition(":")[0])
        if wanted is None or wanted not in runtime.get_available_providers():
            raise Refused(
                "unsupported", f"this onnxruntime has no provider for {workload['device']}"
            )
        options = runtime.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads = workload["threads"]
        options.inter_op_num_threads = 1
        self._session = runtime.InferenceSession(model.path, options, providers=[wanted])
        self.threads = workload["threads"]

    def inputs(self, batch: int, size: Optional[int], seed: int) -> Any:
        """Arrays by the names of the file; open axes are the batch, then the size."""
        return {
            one.name: filled(_open_shape(one, batch, size), _numpy_type(one.type), seed)
            for one in self._session.get_inputs()
        }

    def place(self, inputs: Any) -> Any:
        """Copies."""
        return {name: array.copy() for name, array in inputs.items()}

    def bind(self, placed: Any) -> Call:
        """A call for all outputs."""
        session = self._session
        return lambda: session.run(None, placed)


def _open_shape(one: Any, batch: int, size: Optional[int]) -> Tuple[int, ...]:
    shape = []
    for place, length in enumerate(one.shape):
        if isinstance(length, int) and length > 0:
            fixed = length
            if place == 0 and length != batch and len(one.shape) > 1:
                raise Refused("unsupported", f"the file was made for batch {length}")
            if size is not None and place >= 2 and len(one.shape) == 4 and length != size:
                raise Refused("unsupported", f"the file was made for input size {length}")
        elif place == 0:
            fixed = batch
        elif size is None:
            raise Refused("unsupported", f"input {one.name} is open along {length}; give a size")
        else:
            fixed = size
        shape.append(fixed)
    return tuple(shape)


def _numpy_type(text: str) -> str:
    name = text.replace("tensor(", "").rstrip(")")
    return {"float": "float32", "double": "float64"}.get(name, name)


class TfliteSession(Session):
    """A TFLite file in whatever interpreter is there."""

    def __init__(self, model: Model, workload: Dict[str, Any]) -> None:
        if workload["device"] != "cpu":
            raise Refused("unsupported", f"TFLite runs on cpu here, not on {workload['device']}")
        self._one = _interpreter()(model_path=model.path, num_threads=workload["threads"])
        self._one.allocate_tensors()
        self.threads = workload["threads"]
        self._shapes: List[Tuple[int, ...]] = []

    def inputs(self, batch: int, size: Optional[int], seed: int) -> Any:
        """Arrays in the order of the file."""
        made = []
        for one in self._one.get_input_details():
            said = one.get("shape_signature", one["shape"])
            named = _Axes(str(one["name"]), [int(x) if int(x) > 0 else "?" for x in said])
            shape = _open_shape_last(named, batch, size)
            made.append(filled(shape, str(one["dtype"].__name__), seed))
        return made

    def place(self, inputs: Any) -> Any:
        """Copies."""
        return [array.copy() for array in inputs]

    def bind(self, placed: Any) -> Call:
        """Inputs in, invoke, outputs out: as users of the interpreter do."""
        one = self._one
        indices = [detail["index"] for detail in one.get_input_details()]
        shapes = [tuple(array.shape) for array in placed]
        if shapes != [tuple(detail["shape"]) for detail in one.get_input_details()]:
            for index, shape in zip(indices, shapes):
                one.resize_tensor_input(index, shape)
            one.allocate_tensors()
        feed = list(zip(indices, placed))
        wanted = [detail["index"] for detail in one.get_output_details()]

        def call() -> Any:
            for index, values in feed:
                one.set_tensor(index, values)
            one.invoke()
            return [one.get_tensor(index) for index in wanted]

        return call


class _Axes:
    def __init__(self, name: str, shape: List[Any]) -> None:
        self.name, self.shape = name, shape


def _open_shape_last(one: Any, batch: int, size: Optional[int]) -> Tuple[int, ...]:
    """The shape of an input whose pictures have their channels last, as TFLite's have."""
    lengths = list(one.shape)
    if len(lengths) == 4:  # NHWC, checked as NCHW
        lengths = [lengths[0], lengths[3], lengths[1], lengths[2]]
    shape = _open_shape(_Axes(one.name, lengths), batch, size)
    return (shape[0], shape[2], shape[3], shape[1]) if len(shape) == 4 else shape


def _interpreter() -> Any:
    for name in LITERT:
        try:
            return imported(name, "TFLite").Interpreter
        except Refused:
            continue
    raise Refused(
        "unsupported",
        "no TFLite interpreter can be imported on this device; install tflite_runtime or "
        "ai-edge-litert",
    )


class PythonSession(Session):
    """A function, called as it is."""

    def __init__(self, model: Model, workload: Dict[str, Any]) -> None:
        if workload["device"] != "cpu":
            raise Refused("unsupported", f"python runs on cpu, not on {workload['device']}")
        self._model = model

    def inputs(self, batch: int, size: Optional[int], seed: int) -> Any:
        """Its example, or what its maker gives; no seed changes it."""
        del seed
        return asked_example(self._model, batch, size)

    def bind(self, placed: Any) -> Call:
        """The function."""
        function, args = self._model.network, placed
        return lambda: function(*args)


SESSIONS: Dict[str, Callable[[Model, Dict[str, Any]], Session]] = {
    "torch": TorchSession,
    "torchscript": TorchSession,
    "onnxruntime": OnnxSession,
    "litert": TfliteSession,
    "python": PythonSession,
}


def start(backend: str, threads: int) -> None:
    """Import a runtime and pin its threads."""
    if backend not in SESSIONS:
        raise Refused("unsupported", f"the light agent has no backend {backend}")
    if backend in ("torch", "torchscript"):
        torch = import_torch()
        torch.set_num_threads(threads)
        try:
            torch.set_num_interop_threads(1)
        except RuntimeError:
            pass
    elif backend == "onnxruntime":
        imported("onnxruntime", "ONNX Runtime")
    elif backend == "litert":
        _interpreter()


def session_of(model: Model, workload: Dict[str, Any]) -> Session:
    """Load a model into its runtime; refuses what the agent cannot serve."""
    why = why_not(model.kind, workload)
    if why is not None:
        raise Refused("unsupported", why)
    return SESSIONS[workload["backend"]](model, workload)


def why_not(kind: str, workload: Dict[str, Any]) -> Optional[str]:
    """Why the agent cannot run a model of a kind as a workload asks for; None where it can."""
    backend, precision = workload["backend"], workload["precision"]
    if backend not in SESSIONS:
        return f"the light agent has no backend {backend}; it has {', '.join(SESSIONS)}"
    if kind not in KINDS_OF[backend]:
        runs = " and ".join(KINDS_OF[backend])
        return f"the light agent converts nothing: {backend} runs {runs}, and this is a {kind}"
    known = OPTIONS_OF.get(backend, {})
    for name, value in workload.get("options", {}).items():
        if value not in known.get(name, ()):
            return f"the light agent does not serve the option {backend}.{name}={value}"
    if backend in ("torch", "torchscript"):
        return None if precision in DTYPES else f"the light agent has no {precision} in torch"
    if precision == "fp32":
        return None
    return (
        f"{backend} runs a file as it is, under the name fp32; the light agent does not convert "
        f"it to {precision}"
    )


def bad_numbers(output: Any) -> Optional[str]:
    """Where an output holds NaN or infinity; None where it holds neither."""
    if isinstance(output, float):
        return None if math.isfinite(output) else "nan or inf"
    if isinstance(output, dict):
        output = list(output.values())
    if isinstance(output, (list, tuple)):
        return next((found for found in map(bad_numbers, output) if found), None)
    if hasattr(output, "is_floating_point"):
        if not output.is_floating_point() or not output.numel():
            return None
        output = float(output.detach().float().abs().max())
        return None if math.isfinite(output) else "some values are NaN or infinite"
    if getattr(getattr(output, "dtype", None), "kind", "") == "f" and output.size:
        largest = float(abs(output).max())
        return None if math.isfinite(largest) else "some values are NaN or infinite"
    return None


def shape_text(inputs: Any) -> str:
    """For the record, such as `8x3x224x224`."""
    named = list(inputs.items()) if isinstance(inputs, dict) else [("", one) for one in inputs]
    shapes = [(name, tuple(getattr(one, "shape", ()))) for name, one in named]
    texts = [f"{name} {'x'.join(map(str, shape))}".strip() for name, shape in shapes if shape]
    return ", ".join(texts) or "as the function takes them"


def file_bytes(paths: List[str]) -> Optional[int]:
    """Size of the files that a model was read from; None where there were none."""
    return sum(os.path.getsize(path) for path in paths) if paths else None
