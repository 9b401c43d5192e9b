"""The child process: load → warm up → measure, one request at a time, until the line closes."""

from __future__ import annotations

import os
import queue
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from inferometer.core.costing import Costing
from inferometer.core.errors import (
    InputError,
    WorkloadError,
    in_one_line,
    is_out_of_memory,
)
from inferometer.core.profile import Profile
from inferometer.core.protocols import SupportsErrorKinds, SupportsRoofline
from inferometer.core.record import FailureKind
from inferometer.core.roofline import Roofline
from inferometer.core.workload import Variant
from inferometer.models.failures import fault, is_fault
from inferometer.runner.workers import limits
from inferometer.runner.workers.codec import decode, encode
from inferometer.runner.workers.costed import costing_of, costing_of_file
from inferometer.runner.workers.counting import count_all
from inferometer.runner.workers.harness import Harness
from inferometer.runner.workers.line import Closed, Line
from inferometer.runner.workers.loading import load_harness
from inferometer.runner.workers.memory_layers import at_start
from inferometer.runner.workers.messages import (
    REQUESTS,
    Answer,
    CostFile,
    CostModel,
    CountCosts,
    DataOpened,
    Evaluate,
    Evaluated,
    Exported,
    ExportModel,
    Failed,
    GiveOutputs,
    Load,
    Loaded,
    Located,
    LocateModules,
    LocateOperators,
    LookAtData,
    MakeSamples,
    MeasureRound,
    OpenData,
    OutputsGiven,
    PrepareVariant,
    Probe,
    ProfileCalls,
    Recovered,
    RecoverOperators,
    Request,
    RoundDone,
    SamplesMade,
    VariantPrepared,
    WarmUp,
)

if TYPE_CHECKING:
    from inferometer.runner.workers.evaluating import Evaluator
    from inferometer.runner.workers.preparing import Exporter

MESSAGE_CHARACTERS = 500


class Worker:
    """Answers the requests of the parent about one variant."""

    def __init__(self) -> None:
        self.start = at_start()
        self.harness: Harness | None = None
        self.evaluator: Evaluator | None = None
        self.exporter: Exporter | None = None
        self.variant: Variant | None = None
        self.backend = "python"

    def answer(self, request: Request) -> Answer:
        """Do what is asked; whatever goes wrong becomes an answer that says so."""
        try:
            return self._do(request)
        except Exception as error:  # noqa: BLE001 - any error of a model is a result
            return self._failed(self._named(error))

    def _do(self, request: Request) -> Answer:
        match request:
            case Load():
                answer: Answer = self._load(request)
            case WarmUp(shape=shape):
                answer = self._loaded.warm_up(shape)
            case MeasureRound(shape=shape, plan=plan):
                done = self._loaded.run_round(shape, plan)
                answer = RoundDone(round=done, held=self._loaded.held())
            case _:
                answer = self._observe(request)
        return answer

    def _observe(self, request: Request) -> Answer:
        """What measures no latency."""
        match request:
            case CountCosts(shapes=shapes, may_run=may_run):
                answer: Answer = count_all(self._loaded, shapes, may_run=may_run)
            case CostModel():
                answer = self._cost_model(request)
            case CostFile():
                answer = _cost_file(request)
            case ProfileCalls():
                answer = self._profile(request)
            case Probe():
                answer = self._probe(request)
            case LookAtData() | OpenData() | Evaluate():
                answer = self._judge(request)
            case MakeSamples() | GiveOutputs():
                answer = self._compare(request)
            case ExportModel() | PrepareVariant():
                answer = self._prepare(request)
            case LocateOperators() | LocateModules() | RecoverOperators():
                answer = self._locate(request)
            case _:
                raise AssertionError(request)
        return answer

    def _load(self, request: Load) -> Loaded:
        variant, limit_bytes = request.variant, request.memory_limit_bytes
        self.variant, self.backend = variant, variant.backend
        if limit_bytes is not None and request.device == "cpu":
            limits.limit_data(limit_bytes)
        self.harness = load_harness(
            variant,
            device=request.device,
            threads=request.threads,
            seed=request.seed,
            root=Path(request.root),
            started_at=request.started_at,
            gradient_mode=request.gradient_mode,
            prepared=request.prepared,
        )
        return Loaded(facts=self.harness.facts, start=self.start)

    def _profile(self, request: ProfileCalls) -> Profile:
        from inferometer.runner.workers.profiling import profile_here

        return profile_here(
            self._loaded, request.shape, seconds=request.seconds, trace=request.trace
        )

    def _judge(self, request: LookAtData | OpenData | Evaluate) -> DataOpened | Evaluated:
        from inferometer.runner.workers.evaluating import Evaluator, look_at

        if isinstance(request, LookAtData):
            return look_at(request)
        if isinstance(request, OpenData):
            self.evaluator = Evaluator(self._loaded, request)
            return self.evaluator.opened()
        assert self.evaluator is not None
        return self.evaluator.go_on(request.first, request.seconds)

    def _compare(self, request: MakeSamples | GiveOutputs) -> SamplesMade | OutputsGiven:
        from inferometer.runner.workers.outputs import give_outputs, make_samples

        if isinstance(request, MakeSamples):
            return make_samples(self._loaded, request)
        return give_outputs(self._loaded.session, request)

    def _locate(
        self, request: LocateOperators | LocateModules | RecoverOperators
    ) -> Located | Recovered:
        if isinstance(request, LocateModules):
            from inferometer.runner.locating.modules import locate_modules

            return locate_modules(self._loaded.session, request)
        limits.limit_data(request.memory_limit_bytes)
        if isinstance(request, RecoverOperators):
            from inferometer.runner.locating.recovering import recover

            return recover(request)
        from inferometer.runner.locating.files import locate

        return locate(request)

    def _prepare(self, request: ExportModel | PrepareVariant) -> Exported | VariantPrepared:
        from inferometer.runner.workers.preparing import Exporter, prepare

        if isinstance(request, PrepareVariant):
            self.variant, self.backend = request.variant, request.variant.backend
            return prepare(request)
        self.exporter = self.exporter or Exporter(self._loaded.model)
        return self.exporter.export(request)

    def _cost_model(self, request: CostModel) -> Costing:
        assert self.variant is not None
        return costing_of(self._loaded, self.variant, request.shape, may_run=request.may_run)

    def _probe(self, request: Probe) -> Roofline:
        """What the device attains, in a worker that holds no model."""
        from inferometer.backends import backend as backend_called

        self.backend = request.backend
        backend = backend_called(self.backend)
        backend.start(threads=request.threads)
        assert isinstance(backend, SupportsRoofline)
        return backend.probe(
            device=request.device,
            precision=request.precision,
            threads=request.threads,
            plan=request.plan,
        )

    @property
    def _loaded(self) -> Harness:
        assert self.harness is not None
        return self.harness

    def _failed(self, error: Exception) -> Failed:
        message = describe_error(error)[:MESSAGE_CHARACTERS]
        return Failed(kind=self._kind(error), message=message)

    def _named(self, error: Exception) -> Exception:
        """The error, or where our own code raised it, one that does not blame the model."""
        if isinstance(error, WorkloadError | InputError) or is_out_of_memory(error):
            return error
        model = "the model" if self.variant is None else self.variant.model
        return fault(model, error) if is_fault(error) else error

    def _kind(self, error: Exception) -> FailureKind:
        if isinstance(error, WorkloadError):
            return error.kind
        if isinstance(error, InputError):
            return "bad_model"
        if is_out_of_memory(error):
            return "out_of_memory"
        return classify(self.backend, error) or "bad_model"


def _cost_file(request: CostFile) -> Costing:
    limits.limit_data(request.memory_limit_bytes)
    return costing_of_file(request.model, request.file, request.shape, precision=request.precision)


def classify(backend: str, error: Exception) -> FailureKind | None:
    """What the backend makes of an exception; None where it cannot say."""
    from inferometer.backends import backend as backend_called

    try:
        found = backend_called(backend)
        return found.classify(error) if isinstance(found, SupportsErrorKinds) else None
    except (InputError, ImportError):
        return None


def describe_error(error: BaseException) -> str:
    """An exception in one line: its type where the message alone would not say what happened."""
    if isinstance(error, InputError | WorkloadError):
        return " ".join(str(error).split())
    return in_one_line(error, MESSAGE_CHARACTERS)


def requests(line: Line) -> queue.SimpleQueue[bytes]:
    """Requests as they arrive. When the parent has gone, so has this process, whatever it does."""
    arrived: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def listen() -> None:
        try:
            while True:
                message = line.receive()
                assert message is not None
                arrived.put(message)
        except Closed:
            os._exit(0)

    threading.Thread(target=listen, daemon=True).start()
    return arrived


def main(arguments: list[str]) -> None:
    """Serve the socket whose descriptor is the first argument; the second is the parent's id."""
    limits.die_with_parent(int(arguments[1]))
    limits.be_first_to_be_killed()
    limits.no_core_dump()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    line = Line(socket.socket(fileno=int(arguments[0])))
    arrived = requests(line)
    worker = Worker()
    while True:
        request: Request = decode(arrived.get(), *REQUESTS)
        line.send(encode(worker.answer(request)))


if __name__ == "__main__":
    main(sys.argv[1:])
