"""Run a file of MNN on the CPU."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from inferometer.backends.arrays import placed
from inferometer.backends.mnn.network import Network
from inferometer.backends.mnn.options import (
    OPTIONS,
    PRECISIONS,
    config,
    quantization,
    winograd,
)
from inferometer.backends.plain import PlainSession
from inferometer.core.artifact import Artifact, BackendOption, Preparation
from inferometer.core.errors import WorkloadError, is_out_of_memory
from inferometer.core.format import Format
from inferometer.core.model import Inputs, LoadedModel, PlacedInputs
from inferometer.core.protocols import Setting
from inferometer.core.record import FailureKind
from inferometer.core.workload import Variant


class MnnSession(PlainSession):
    """A file that MNN has loaded.

    Args:
        network: the loaded file.
    """

    def __init__(self, network: Network) -> None:
        self._network = network

    def place(self, inputs: Inputs) -> PlacedInputs:
        """Contiguous arrays by the names of the file, in its types; positional ones in its order.

        Raises:
            WorkloadError: (unsupported) they are not those that the file takes.
        """
        return placed(inputs, self._network.dtypes)

    def bind(self, inputs: Inputs) -> Callable[[], object]:
        """A call with arrays in this process's memory; places inputs that were not yet.

        Each call copies inputs into arrays of the runtime, and outputs out of them. Plans and
        arrays for the shapes are made here; again in a call after one with other shapes, as the
        session has those of one.
        """
        ready = inputs if isinstance(inputs, PlacedInputs) else self.place(inputs)
        network, feed = self._network, ready.kwargs
        network.fit(feed)
        hosts = {name: network.host(name, array) for name, array in feed.items()}

        def call() -> object:
            network.fit(feed)
            network.write(hosts)
            return network.run()

        return call

    def outputs(self, raw: object) -> object:
        """The only output, or several by their names in the file."""
        assert isinstance(raw, list)
        names = self._network.outputs
        return raw[0] if len(raw) == 1 else dict(zip(names, raw, strict=True))


class MnnBackend:
    """MNN on the CPU."""

    accepts = frozenset({Format.MNN})
    precisions: tuple[str, ...] = PRECISIONS
    devices: tuple[str, ...] = ("cpu",)
    options: Mapping[str, BackendOption] = OPTIONS

    def __init__(self) -> None:
        self._threads = 1

    def start(self, *, threads: int) -> None:
        """Import the runtime; its threads belong to the files that it loads."""
        import MNN  # noqa: F401 - as said

        self._threads = threads

    def preparation(self, form: Format, variant: Variant) -> Preparation | None:
        """A file of the runtime runs as it is, except for int8; others are converted.

        Raises:
            WorkloadError: (unsupported) the precision or an option cannot be served.
        """
        from inferometer.backends.mnn.prepare import preparation

        return preparation(form, variant)

    def prepare(
        self, model: LoadedModel, variant: Variant, *, samples: Sequence[Inputs], into: Path
    ) -> Artifact:
        """Convert a file, to int8 where that is asked for.

        Raises:
            WorkloadError: (unsupported) it cannot be, or nothing in it would be computed in int8;
                (bad_model) it is damaged.
        """
        from inferometer.backends.mnn.prepare import prepare

        return prepare(model, variant, samples=samples, into=into)

    def load(self, model: LoadedModel, variant: Variant, *, device: str) -> MnnSession:
        """Load a file.

        Raises:
            WorkloadError: (unsupported) the device, the precision or an option cannot be served;
                (bad_model) no file, or a damaged one.
        """
        if device not in self.devices:
            raise WorkloadError("unsupported", f"the backend mnn runs on cpu, not {device}")
        quantization(variant)
        if not model.files:
            raise WorkloadError("bad_model", "the backend mnn runs files, and got none")
        settings = config(variant, self._threads)
        network = Network(model.files[0], settings, winograd=winograd(variant))
        self._threads = network.threads
        return MnnSession(network)

    def classify(self, error: BaseException) -> FailureKind | None:
        """Out of memory; the runtime raises nothing else in a call."""
        return "out_of_memory" if is_out_of_memory(error) else None

    def settings(self) -> Mapping[str, Setting]:
        """The threads of the session, once there is one."""
        return {"threads": self._threads}

    def setting_changes(self, before: Mapping[str, Setting]) -> list[str]:
        """Nothing: a file has no code that could change them."""
        del before
        return []
