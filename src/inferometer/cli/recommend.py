"""`inferometer recommend`: which workload to take, and how sure that is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

import click

from inferometer.cli.options import json_option, open_existing, store_option, write_json
from inferometer.cli.parameters import BATCHES, SIZES, Parsed
from inferometer.store.address import Place
from inferometer.study.units import (
    parse_bytes,
    parse_count,
    parse_energy,
    parse_latency,
    parse_score,
)

if TYPE_CHECKING:
    from inferometer.analysis.recommend.points import Name
    from inferometer.core.record import Record
    from inferometer.figures.accuracy import PassOf

NONE_MEETS = 1
PREFERENCES = ("energy", "latency", "throughput", "memory", "accuracy")


def _above_zero(read: Callable[[str], float]) -> Callable[[str], float]:
    def one(text: str) -> float:
        if text.strip().startswith(("-", "\N{MINUS SIGN}")):
            raise ValueError(f"{text.strip()[:40]!a} is negative; a limit is more than 0")
        value = read(text)
        if value <= 0:
            raise ValueError("a limit must be more than 0")
        return value

    return one


def _preference(text: str) -> str:
    from inferometer.core.references import did_you_mean

    if text not in PREFERENCES:
        known = ", ".join(PREFERENCES)
        raise ValueError(
            f"{text[:40]!a} is unknown{did_you_mean(text, PREFERENCES)}; give one of {known}"
        )
    return text


TIME = Parsed("TIME", _above_zero(parse_latency))
BYTES = Parsed("BYTES", _above_zero(parse_bytes))
ENERGY = Parsed("ENERGY", _above_zero(parse_energy))
COUNT = Parsed("COUNT", _above_zero(parse_count))
SCORE = Parsed("SCORE", _above_zero(parse_score))
MAX_LATENCY = "Most time of a call, such as 50ms."
MAX_MEMORY = "Most memory at its peak, such as 200MB."
PREFER = Parsed("|".join(PREFERENCES), _preference)


@click.command()
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option("--max-latency", "latency", type=TIME, help=MAX_LATENCY)
@click.option("--max-memory", "memory", type=BYTES, help=MAX_MEMORY)
@click.option("--max-energy", "energy", type=ENERGY, help="Most energy of a sample, such as 0.5J.")
@click.option(
    "--max-parameters", "parameters", type=COUNT, help="Most parameters of a model, such as 5M."
)
@click.option(
    "--min-throughput",
    "throughput",
    type=COUNT,
    help="Least throughput in samples per second, such as 100.",
)
@click.option("--min-accuracy", "accuracy", type=SCORE, help="Least accuracy, such as 0.9 or 90%.")
@click.option(
    "--max-error",
    "error",
    type=SCORE,
    help="Largest error, such as 10%, of metrics that count errors: wer, cer.",
)
@click.option(
    "--prefer",
    type=PREFER,
    help="What is to be best among those within all limits [default: latency].",
)
@click.option("--batch", "batches", type=BATCHES, help="Batch sizes to choose among.")
@click.option("--size", "sizes", type=SIZES, help="Input sizes to choose among.")
@store_option
@json_option
def recommend(
    *,
    runs: tuple[str, ...],
    prefer: Name | None,
    batches: list[int] | None,
    sizes: list[int | None] | None,
    error: float | None,
    store_path: Place,
    json_path: str | None,
    **most: float | None,
) -> int:
    """Recommend a workload of RUN within your limits, and say how sure that is.

    RUN is the id of a run, the first characters of one, or `latest` [default: latest]; several are
    compared together.

    \b
    Examples:
      inferometer recommend --max-latency 50ms --prefer accuracy
      inferometer recommend 3fa9 latest --max-memory 200MB --prefer energy

    Without --batch and --size, workloads of one shape are compared: the shape at which most have
    all figures. All batch sizes count where throughput or energy is asked for, and all input sizes
    where accuracy was measured.

    Exit status: 0 there is a choice; 1 none meets all limits; 2 bad input.
    """  # noqa: D301 - \b is click's sign to leave the lines as they are
    from inferometer.analysis.recommend import recommend as choose
    from inferometer.analysis.recommend.pairs import paired_by
    from inferometer.analysis.recommend.points import ERRORS, NAMES

    records, pass_of = _read(runs or ("latest",), store_path)
    errors = {*ERRORS, *_errors(records, pass_of)}
    limits = {name: value for name in NAMES if (value := most[name]) is not None}
    _check_accuracy(records, limits.get("accuracy"), error, errors)
    if error is not None:
        limits["accuracy"] = error
    found = choose(
        records,
        limits,
        prefer,
        batches=batches or (),
        sizes=sizes or (),
        errors=errors,
        paired=paired_by(pass_of),
    )
    if json_path is not None:
        from inferometer.analysis.recommend.rows import to_json

        write_json(to_json(found), json_path)
    if json_path != "-":
        from inferometer.report.terminal.recommend import print_recommendation

        print_recommendation(found)
    return 0 if found.choice is not None else NONE_MEETS


def _read(runs: Sequence[str], store_path: Place) -> tuple[list[Record], PassOf]:
    """Records of all runs, with what all rounds of each say together, and passes over data."""
    from inferometer.figures.accuracy import passes_of
    from inferometer.figures.joint import completed

    with open_existing(store_path) as store:
        found = {run.id: run for run in map(store.run, runs)}
        records = [
            record
            for run in found.values()
            for record in completed(run, store.records(run.id, with_rounds=True))
        ]
        return records, passes_of({run: store.evaluations(run) for run in found})


def _errors(records: Sequence[Record], pass_of: PassOf) -> set[str]:
    """Metrics of which less is better, as their passes say."""
    passes = [found for one in records if (found := pass_of(one)) is not None]
    return {one.metric for one in passes if not one.higher_is_better}


def _check_accuracy(
    records: Sequence[Record], least: float | None, most: float | None, errors: Collection[str]
) -> None:
    """Refuse a limit that the metric of the records turns round, or that none of them can reach.

    Raises:
        UsageError: it does.
    """
    if least is not None and most is not None:
        raise click.UsageError("--max-error is in place of --min-accuracy; give one of them")
    metrics = {str(one.figures.get("accuracy_metric") or "") for one in records} - {""}
    wrong = sorted(metrics & set(errors) if most is None else metrics - set(errors))
    if wrong and (least is not None or most is not None):
        way, flag = ("less", "--max-error") if most is None else ("more", "--min-accuracy")
        raise click.UsageError(f"{wrong[0]} is better the {way} it is; give {flag}")
    known = [value for one in records if (value := one.number("accuracy")) is not None]
    if least is not None and known and least > 1 >= max(known):
        raise click.UsageError(
            f"--min-accuracy {least:g} is beyond 1; write {least:g}% for {least / 100:g}"
        )
