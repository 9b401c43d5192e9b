"""Run inputs: a batch of them in a forked child, each within bounds of time and memory."""

from __future__ import annotations

import io
import json
import os
import random
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any

from tests.fuzz import checks
from tests.fuzz.case import Case, Kind, Outcome, Result
from tests.fuzz.guard import Guard, Stopped

from inferometer.core import registry as core_registry
from inferometer.host import software

PATIENCE_S = 60.0
"""By the clock: other programs may need the processor too."""
LOOK_S = 1.0
"""How often a command that goes on is asked whether it computes or waits."""
MOST_BYTES = 1 << 30
HARNESS_FAILED = 3
"""Exit status of a child that has said so."""
BACKSTOP_BYTES = 5 << 30
"""Where the system refuses more memory, so that one input cannot take the machine down."""

Message = dict[str, Any]


class Runner:
    """Runs inputs in this process, which is a child made for it."""

    def __init__(self, kind: Kind, folder: Path) -> None:
        self.kind = kind
        self.folder = folder
        self.guard = Guard()
        self.out = os.memfd_create("out")
        self.err = os.memfd_create("err")

    def prepare(self) -> None:
        """Close the doors."""
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_DATA, (BACKSTOP_BYTES, BACKSTOP_BYTES))
        for number in (signal.SIGPROF, signal.SIGVTALRM, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGALRM, self._look)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for target, descriptor in enumerate((nothing, self.out, self.err)):
            os.dup2(descriptor, target)
        # No package here offers plug-ins, and looking for them takes longer than most commands.
        core_registry.distributions = lambda: iter(())  # type: ignore[assignment]
        software.installed_version = cache(software.installed_version)  # and neither do versions
        if self.kind.parquet_here:
            from tests.fuzz.here import read_parquet_here

            read_parquet_here()
        if self.kind.worker_here:
            from tests.fuzz.here import work_here

            work_here()
        self.guard.install()

    def run(self, seed: int, begun: Callable[[Message], None] = lambda _: None) -> Result:
        """Make an input, run it, and look at what came of it.

        Args:
            seed: its number.
            begun: is told what it is before it runs.
        """
        folder = self.folder
        _empty(folder)
        os.chdir(folder)
        os.environ["HOME"] = str(folder)
        tempfile.tempdir = str(folder)
        rng = random.Random(f"{self.kind.name}:{seed}")
        case = self.kind.make(rng, folder)
        begun({"seed": seed, "args": [*map(ascii, case.args)]})
        before = checks.state(folder)
        _forget_peak()
        held, start, begin = _status("VmRSS"), time.process_time(), time.monotonic()
        outcome = self.execute(case, case.args)
        seconds, wall_s = time.process_time() - start, time.monotonic() - begin
        grown = max(_status("VmHWM") - held, 0)
        found = [*checks.problems(case, outcome), *self.guard.seen]
        found += self._unexpected()
        if checks.OURS.search(outcome.err.decode(errors="replace")):
            again = self.execute(case, ["--debug", *case.args])
            found.append(checks.place_of(again.raised or again.err.decode(errors="replace")))
        found += checks.left_behind(case, outcome, before, checks.state(folder))
        if seconds > self.kind.most_s:
            found.append(f"it computed for {seconds:.1f} s")
        if grown > MOST_BYTES:
            found.append(f"it took {grown / (1 << 30):.2f} GiB")
        if case.then is not None and not found:
            found += case.then(outcome, lambda args: self.execute(case, args))
        return Result(
            seed=seed,
            verdict=outcome.verdict,
            faults=tuple(found),
            seconds=seconds,
            wall_s=wall_s,
            grown_bytes=grown,
            args=tuple(map(ascii, case.args)),
        )

    def execute(self, case: Case, args: Sequence[str]) -> Outcome:
        """Run a command line as the program does."""
        from inferometer.cli.main import main

        for descriptor in (self.out, self.err):
            os.ftruncate(descriptor, 0)
            os.lseek(descriptor, 0, os.SEEK_SET)
        stdout, stderr = sys.stdout, sys.stderr
        sys.stdout = _text(case.stdout or 1, case.encoding, "strict")
        sys.stderr = _text(2, case.encoding, "backslashreplace")
        status: int | None = None
        raised, stopped = "", False
        self.guard.reset(self.folder)
        self.begun = _Waited()
        _alarm(self.kind.most_s * 1.2, min(LOOK_S, self.kind.most_s / 2))
        try:
            main(list(args))
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else 0
        except Stopped:
            stopped = True
        except BaseException:  # noqa: BLE001 - that is what is looked for
            raised = traceback.format_exc()
        finally:
            _alarm(0, 0)
            self.guard.active = False
            with suppress(OSError, ValueError):
                sys.stdout.flush()
            sys.stderr.flush()
            for stream in (sys.stdout, sys.stderr):
                with suppress(OSError, ValueError):
                    stream.close()
            sys.stdout, sys.stderr = stdout, stderr
        return Outcome(
            status=status,
            out=_content(self.out),
            err=_content(self.err),
            raised=raised,
            stopped=stopped,
        )

    def _unexpected(self) -> list[str]:
        """What a worker raised that is no failure of its model."""
        if not self.kind.worker_here:
            return []
        from tests.fuzz.here import unexpected

        places = [f"raised while counting: {checks.place_of(trace)}" for trace in unexpected]
        unexpected.clear()
        return places

    def _look(self, *_: object) -> None:
        """End a command that waits for what does not come."""
        if self.begun.seconds() > self.kind.most_s or self.begun.wall_s() > PATIENCE_S:
            os.kill(os.getpid(), signal.SIGVTALRM)


class _Waited:
    """How long this process has neither computed nor waited for the processor."""

    def __init__(self) -> None:
        self.start, self.busy = time.monotonic(), _busy_s()

    def wall_s(self) -> float:
        """By the clock."""
        return time.monotonic() - self.start

    def seconds(self) -> float:
        """Of waiting."""
        return self.wall_s() - (_busy_s() - self.busy)


def _busy_s() -> float:
    """Seconds of computing and of waiting for the processor; of computing where no more is told."""
    try:
        with open("/proc/self/schedstat") as file:  # noqa: PTH123
            return sum(map(int, file.read().split()[:2])) / 1e9
    except OSError:
        return time.process_time()


def run_seeds(
    kind: Kind, seeds: Sequence[int], folder: Path, *, batch: int = 200
) -> Iterator[Result]:
    """Run inputs in children, a new one for each batch, and for what is left when one dies."""
    left = list(seeds)
    while left:
        now, left = left[:batch], left[batch:]
        done = 0
        for result in _in_child(kind, now, folder):
            done += 1
            yield result
        left = now[done:] + left


def _in_child(kind: Kind, seeds: Sequence[int], folder: Path) -> Iterator[Result]:
    """Results of a child; the input at which it dies has one too, and is the last."""
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _child(kind, seeds, folder, writing)
    os.close(writing)
    done, ended, last = 0, "", Result(seed=seeds[0], verdict="died")
    with os.fdopen(reading, "rb") as stream:
        while done < len(seeds):
            if not select.select([stream], [], [], 2 * PATIENCE_S)[0]:
                ended = "it did not end, and neither did the harness"
                break
            line = stream.readline()
            if not line:
                break
            data = {k: tuple(v) if isinstance(v, list) else v for k, v in json.loads(line).items()}
            if "verdict" in data:
                done += 1
                yield Result(**data)
            else:
                last = Result(verdict="died", **data)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if done < len(seeds) and os.waitstatus_to_exitcode(status) != HARNESS_FAILED:
        yield replace(last, seed=seeds[done], faults=(ended or _death(status, kind.most_s),))


def _death(status: int, most_s: float) -> str:
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    if number == signal.SIGPROF:
        return f"it computed for more than {most_s:g} s"
    if number == signal.SIGVTALRM:
        return f"it waited for more than {most_s:g} s"
    return f"the process died: status {status}, signal {number}"


def _child(kind: Kind, seeds: Sequence[int], folder: Path, writing: int) -> None:
    def tell(message: Message) -> None:
        os.write(writing, json.dumps(message).encode() + b"\n")

    status, seed = HARNESS_FAILED, seeds[0]
    try:
        os.setpgid(0, 0)
        runner = Runner(kind, folder)
        runner.prepare()
        for seed in seeds:
            tell(asdict(runner.run(seed, tell)))
        status = 0
    except BaseException:  # noqa: BLE001 - a fault of the harness
        text = traceback.format_exc()
        line = Result(seed=seed, verdict="died", faults=(f"the harness failed: {text}",))
        tell(asdict(line))
    finally:
        os._exit(status)


def _text(target: str | int, encoding: str, errors: str) -> io.TextIOWrapper:
    raw = open(target, "wb", closefd=isinstance(target, str))  # noqa: SIM115
    return io.TextIOWrapper(raw, encoding=encoding, errors=errors)


def _content(descriptor: int) -> bytes:
    return os.pread(descriptor, 1 << 24, 0)


def _alarm(processor_s: float, every_s: float) -> None:
    signal.setitimer(signal.ITIMER_PROF, processor_s)
    signal.setitimer(signal.ITIMER_REAL, every_s, every_s)


def _forget_peak() -> None:
    with open("/proc/self/clear_refs", "w") as file:  # noqa: PTH123
        file.write("5")


def _status(name: str) -> int:
    with open("/proc/self/status") as file:  # noqa: PTH123
        for line in file:
            if line.startswith(name):
                return int(line.split()[1]) << 10
    return 0


def _empty(folder: Path) -> None:
    os.chdir("/")
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
