"""`inferometer tune`: the variant, threads and batch size of a model that serve a goal best."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from inferometer.cli.flags import device_option, seed_option, size_option
from inferometer.cli.options import json_option, write_json
from inferometer.cli.parameters import BATCHES, NAMES, THREAD_LIST, study_options, within
from inferometer.cli.recommend import BYTES, MAX_LATENCY, MAX_MEMORY, SCORE, TIME
from inferometer.cli.screen import show_doing

if TYPE_CHECKING:
    from inferometer.core.workload import Workload
    from inferometer.runner.tuning.found import Goal

NONE_FOUND = 1
PRECISIONS = ["fp32", "bf16", "fp16", "int8"]
THROUGHPUT_BATCHES = [1, 2, 4, 8, 16]


@click.command()
@click.argument("model")
@click.option(
    "--goal",
    type=click.Choice(("latency", "throughput", "energy", "memory")),
    default="latency",
    show_default=True,
    help="What is to be best.",
)
@click.option(
    "--backends", type=NAMES, help="Runtimes to choose among [default: all that are installed]."
)
@click.option("--precisions", type=NAMES, help="Precisions to choose among [default: all].")
@click.option(
    "--options",
    type=NAMES,
    help="Options of runtimes to choose among, such as torch.memory_format=channels_last.",
)
@click.option(
    "--batch",
    "batches",
    type=BATCHES,
    help="Batch sizes to choose among [default: 1; for throughput and energy 1 to 16].",
)
@size_option
@click.option(
    "--threads",
    type=THREAD_LIST,
    help="Numbers of threads to choose among [default: a few up to one for each core].",
)
@device_option
@click.option("--max-latency", type=TIME, help=MAX_LATENCY)
@click.option("--max-memory", type=BYTES, help=MAX_MEMORY)
@click.option(
    "--min-fidelity",
    type=SCORE,
    help="Least cosine between outputs and those of torch at fp32, such as 0.98.",
)
@click.option("--min-accuracy", type=SCORE, help="With --data: least accuracy, such as 0.9 or 90%.")
@study_options("data", "metric")
@click.option(
    "--budget",
    type=within("budget_s"),
    default="10m",
    show_default=True,
    help="Time limit of the whole search.",
)
@seed_option
@json_option
def tune(
    *,
    model: str,
    goal: Goal,
    backends: list[str] | None,
    precisions: list[str] | None,
    options: list[str] | None,
    batches: list[int] | None,
    size: int | None,
    threads: list[int] | None,
    device: str,
    max_latency: float | None,
    max_memory: float | None,
    min_fidelity: float | None,
    min_accuracy: float | None,
    data: str | None,
    metric: str | None,
    budget: float,
    seed: int,
    json_path: str | None,
) -> int:
    """Find the backend, precision, threads, options and batch size that serve a goal best.

    MODEL is a name, reference or file; see `inferometer models`.

    \b
    Examples:
      inferometer tune resnet18 --size 224
      inferometer tune net.py:build --goal throughput --max-latency 50ms

    Candidates are measured side by side, clearly worse ones are dropped, and the winner is
    measured again in fresh processes.

    Exit status: 0 there is a winner; 1 none is within all limits; 2 bad input.
    """  # noqa: D301 - \b is click's sign to leave the lines as they are
    from inferometer.core.sweep import Block, Sweep
    from inferometer.host.cpus import physical_cores
    from inferometer.report.document.tuning import to_json
    from inferometer.report.terminal.tune import print_tuned
    from inferometer.runner.tuning.candidates import counts_of_threads, known_precisions
    from inferometer.runner.tuning.candidates import usable_backends as usable
    from inferometer.runner.tuning.found import TuneRequest
    from inferometer.runner.tuning.tune import tune as search

    if data is None and (min_accuracy is not None or metric is not None):
        raise click.UsageError("--min-accuracy and --metric go with --data")
    chosen = tuple(backends or usable(model, device))
    usual = THROUGHPUT_BATCHES if goal in ("throughput", "energy") else [1]
    sweep = Sweep(
        models=(model,),
        backends=chosen,
        precisions=tuple(precisions or known_precisions(chosen, PRECISIONS)),
        options=tuple(options or ()),
        blocks=(Block(sizes=(size,), batches=tuple(batches or usual)),),
        device=device,
    )
    request = TuneRequest(
        sweep=sweep,
        threads=tuple(threads or counts_of_threads(physical_cores())),
        goal=goal,
        max_latency_s=max_latency,
        max_memory_bytes=max_memory,
        min_fidelity=min_fidelity,
        min_accuracy=min_accuracy,
        data=data,
        metric=metric,
        budget_s=budget,
        seed=seed,
    )
    found = search(request, say=_tell)
    show_doing("")
    if json_path is not None:
        write_json(to_json(request, found), json_path)
    if json_path != "-":
        print_tuned(request, found)
    return 0 if found.winner is not None else NONE_FOUND


def _tell(doing: str, workload: Workload) -> None:
    """What is done now, on one line of a terminal."""
    show_doing(f"{doing} {workload.label}")
