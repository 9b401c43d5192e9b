"""Every model that can be had: does it open, count, run, and is it left as it was?

The corpus is every torchvision model of every task, one of every timm family at the least, every
transformers architecture that can be built small from its configuration, torchaudio's, and models
that packages ship. Each is looked at in a process of its own with a limit of time and memory,
forked from one that has imported the libraries. Answers go to a file of JSON lines as they come;
what is in it is not looked at again, so that the benchmark can be stopped and started.

It needs timm and transformers (`pip install -e '.[all]'`); torchaudio's models need torchaudio, and
those of packages the packages that `zoo_corpus.py` names; what is not installed is left out.
Repeat with: python benchmarks/zoo.py (some three hours on two cores; in the background, say), and
then python benchmarks/zoo.py --table docs/method/zoo.md
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import select
import signal
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from zoo_corpus import SOURCES, Entry, NotThereError, prepare
from zoo_table import OUT, misses, page

ANSWERS = Path("zoo.jsonl")


@dataclass(kw_only=True)
class Running:
    """A process that looks at one model.

    Attributes:
        entry: the model.
        reading: end of the pipe that its answer comes through.
        began: reading of the monotonic clock.
        text: what has come so far.
    """

    entry: Entry
    reading: int
    began: float
    text: bytes = b""


class Zoo:
    """Looks at models, some at a time.

    Args:
        file: where answers go.
        jobs: how many at a time, each on one thread.
        limit_s: seconds for each.
        memory_bytes: for each.
    """

    def __init__(self, file: Path, *, jobs: int, limit_s: float, memory_bytes: int) -> None:
        self._file = file
        self._jobs = jobs
        self._limit_s = limit_s
        self._memory_bytes = memory_bytes
        self._running: dict[int, Running] = {}

    def visit(self, entries: Iterable[Entry]) -> None:
        """Look at them in turn."""
        for entry in entries:
            while len(self._running) >= self._jobs:
                self._step()
            self._start(entry)
        while self._running:
            self._step()

    def _start(self, entry: Entry) -> None:
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            os.setsid()  # ended with all that it starts
            resource.setrlimit(resource.RLIMIT_DATA, (self._memory_bytes, self._memory_bytes))
            serve(entry, writing)
        os.close(writing)
        self._running[pid] = Running(entry=entry, reading=reading, began=time.monotonic())

    def _step(self) -> None:
        """Wait for news of any, and take down who has ended."""
        ready, _, _ = select.select([one.reading for one in self._running.values()], [], [], 1.0)
        for pid, one in list(self._running.items()):
            late = time.monotonic() - one.began > self._limit_s
            part = os.read(one.reading, 1 << 16) if one.reading in ready else None
            one.text += part or b""
            if part == b"" or late:
                self._end(pid, one, late=late)

    def _end(self, pid: int, one: Running, *, late: bool) -> None:
        del self._running[pid]
        os.close(one.reading)
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        status = os.waitpid(pid, 0)[1]
        try:
            answer = json.loads(one.text)
        except ValueError:
            why = f"more than {self._limit_s:.0f} s" if late else f"it died: wait status {status}"
            answer = {"opens": why}
        seconds = round(time.monotonic() - one.began, 1)
        line = {"source": one.entry.source, "name": one.entry.name, "seconds": seconds, **answer}
        with self._file.open("a") as out:
            out.write(json.dumps(line) + "\n")


def serve(entry: Entry, writing: int) -> None:
    """In the process of one model: look at it in a fresh thread, where OpenMP works, and end."""
    answers: list[dict[str, Any]] = []

    def work() -> None:
        from zoo_look import look

        try:
            reference = entry.prepared()
            answers.append({"reference": reference, **look(reference)})
        except NotThereError as error:
            answers.append({OUT: str(error)})
        except BaseException as error:  # noqa: BLE001 - it is the answer
            answers.append({"opens": f"{type(error).__name__}: {error}"})

    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        text = json.dumps(answers[0]).encode()
        while text:
            text = text[os.write(writing, text) :]
    finally:
        os._exit(0)


def answered(file: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """The last answer of each model."""
    lines = file.read_text().splitlines() if file.exists() else []
    answers = [json.loads(line) for line in lines]
    return {(one["source"], one["name"]): one for one in answers}


def main() -> None:
    """Look at what was not looked at yet, or write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sources", default=",".join(SOURCES), help="which, after commas")
    parser.add_argument("--only", default="", help="a regular expression that names must hold")
    parser.add_argument("--answers", type=Path, default=ANSWERS)
    parser.add_argument("--again", action="store_true", help="those that were missed, once more")
    parser.add_argument("--all-again", action="store_true", help="all of them")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--limit", type=float, default=180, help="seconds for each")
    parser.add_argument("--memory", type=float, default=7, help="GiB for each")
    parser.add_argument("--table", type=Path, help="write this page from the answers, and end")
    parser.add_argument("--note", default="", help="what the page shall say beside")
    given = parser.parse_args()
    done = answered(given.answers)
    if given.table:
        given.table.write_text(page(list(done.values()), given.note))
        return
    again = {key for key, answer in done.items() if given.again and misses(answer)}
    known = set() if given.all_again else set(done) - again
    torch.set_num_threads(1)
    prepare()
    entries = [
        entry
        for source in given.sources.split(",")
        for entry in SOURCES[source]()
        if (source, entry.name) not in known and re.search(given.only, entry.name)
    ]
    print(f"{len(entries)} models to look at, {len(known)} known", file=sys.stderr)
    memory_bytes = int(given.memory * (1 << 30))
    Zoo(given.answers, jobs=given.jobs, limit_s=given.limit, memory_bytes=memory_bytes).visit(
        entries
    )


if __name__ == "__main__":
    main()
