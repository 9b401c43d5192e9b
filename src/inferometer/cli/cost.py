"""`inferometer cost`: parameters, operations and bytes of a model, without measuring it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from inferometer.cli.flags import seed_option, size_option
from inferometer.cli.options import json_option, told, write_json
from inferometer.cli.parameters import BATCH, DEPTH, study_options
from inferometer.core.errors import InputError, WorkloadError

if TYPE_CHECKING:
    from inferometer.core.costing import Costing
    from inferometer.report.terminal.cost import By
    from inferometer.runner.costing import CostRequest

UNCOUNTED = "without running it"
"""In the message about a network that cannot be counted in any other way."""


@click.command()
@click.argument("model")
@size_option
@click.option(
    "--batch",
    type=BATCH,
    help="Batch size: samples in one call [default: that of the file or example, else 1].",
)
@click.option(
    "--precision",
    metavar="NAME",
    help="Number format: fp32, bf16, fp16 [default: fp32; of an ONNX file its own].",
)
@click.option(
    "--by",
    type=click.Choice(["kind", "operator", "module"]),
    default="kind",
    show_default=True,
    help="What each row of the table stands for.",
)
@click.option(
    "--depth",
    type=DEPTH,
    help="With --by module: levels of nested modules to show; 0 is the whole model as one row "
    "[default: all].",
)
@click.option(
    "--run",
    "may_run",
    is_flag=True,
    help="Run the model once on random inputs, and count what that call does: for models whose way "
    "depends on values, which cannot be counted otherwise.",
)
@study_options("timeout")
@seed_option
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
    """Count what one call of MODEL costs: parameters, MACs, FLOPs, bytes. Nothing is timed.

    MODEL is a name, reference or ONNX file; see `inferometer models`.

    \b
    Examples:
      inferometer cost resnet18
      inferometer cost net.py:build --size 224 --by module --depth 2

    The JSON is an object with the totals, and lists of operators and modules.
    """  # noqa: D301 - \b is click's sign to leave the lines as they are
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
