"""The list of commands, and what happens to errors."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any

import click

from inferometer import __version__
from inferometer.core.errors import InputError

COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("inferometer.cli.run:run", "Measure a study."),
    "runs": ("inferometer.cli.runs:runs", "List the runs in a store."),
    "show": ("inferometer.cli.show:show", "Show a run as a table."),
    "analyze": (
        "inferometer.cli.analyze:analyze",
        "Test hypotheses, name anomalies, fit how latency grows.",
    ),
    "report": (
        "inferometer.cli.report:report",
        "Write a lab report: a page, text, data and plots.",
    ),
    "compare": ("inferometer.cli.compare:compare", "Say which of two is faster, and how sure."),
    "cost": ("inferometer.cli.cost:cost", "Count what a model costs on paper."),
    "profile": ("inferometer.cli.profile:profile", "Show where the time of a call goes."),
    "export": ("inferometer.cli.export:export", "Write a run's records as JSON, CSV or Parquet."),
    "import": ("inferometer.cli.import_:import_", "Read an export, or a CSV table, into a store."),
    "models": ("inferometer.cli.models:models", "List the models and how to name others."),
    "backends": ("inferometer.cli.backends:backends", "List the runtimes."),
    "doctor": ("inferometer.cli.doctor:doctor", "Look at this device and what is installed."),
    "power": ("inferometer.cli.power:power", "Show what the device draws now."),
    "energy": ("inferometer.cli.energy:energy", "Join the log of a power meter to a run."),
    "roofline": ("inferometer.cli.roofline:roofline", "Measure what this device attains at best."),
    "selftest": ("inferometer.cli.selftest:selftest", "Measure what is known, to test itself."),
}
"""Name → where it lives, and its line in `--help`; nothing is imported before it is used."""


class LazyGroup(click.Group):
    """Imports a command when it is used, so that `--help` starts at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Commands in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


DEBUG = "--debug"

EXAMPLES = """\b
Examples:
  inferometer run taste                       two models in half a minute
  inferometer run                             the lab study, four models
  inferometer run --models resnet18 --batch 1 --size 224
  inferometer report latest -o report         a page, Markdown, CSV and plots
"""  # \b is click's sign to leave the lines as they are


@click.group(
    cls=LazyGroup, epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, prog_name="inferometer")
@click.option(DEBUG, is_flag=True, help="Show the traceback of an error.")
def cli(*, debug: bool) -> None:
    """Measure what a neural network's inference costs on this device."""


def main(args: list[str] | None = None) -> None:
    """Entry point. Exit status: 0 done; 1 some workloads failed; 2 bad input; 130 interrupted."""
    given = sys.argv[1:] if args is None else args
    debug = DEBUG in given  # before or after the command
    try:
        rest = [argument for argument in given if argument != DEBUG]
        status: Any = cli.main(args=rest, prog_name="inferometer", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except InputError as error:
        if debug:
            raise
        click.echo(f"Error: {error}", err=True)
        status = 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        status = 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    sys.exit(status if isinstance(status, int) else 0)
