"""Run a TFLite file with LiteRT's interpreter on the CPU, as a rule by way of XNNPACK."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from inferometer.backends.arrays import placed
from inferometer.backends.litert.refusals import classify, refused
from inferometer.backends.litert.slots import slots
from inferometer.backends.plain import PlainSession
from inferometer.core.artifact import Artifact, BackendOption, Preparation
from inferometer.core.errors import WorkloadError
from inferometer.core.format import Format
from inferometer.core.model import Inputs, LoadedModel, PlacedInputs
from inferometer.core.protocols import Setting
from inferometer.core.record import FailureKind
from inferometer.core.workload import Variant
from inferometer.host.software import installed_version

if TYPE_CHECKING:
    from ai_edge_litert.interpreter import Interpreter

PACKAGE = "ai-edge-litert"
MADE_FROM = (Format.TORCH_MODULE, Format.EXPORTED_PROGRAM)
OPTIONS = {
    "delegate": BackendOption(
        values=("xnnpack", "none"),
        usual="xnnpack",
        says="whether XNNPACK runs the operators that it has, or LiteRT's own kernels run all",
    ),
    "quantization": BackendOption(
        values=("static", "dynamic", "weights"),
        usual="static",
        says="how int8 is made: weights and activations, with samples for their ranges; "
        "activations by their range in each call; or weights alone, with arithmetic in fp32",
    ),
}


class LiteRtSession(PlainSession):
    """A file that LiteRT has loaded: its first subgraph.

    A call copies the inputs into the interpreter's memory, and the outputs out of it, as users of
    its interface do.

    Args:
        interpreter: of the file, with its tensors in place.
    """

    def __init__(self, interpreter: Interpreter) -> None:
        self._interpreter = interpreter
        self._inputs, self._outputs = slots(interpreter)
        self._shapes = tuple(slot.shape for slot in self._inputs.values())

    def place(self, inputs: Inputs) -> PlacedInputs:
        """Contiguous arrays by the names of the file, in its types and shapes.

        Floating ones for an input that the file has in whole numbers with a scale are quantised.

        Raises:
            WorkloadError: (unsupported) they are not those that the file takes.
        """
        named = list(self._inputs.values())
        args = [slot.stored(value) for slot, value in zip(named, inputs.args, strict=False)]
        kwargs = {
            name: self._inputs[name].stored(value) if name in self._inputs else value
            for name, value in inputs.kwargs.items()
        }
        stored = replace(inputs, args=(*args, *inputs.args[len(args) :]), kwargs=kwargs)
        ready = placed(stored, {name: slot.dtype for name, slot in self._inputs.items()})
        for name, slot in self._inputs.items():
            slot.check(ready.kwargs[name].shape)
        return ready

    def bind(self, inputs: Inputs) -> Callable[[], object]:
        """A call of the interpreter; places inputs that were not.

        It returns when all outputs are there, in memory of their own.
        """
        ready = inputs if isinstance(inputs, PlacedInputs) else self.place(inputs)
        feed = [(slot.index, ready.kwargs[name]) for name, slot in self._inputs.items()]
        shapes = tuple(tuple(array.shape) for _, array in feed)
        wanted = [slot.index for slot in self._outputs.values()]
        interpreter = self._interpreter
        self._fit(shapes)

        def call() -> object:
            if self._shapes != shapes:  # inputs of another shape were bound meanwhile
                self._fit(shapes)
            for index, array in feed:
                interpreter.set_tensor(index, array)
            interpreter.invoke()
            return [interpreter.get_tensor(index) for index in wanted]

        return call

    def outputs(self, raw: object) -> object:
        """The only output, or several by their names in the file.

        Whole numbers with a scale become the numbers that they stand for.
        """
        assert isinstance(raw, list)
        found = {
            slot.name: slot.meant(one)
            for slot, one in zip(self._outputs.values(), raw, strict=True)
        }
        return next(iter(found.values())) if len(found) == 1 else found

    def _fit(self, shapes: tuple[tuple[int, ...], ...]) -> None:
        """Give open axes their lengths."""
        if self._shapes == shapes:
            return
        for slot, shape in zip(self._inputs.values(), shapes, strict=True):
            self._interpreter.resize_tensor_input(slot.index, shape, strict=True)
        self._interpreter.allocate_tensors()
        self._shapes = shapes


class LiteRtBackend:
    """LiteRT on the CPU; it runs a file in the types that the file has."""

    accepts = frozenset({Format.TFLITE})
    precisions: tuple[str, ...] = ("fp32", "fp16", "int8")
    devices: tuple[str, ...] = ("cpu",)
    options: Mapping[str, BackendOption] = OPTIONS

    def __init__(self) -> None:
        self._threads = 1

    def start(self, *, threads: int) -> None:
        """Import the runtime; its threads belong to the interpreter that `load` makes."""
        import ai_edge_litert.interpreter  # noqa: F401 - so that it is not part of the load time

        self._threads = threads

    def preparation(self, form: Format, variant: Variant) -> Preparation | None:
        """A program of torch is converted for one shape; a TFLite file runs as it is.

        Raises:
            WorkloadError: (unsupported) another precision, or another one of a file.
        """
        self._check(variant, "cpu")
        if form is Format.TFLITE and variant.precision != "fp32":
            raise WorkloadError(
                "unsupported",
                f"the backend litert does not convert a file to {variant.precision}: it runs it as "
                "it is, under the name fp32",
            )
        if form not in MADE_FROM:
            return None
        calibrates = variant.precision == "int8" and chosen(variant, "quantization") == "static"
        tools = (PACKAGE, "litert-torch", "litert-converter", "litert-quantizer", "torch")
        return Preparation(
            wants=Format.EXPORTED_PROGRAM, each_shape=True, calibrates=calibrates, tools=tools
        )

    def prepare(
        self, model: LoadedModel, variant: Variant, *, samples: Sequence[Inputs], into: Path
    ) -> Artifact:
        """Convert with litert-torch, and quantise with litert-quantizer.

        Raises:
            WorkloadError: (unsupported) one of them is not there, or cannot do it for this model;
                (bad_model) the file is damaged.
        """
        from inferometer.backends.litert.prepare import prepare

        return prepare(model, variant, samples=samples, threads=self._threads, into=into)

    def load(self, model: LoadedModel, variant: Variant, *, device: str) -> LiteRtSession:
        """Make an interpreter of a file. No library of operators or delegates is ever loaded.

        Raises:
            WorkloadError: (unsupported) another device or precision, or an operator that the
                runtime does not have; (bad_model) no file, or a damaged one.
        """
        self._check(variant, device)
        if not model.files:
            raise WorkloadError("bad_model", "the backend litert runs files, and got none")
        return LiteRtSession(
            opened(model.files[0], self._threads, delegate=chosen(variant, "delegate"))
        )

    def classify(self, error: BaseException) -> FailureKind | None:
        """Out of memory and unsupported inputs, told from errors of the runtime alone."""
        return classify(error)

    def settings(self) -> Mapping[str, Setting]:
        """The threads of the interpreter, which takes so many and does not tell."""
        return {"threads": self._threads}

    def setting_changes(self, before: Mapping[str, Setting]) -> list[str]:
        """Nothing: a file has no code that could change them."""
        del before
        return []

    def _check(self, variant: Variant, device: str) -> None:
        if device not in self.devices:
            raise WorkloadError("unsupported", f"the backend litert runs on cpu, not {device}")
        if variant.precision not in self.precisions:
            raise WorkloadError(
                "unsupported",
                f"litert has no precision {variant.precision}; it has {', '.join(self.precisions)}",
            )


def chosen(variant: Variant, name: str) -> str:
    """The value of an option, or what is usual."""
    return dict(variant.options).get(name, OPTIONS[name].usual)


def opened(path: str, threads: int, *, delegate: str) -> Interpreter:
    """An interpreter of a file, with its tensors in place.

    Raises:
        WorkloadError: as `LiteRtBackend.load`.
    """
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    own = delegate == "none"
    kernels = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES if own else OpResolverType.BUILTIN
    try:
        found = Interpreter(path, num_threads=threads, experimental_op_resolver_type=kernels)
        found.allocate_tensors()
    except Exception as error:
        raise refused(path, error, installed_version(PACKAGE) or "") from error
    return found
