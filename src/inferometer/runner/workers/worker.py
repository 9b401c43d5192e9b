"""The child process: load → warm up → measure, one request at a time, until the line closes."""

from __future__ import annotations

import os
import queue
import signal
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from inferometer.core.errors import (
    InputError,
    WorkloadError,
    in_one_line,
    is_out_of_memory,
)
from inferometer.core.protocols import SupportsErrorKinds, SupportsRoofline
from inferometer.core.record import Failure, FailureKind
from inferometer.core.roof import ProbePlan
from inferometer.core.workload import Shape, Variant
from inferometer.models.failures import fault, is_fault
from inferometer.runner.workers import limits
from inferometer.runner.workers.costed import costing_of, costing_of_file
from inferometer.runner.workers.counting import count_all
from inferometer.runner.workers.harness import Bench, RoundPlan
from inferometer.runner.workers.loading import load_bench
from inferometer.runner.workers.memory_layers import at_start
from inferometer.runner.workers.messages import (
    Closed,
    Line,
    Message,
    failure_to_json,
    round_to_json,
)

MESSAGE_CHARACTERS = 500


class Worker:
    """Answers the requests of the parent about one variant."""

    def __init__(self) -> None:
        self.start = at_start()
        self.bench: Bench | None = None
        self.variant: Variant | None = None
        self.backend = "python"

    def answer(self, request: Message) -> Message:
        """Do what is asked; whatever goes wrong becomes an answer that says so."""
        try:
            return self._do(request)
        except Exception as error:  # noqa: BLE001 - any error of a model is a result
            return failure_to_json(self._failure(self._named(error), request["do"]))

    def _do(self, request: Message) -> Message:
        answers: dict[str, Callable[[Message], Message]] = {
            "load": self._load,
            "cost": self._cost,
            "probe": self._probe,
            "profile": self._profile,
            "costing": self._costing,
            "file costing": self._file_costing,
            "warmup": self._warm_up,
            "round": self._round,
        }
        return answers[request["do"]](request)

    def _cost(self, request: Message) -> Message:
        shapes = [Shape(**shape) for shape in request["shapes"]]
        answers = count_all(self._loaded, shapes, may_run=request.get("may_run", False))
        return {"answers": answers}

    def _costing(self, request: Message) -> Message:
        assert self.variant is not None
        shape = Shape(**request["shape"])
        found = costing_of(self._loaded, self.variant, shape, may_run=request["may_run"])
        return {"costing": found.to_json()}

    def _file_costing(self, request: Message) -> Message:
        limits.limit_data(request["memory_limit_bytes"])
        found = costing_of_file(
            request["model"],
            request["file"],
            Shape(**request["shape"]),
            precision=request["precision"],
        )
        return {"costing": found.to_json()}

    def _profile(self, request: Message) -> Message:
        from inferometer.runner.workers.profiling import profile_here

        found = profile_here(
            self._loaded,
            Shape(**request["shape"]),
            seconds=request["seconds"],
            trace=request["trace"],
        )
        return {"profile": found.to_json()}

    def _probe(self, request: Message) -> Message:
        """What the device attains, in a worker that holds no model."""
        from inferometer.backends import backend as backend_called

        self.backend = request["backend"]
        backend = backend_called(self.backend)
        backend.start(threads=request["threads"])
        assert isinstance(backend, SupportsRoofline)
        known = {name: request[name] for name in ("device", "precision", "threads")}
        return {"roof": backend.probe(**known, plan=ProbePlan(**request["plan"])).to_json()}

    def _warm_up(self, request: Message) -> Message:
        warm = self._loaded.warm_up(Shape(**request["shape"]))
        return {
            "first_call_s": warm.first_call_s,
            "round": round_to_json(warm.round),
            "input_shape": warm.input_shape,
            "seen": warm.seen,
            "size_applied": warm.size_applied,
            "batch_applied": warm.batch_applied,
            "notes": list(warm.notes),
            "variant_notes": list(warm.variant_notes),
            "facts": self._loaded.mode_facts(),
            "held": warm.held.to_json(),
        }

    def _round(self, request: Message) -> Message:
        done = self._loaded.run_round(Shape(**request["shape"]), RoundPlan(**request["plan"]))
        return {"round": round_to_json(done), "held": self._loaded.held().to_json()}

    @property
    def _loaded(self) -> Bench:
        assert self.bench is not None
        return self.bench

    def _load(self, request: Message) -> Message:
        variant = Variant(**request["variant"])
        self.variant, self.backend = variant, variant.backend
        if request["memory_limit_bytes"] is not None and request["device"] == "cpu":
            limits.limit_data(request["memory_limit_bytes"])
        self.bench = load_bench(
            variant,
            device=request["device"],
            threads=request["threads"],
            seed=request["seed"],
            root=Path(request["root"]),
            started_at=request["started_at"],
            gradient_mode=request["gradient_mode"],
        )
        return {"facts": self.bench.facts, "start": asdict(self.start)}

    def _failure(self, error: Exception, doing: str) -> Failure:
        return Failure(
            stage="load" if doing == "load" else "measure",  # the parent knows the stage
            kind=self._kind(error),
            message=describe_error(error)[:MESSAGE_CHARACTERS],
        )

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


def requests(line: Line) -> queue.SimpleQueue[Message]:
    """Requests as they arrive. When the parent has gone, so has this process, whatever it does."""
    arrived: queue.SimpleQueue[Message] = queue.SimpleQueue()

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
        line.send(worker.answer(arrived.get()))


if __name__ == "__main__":
    main(sys.argv[1:])
