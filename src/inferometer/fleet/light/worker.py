"""The agent's worker process: loads one variant, and answers requests, a line of JSON each."""

import ctypes
import gc
import json
import os
import signal
import sys
import time
import traceback
from typing import Any, Dict, Optional, Tuple

from inferometer.fleet.light.harness import Clock, Harness
from inferometer.fleet.light.networks import Refused, open_model
from inferometer.fleet.light.runtimes import session_of, start
from inferometer.fleet.light.signals import Watch

RESERVED_BYTES = 768 << 20
_PDEATHSIG = 1


def worker_main() -> int:
    """Answer requests until the parent closes the line or dies."""
    requests = os.fdopen(os.dup(0), "r")
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer
    be_a_worker()
    worker = Worker()
    for line in requests:
        answer = worker.answer(json.loads(line))
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
    return 0


def be_a_worker() -> None:
    """Die with the parent, and be the first whom the kernel kills for memory."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PDEATHSIG, signal.SIGKILL)
    try:
        with open("/proc/self/oom_score_adj", "w") as stream:
            stream.write("1000")
    except OSError:
        pass
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends it


class Worker:
    """One variant in this process."""

    def __init__(self) -> None:
        self._harness: Optional[Harness] = None
        self._seed = 0

    def answer(self, request: Dict[str, Any]) -> Dict[str, Any]:
        """What a request asks for, or the failure."""
        try:
            if request["do"] == "load":
                return self._load(request)
            assert self._harness is not None
            batch, size = request["batch_size"], request["input_size"]
            if request["do"] == "warm":
                return self._harness.warm_up(batch, size, self._seed)
            return self._round((batch, size), request["plan"])
        except BaseException as error:  # noqa: BLE001 - whatever a model raises is a result
            return {"failure": failure_of(error)}

    def _round(self, shape: Tuple[int, Optional[int]], plan: Dict[str, Any]) -> Dict[str, Any]:
        assert self._harness is not None
        return {"round": self._harness.run_round(shape, self._seed, plan)}

    def _load(self, request: Dict[str, Any]) -> Dict[str, Any]:
        workload, clock = request["workload"], Clock(request["offset_s"])
        self._seed = request["seed"]
        threads = workload["threads"]
        limit_memory(request.get("memory_limit_bytes"))
        start(workload["backend"], threads)
        imported_at, begin = time.monotonic(), time.perf_counter()
        files, folders = request["files"], request["folders"]
        model = open_model(workload["model"], self._seed, files, folders)
        session = session_of(model, workload)
        load_s = time.perf_counter() - begin
        gc.collect()
        freeze = getattr(gc, "freeze", None)  # from Python 3.7 on
        if freeze is not None:
            freeze()
        self._harness = Harness(model, session, Watch("/", threads), clock)
        self._harness.ready_s = imported_at - request["started_at"] + load_s
        return {"figures": self._harness.facts(load_s)}


def limit_memory(limit_bytes: Optional[int]) -> None:
    """Let allocations beyond the limit fail, so that out of memory is an error, not a death."""
    if limit_bytes is None:
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    soft = limit_bytes + RESERVED_BYTES
    if hard != resource.RLIM_INFINITY:
        soft = min(soft, hard)
    try:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
    except (OSError, ValueError):
        pass


def failure_of(error: BaseException) -> Dict[str, str]:
    """Kind and message of what a model, a runtime or the agent raised."""
    if isinstance(error, Refused):
        return {"kind": error.kind, "message": str(error)}
    text = " ".join(str(error).split()) or type(error).__name__
    lower = text.lower()
    if isinstance(error, MemoryError) or "out of memory" in lower or "can't allocate" in lower:
        return {"kind": "out_of_memory", "message": text[:300] or "out of memory"}
    traceback.print_exc()  # to the log
    return {"kind": "bad_model", "message": f"{type(error).__name__}: {text}"[:300]}
