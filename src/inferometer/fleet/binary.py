"""Boards without Python: a shell script that runs `benchmark_model` or `benchncnn`, and its log.

Each start of the binary is a process that gives one value, the mean of its calls: that is all
these programs tell. The log becomes a bundle without figures, so that the rest is as ever.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path, PurePosixPath
from typing import Any

from inferometer import __version__
from inferometer.core.errors import FleetError, ImportFileError
from inferometer.core.filenames import FileProblemError, read_file
from inferometer.core.shown import shown
from inferometer.core.sweep import Block, Study
from inferometer.core.workload import Target, Workload
from inferometer.fleet.light.networks import parse
from inferometer.fleet.light.results import first_line, line_of
from inferometer.store.bundle import Bundle, read_bundle

MARK = "#inferometer-log 1 "
MOST_BYTES = 64 << 20
FEWEST_PROCESSES = 3
LEAST_S = 1.0
WARMUP_CALLS = 3

_TFLITE_MEAN = re.compile(r"Inference \(avg\): ([0-9.e+]+)")
_TFLITE_FIRST = re.compile(r"First inference: ([0-9]+)")
_TFLITE_COUNT = re.compile(r"count=([0-9]+)")
_NCNN_MEAN = re.compile(r"\bmin = +[0-9.]+ +max = +[0-9.]+ +avg = +([0-9.]+)")
_EVENT = re.compile(r"#(begin|end) ([0-9]+) ([0-9]+) ([0-9.]+)(?: ([0-9]+))?$")
_FACT = re.compile(r"#(id|device|machine|kernel|threads) (.*)$")

SCRIPT = r"""#!/bin/sh
# Measures {what} with {binary}, for inferometer {version}. It needs a shell and these files.
# Start it with: sh agent.sh [RESULTS]; then bring results.log back: inferometer import results.log
set -u
OUT=${{1:-results.log}}
BINARY={quoted}
THREADS={threads}
if [ ! -x "$BINARY" ]; then
  echo "$BINARY is not here, or cannot be run: put it there, or make the script anew" >&2
  exit 2
fi
if [ -e "$OUT" ]; then
  echo "$OUT is there already: move it away, or give another name: sh agent.sh NAME" >&2
  exit 2
fi
if ! ( : >"$OUT" ) 2>/dev/null; then
  echo "$OUT cannot be written: give a file in a folder that you may write to" >&2
  exit 2
fi
say() {{ printf '%s\n' "$*" >>"$OUT" || {{ echo "no room for $OUT" >&2; exit 2; }}; }}
say {header}
say "#id $(tr -d - </proc/sys/kernel/random/uuid | cut -c1-8)"
say "#device $(tr -d '\000' </proc/device-tree/model 2>/dev/null || uname -m)"
say "#machine $(uname -m)"
say "#kernel $(uname -r)"
say "#threads $THREADS"
one() {{
  say "#begin $1 $2 $(date +%s)"
  shift 2
  "$BINARY" "$@" </dev/null >>"$OUT" 2>&1
}}
{calls}
echo "Bring $OUT back, and read it there: inferometer import $OUT" >&2
"""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A program that measures model files.

    Attributes:
        backend: name of the runtime in records.
        model: kind of model that it runs.
        mean: where its output tells the mean of the calls.
        unit_s: seconds of that.
    """

    backend: str
    model: str
    mean: re.Pattern[str]
    unit_s: float


TFLITE = Kind(backend="litert", model="tflite", mean=_TFLITE_MEAN, unit_s=1e-6)
NCNN = Kind(backend="ncnn", model="ncnn", mean=_NCNN_MEAN, unit_s=1e-3)


def kind_of(binary: str) -> Kind:
    """The kind of a binary, by its name.

    Raises:
        FleetError: it has neither of the names.
    """
    name = PurePosixPath(binary).name
    for word, kind in (("benchmark_model", TFLITE), ("benchncnn", NCNN)):
        if word in name:
            return kind
    raise FleetError(
        f"--binary {shown(binary)}: its name tells what it is: benchmark_model (TFLite), or "
        "benchncnn"
    )


def script_file(study: Study, binary: str) -> bytes:
    """The script that runs a study's model files with a binary on the board.

    Raises:
        FleetError: the binary or a model is not of these kinds.
    """
    kind = kind_of(binary)
    sweep = replace(
        study.sweep, backends=(kind.backend,), precisions=("fp32",), options=(), blocks=(Block(),)
    )
    study = replace(study, sweep=sweep, procedure=replace(study.procedure, control=False))
    workloads = study.workloads()
    arguments = [_arguments(kind, one, study) for one in workloads]
    header = {"study": study.to_json(), "workloads": [one.to_json() for one in workloads]}
    text = SCRIPT.format(
        what=f"the study {json.dumps(study.name)}",
        binary=PurePosixPath(binary).name,
        version=__version__,
        quoted=shlex.quote(binary if "/" in binary else f"./{binary}"),
        threads=study.sweep.threads or "$(nproc 2>/dev/null || echo 1)",
        header=shlex.quote(MARK + json.dumps({**header, "kind": kind.backend})),
        calls="\n".join(_calls(arguments, study)),
    )
    return text.encode()


def _calls(arguments: list[str], study: Study) -> Iterator[str]:
    """Starts of the binary: each workload once in every replicate, in an order by chance."""
    order = random.Random(study.procedure.seed)  # noqa: S311 - an order, not a secret
    for process in range(max(study.procedure.processes, FEWEST_PROCESSES)):
        places = list(range(len(arguments)))
        order.shuffle(places)
        for at in places:
            yield f'one {at} {process} {arguments[at]}; say "#end {at} {process} $(date +%s) $?"'


def _arguments(kind: Kind, workload: Workload, study: Study) -> str:
    """What the binary is given for a workload; `$THREADS` is the script's.

    Raises:
        FleetError: it does not run such a model.
    """
    model, procedure = workload.variant.model, study.procedure
    processes = max(procedure.processes, FEWEST_PROCESSES)
    runs, seconds = ceil(procedure.min_calls / processes), procedure.span_s / processes
    path, shape = _model(kind, model)
    if kind is TFLITE:
        flags = {
            "graph": path,
            "num_threads": "$THREADS",
            "warmup_runs": str(WARMUP_CALLS),
            "num_runs": str(max(runs, 10)),
            "min_secs": f"{max(seconds, LEAST_S):g}",
        }
        return " ".join(f"--{name}={_quoted(value)}" for name, value in flags.items())
    loops = max(runs, 10)
    return f"{loops} $THREADS 2 -1 0 {_quoted('param=' + path)} {_quoted('shape=' + shape)}"


def _quoted(text: str) -> str:
    return '"$THREADS"' if text == "$THREADS" else shlex.quote(text)


def _model(kind: Kind, model: str) -> tuple[str, str]:
    """Path and shape of a model.

    Raises:
        FleetError: the binary does not run it.
    """
    body, _, query = model.partition("?")
    if kind is TFLITE and body.endswith((".tflite", ".lite")) and parse(body)[0] == "tflite":
        return body, ""
    if kind is NCNN and body.endswith(".param"):
        given = re.fullmatch(r"input=([0-9]+)x([0-9]+)x([0-9]+)", query)
        if given is None:
            raise FleetError(f"{shown(model)}: say its input, as in model.param?input=3x224x224")
        return body, f"[{given[3]},{given[2]},{given[1]}]"
    wanted = ".tflite files" if kind is TFLITE else ".param files"
    raise FleetError(f"{shown(model)}: this binary runs {wanted}; name them with --models")


def is_log(path: Path) -> bool:
    """Whether a file is a log of such a script, by how it begins."""
    try:
        with path.open("rb") as stream:
            return path.is_file() and stream.read(len(MARK)) == MARK.encode()
    except OSError:
        return False


def read_log(path: Path) -> Bundle:
    """What a script measured, as a bundle without figures.

    Raises:
        ImportFileError: it is damaged, or holds no study.
    """
    try:
        text = read_file(path, at_most=MOST_BYTES).decode("utf-8", errors="replace")
    except FileProblemError as error:
        raise ImportFileError(f"{shown(path)}: it cannot be read: {error.reason}") from error
    lines = text.splitlines()
    try:
        header = json.loads(lines[0].removeprefix(MARK))
        content = _bundle(header, lines[1:])
    except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        raise ImportFileError(
            f"{shown(path)}: damaged, or cut before anything was measured; measure it again with "
            "the script"
        ) from error
    return read_bundle(content, str(path))


def _bundle(header: Mapping[str, Any], lines: list[str]) -> bytes:
    """The lines of a bundle."""
    facts = {m[1]: m[2].strip() for line in lines if (m := _FACT.match(line))}
    kind = TFLITE if header["kind"] == TFLITE.backend else NCNN
    threads = int(facts["threads"])
    study = Study.from_json(header["study"])
    study = replace(study, sweep=replace(study.sweep, threads=threads))
    workloads = [
        replace(one, target=Target(device=one.device, threads=threads))
        for one in map(Workload.from_json, header["workloads"])
    ]
    starts = list(_starts(lines))
    run = {
        "id": facts["id"],
        "study": study.name,
        "signature": study.signature,
        "document": study.to_json(),
        "device": {
            "name": facts.get("device") or facts["machine"],
            "architecture": facts.get("machine"),
            "kernel": facts.get("kernel"),
        },
        "software": {"inferometer": __version__},
        "origin": "measured",
        "planned": len(workloads),
        "created_at": starts[0].at,
    }
    found = [first_line({"inferometer_bundle": 1, "raw": True, "run": run}, starts[-1].at)]
    for at, workload in enumerate(workloads):
        mine = [one for one in starts if one.workload == at]
        found += map(line_of, _lines_of(workload, mine, kind))
    content = b"".join(found)
    end = {"lines": len(found), "sha256": hashlib.sha256(content).hexdigest()}
    return content + line_of({"end": end})


@dataclass(frozen=True, kw_only=True)
class Start:
    """One start of the binary.

    Attributes:
        number: position among all of them.
        workload: number of the workload.
        process: number of the replicate.
        at: Unix time.
        status: exit status; None where it never ended.
        text: what it printed.
    """

    number: int
    workload: int
    process: int
    at: float
    status: int | None
    text: str


def _starts(lines: list[str]) -> Iterator[Start]:
    begun: re.Match[str] | None = None
    said: list[str] = []
    number = 0
    for line in [*lines, "#end"]:
        event = _EVENT.match(line)
        if event is None and line != "#end":
            said.append(line)
            continue
        if begun is not None:
            status = None if event is None or event[1] == "begin" else int(event[5] or 0)
            yield Start(
                number=number,
                workload=int(begun[2]),
                process=int(begun[3]),
                at=float(begun[4]),
                status=status,
                text="\n".join(said),
            )
            number += 1
        begun, said = (event if event is not None and event[1] == "begin" else None), []


def _lines_of(workload: Workload, starts: list[Start], kind: Kind) -> Iterator[dict[str, Any]]:
    """Rounds and record of a workload."""
    means = [(one, _mean_s(one, kind)) for one in starts]
    measured = [(one, mean_s) for one, mean_s in means if mean_s is not None]
    for one, mean_s in measured:
        yield {"round": _round(workload, one, mean_s)}
    failure = None if measured else _failure(starts)
    first = _TFLITE_FIRST.search(starts[0].text) if measured and kind is TFLITE else None
    yield {
        "record": {
            "workload": workload.to_json(),
            "status": "failed" if failure else "ok",
            "failure": failure,
            "figures": {} if first is None else {"first_call_s": int(first[1]) * 1e-6},
        }
    }


def _mean_s(one: Start, kind: Kind) -> float | None:
    found = kind.mean.findall(one.text)
    return float(found[-1]) * kind.unit_s if found and one.status == 0 else None


def _round(workload: Workload, one: Start, mean_s: float) -> dict[str, Any]:
    counts = _TFLITE_COUNT.findall(one.text)
    return {
        "workload": workload.key,
        "number": one.number,
        "process": one.process,
        "phase": "measure",
        "started_at": one.at,
        "calls_per_value": int(counts[-1]) if counts else 1,
        "settle": 0,
        "starts_s": [0.0],
        "values_s": [mean_s],
        "pair": None,
        "signals": None,
    }


def _failure(starts: list[Start]) -> dict[str, str]:
    """Why no start of the binary gave a mean: its last words."""
    words = [line for one in starts for line in one.text.splitlines() if line.strip()]
    last = shown(words[-1], 200) if words else "it printed nothing"
    status = max((one.status or 0 for one in starts), default=0)
    how = f"it ended with status {status}" if status else "it told no mean"
    return {"stage": "measure", "kind": "crash", "message": f"the binary failed: {how}; {last}"}
