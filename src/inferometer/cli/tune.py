"""`inferometer tune`: the variant, threads and batch size of a model that serve a goal best."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from inferometer.cli.options import json_option, write_json
from inferometer.cli.parameters import BATCHES, DEVICE, NAMES, SEED, SIZE, THREAD_LIST, within
from inferometer.cli.recommend import BYTES, SCORE, TIME

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
@click.option("--backends", type=NAMES, help="Runtimes to choose among [all that are installed].")
@click.option("--precisions", type=NAMES, help="Precisions to choose among [all].")
@click.option(
    "--options",
    type=NAMES,
    help="Options of runtimes to choose among, such as "
    "torch.memory_format=default,torch.memory_format=channels_last.",
)
@click.option("--batch", "batches", type=BATCHES, help="Batch sizes to choose among.")
@click.option("--size", type=SIZE, help="Input size [the model's own].")
@click.option("--threads", type=THREAD_LIST, help="Numbers of threads to choose among.")
@click.option("--device", type=DEVICE, default="cpu", show_default=True, help="Where it runs.")
@click.option("--max-latency", type=TIME, help="Of a call, such as 50ms.")
@click.option("--max-memory", type=BYTES, help="At its peak, such as 200MB.")
@click.option("--min-fidelity", type=SCORE, help="Cosine with fp32 eager, such as 0.98.")
@click.option("--min-accuracy", type=SCORE, help="On --data, such as 0.9 or 90%.")
@click.option("--data", help="Labelled data whose samples calibrate and judge.")
@click.option("--metric", help="Of the accuracy [the usual one of the task].")
@click.option("--budget", type=within("budget_s"), default="10m", show_default=True)
@click.option("--seed", type=SEED, default=0, help="Of weights, inputs and orders.")
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

    \b
    inferometer tune resnet18 --size 224
    inferometer tune net.py:build --goal throughput --max-latency 50ms --min-fidelity 0.98

    Candidates race side by side; who is clearly worse leaves. The winner is confirmed in fresh
    processes. Exit status: 0 there is a winner; 1 none is within all limits; 2 bad input.
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
    if json_path is not None:
        write_json(to_json(request, found), json_path)
    if json_path != "-":
        print_tuned(request, found)
    return 0 if found.winner is not None else NONE_FOUND


def _tell(doing: str, workload: Workload) -> None:
    """What is done now, on one line of a terminal."""
    if sys.stderr.isatty():
        line = f"{doing} {workload.label}"[:78]
        click.echo(f"\r{line:<78}", nl=False, err=True)
