"""`inferometer cost`: parameters, operations and bytes of a model, without measuring it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from inferometer.cli.options import json_option, told, write_json
from inferometer.cli.parameters import BATCH, DEPTH, SEED, SIZE, TIMEOUT
from inferometer.core.errors import InputError, WorkloadError

if TYPE_CHECKING:
    from inferometer.core.costing import Costing
    from inferometer.report.terminal.cost import By
    from inferometer.runner.costing import CostRequest

UNCOUNTED = "without running it"
"""In the message about a network that cannot be counted in any other way."""


@click.command()
@click.argument("model")
@click.option("--size", type=SIZE, default="own", show_default=True, help="Input size.")
@click.option(
    "--batch",
    type=BATCH,
    help="Batch size [the model's own: that of its file or its example, else 1].",
)
@click.option("--precision", help="fp32, bf16, fp16 [fp32; a file that is counted as it is: its].")
@click.option(
    "--by",
    type=click.Choice(["kind", "operator", "module"]),
    default="kind",
    show_default=True,
    help="What a row of the table is.",
)
@click.option(
    "--depth",
    type=DEPTH,
    help="With --by module: levels of nested modules; 0 is the model alone.",
)
@click.option(
    "--run",
    "may_run",
    is_flag=True,
    help="Where counting fails because the network decides by the values of its inputs: run it "
    "once on made-up inputs, and count what that call does.",
)
@click.option("--timeout", "timeout_s", type=TIMEOUT, help="Time to load, and then to count [3m].")
@click.option("--seed", type=SEED, default=0, help="Seed of weights and inputs.")
@json_option
def cost(
    *,
    model: str,
    size: int | None,
    batch: int | None,
    precision: str | None,
    by: By,
    depth: int | None,
    may_run: bool,
    timeout_s: float | None,
    seed: int,
    json_path: str | None,
) -> None:
    """Count the analytical cost of a call of MODEL: parameters, MACs, FLOPs, bytes.

    MODEL is a reference as in `inferometer models`, or an ONNX file.

    The JSON is one object, with lists of operators and modules.
    """
    from inferometer.runner.costing import CostRequest

    if depth is not None and by != "module":
        raise click.UsageError("--depth goes with --by module")
    limits = {} if timeout_s is None else {"timeout_s": timeout_s}
    request = CostRequest(
        model=model,
        batch_size=batch,
        input_size=size,
        precision=precision,
        seed=seed,
        may_run=may_run,
        **limits,
    )
    found = _count(request)
    if json_path is not None:
        from inferometer.analysis.costs import row

        write_json(row(found), json_path)
    if json_path != "-":
        from inferometer.report.terminal.cost import print_cost

        print_cost(found, by=by, depth=depth)


def _count(request: CostRequest) -> Costing:
    """Count, and make of a failure what the user did wrong or can do.

    Raises:
        InputError: it failed.
    """
    from inferometer.runner.costing import cost_of

    try:
        return cost_of(request)
    except WorkloadError as error:
        may_help = UNCOUNTED in str(error) and not request.may_run
        way_out = "; --run counts a real call" * may_help
        raise InputError(f"{told(error, request.model)}{way_out}") from error
