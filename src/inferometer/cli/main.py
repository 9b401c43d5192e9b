"""The list of commands, and what happens to errors."""

from __future__ import annotations

import gc
import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from inferometer import __version__
from inferometer.cli.layout import WholeWords
from inferometer.cli.refusals import usage_words
from inferometer.cli.screen import ReaderGoneError, guarded
from inferometer.core.errors import InputError, in_one_line
from inferometer.core.filenames import reason_of
from inferometer.core.references import did_you_mean
from inferometer.core.shown import shown, visible

NAME = "inferometer"
COMPLETING = "_INFEROMETER_COMPLETE"
"""How the script of `inferometer completion` asks for completions; click reads it."""
BAD_INPUT = 2
INTERRUPTED = 130
LONGEST_ERROR = 1000
"""Characters of a message."""

SECTIONS: dict[str, dict[str, tuple[str, str]]] = {
    "Measure": {
        "run": ("inferometer.cli.run:run", "Measure models: latency, memory, energy, accuracy."),
        "tune": ("inferometer.cli.tune:tune", "Search for the best backend and settings."),
        "profile": ("inferometer.cli.profile:profile", "Show where the time of a call goes."),
        "cost": ("inferometer.cli.cost:cost", "Count parameters, MACs, FLOPs and bytes."),
        "fidelity": (
            "inferometer.cli.fidelity:fidelity",
            "Check how close outputs are to a reference.",
        ),
        "roofline": (
            "inferometer.cli.roofline:roofline",
            "Measure the best rates that this device attains.",
        ),
        "selftest": (
            "inferometer.cli.selftest:selftest",
            "Check the instrument on workloads of known cost.",
        ),
    },
    "Read results": {
        "runs": ("inferometer.cli.runs:runs", "List the runs in a results database."),
        "show": ("inferometer.cli.show:show", "Show a run as a table."),
        "report": (
            "inferometer.cli.report:report",
            "Write a lab report: page, Markdown, CSV and plots.",
        ),
        "compare": (
            "inferometer.cli.compare:compare",
            "Say which of two is faster, and how sure that is.",
        ),
        "recommend": (
            "inferometer.cli.recommend:recommend",
            "Recommend a workload within your limits.",
        ),
        "analyze": (
            "inferometer.cli.analyze:analyze",
            "Test hypotheses, find anomalies and fit growth.",
        ),
        "history": (
            "inferometer.cli.history:history",
            "Show latency over time, and where it changed.",
        ),
        "audit": (
            "inferometer.cli.audit:audit",
            "Check whether a comparison is fair.",
        ),
    },
    "Exchange and keep": {
        "export": (
            "inferometer.cli.export:export",
            "Write a run as JSON, CSV, Parquet or a bundle.",
        ),
        "import": ("inferometer.cli.import_:import_", "Read a bundle, an export or a table."),
        "check-store": (
            "inferometer.cli.check_store:check_store",
            "Check a results database for damage.",
        ),
        "cache": ("inferometer.cli.cache:cache", "List or remove converted models."),
    },
    "Devices and energy": {
        "doctor": ("inferometer.cli.doctor:doctor", "Check this device and what is installed."),
        "power": ("inferometer.cli.power:power", "Show the power that this device draws now."),
        "energy": ("inferometer.cli.energy:energy", "Add the log of a power meter to a run."),
        "fleet": ("inferometer.cli.fleet:fleet", "Measure on several boards over SSH."),
        "agent": (
            "inferometer.cli.agent:agent",
            "Write a study as one file for a small board.",
        ),
    },
    "Names and setup": {
        "models": ("inferometer.cli.models:models", "List models, and how to name others."),
        "datasets": ("inferometer.cli.datasets:datasets", "List datasets, or describe one."),
        "backends": ("inferometer.cli.backends:backends", "List runtimes, and install them."),
        "completion": (
            "inferometer.cli.completion:completion",
            "Print what completes commands in a shell.",
        ),
    },
}
"""Commands as `--help` lists them: where each lives, and its line; none is imported before use."""
COMMANDS = {name: entry for section in SECTIONS.values() for name, entry in section.items()}


click.Context.formatter_class = WholeWords  # of all commands


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

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command, or say which of nearly that name there is."""
        name = args[0]
        if self.get_command(ctx, name) is None and not (name[:1] == "-" or ctx.resilient_parsing):
            hint = did_you_mean(name, [*COMMANDS, "--help", "--version"])
            ctx.fail(f"no command is called {shown(repr(name))}{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands without importing them."""
        width = max(map(len, COMMANDS))
        for title, section in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl(
                    [(name.ljust(width), line) for name, (_, line) in section.items()]
                )


DEBUG = "--debug"
ALLOCATIONS = 50_000
"""Objects that are made before Python looks for circles among them; 700 by default."""

EXAMPLES = """\b
Examples:
  inferometer run taste                  two models in half a minute
  inferometer run --models resnet18 --batch 1 --size 224
  inferometer show                       the latest run again
  inferometer report -o report           the latest run as a page with plots

Each command has its own help: inferometer run --help
"""  # \b is click's sign to leave the lines as they are


@click.group(
    cls=LazyGroup, epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, prog_name=NAME)
@click.option(DEBUG, is_flag=True, help="Show the traceback of an error.")
def cli(*, debug: bool) -> None:
    """Measure what a neural network's inference costs on this device."""


def main(args: list[str] | None = None) -> None:
    """Entry point. Exit status: 0 done; 1 some workloads failed; 2 bad input; 130 interrupted."""
    if COMPLETING in os.environ:  # a shell asks; what it reads may hold tabs
        cli.main(args=[], prog_name=NAME)
    # Records by the thousand hold hardly a circle; looking for some took a tenth of the time.
    gc.set_threshold(ALLOCATIONS, 10, 10)
    given = sys.argv[1:] if args is None else args
    debug = DEBUG in given  # before or after the command
    with guarded() as errors:
        status = _status([argument for argument in given if argument != DEBUG], debug=debug)
        if status == 0 and errors.failed:
            status = BAD_INPUT  # a warning that could not be written may have been needed
    sys.exit(status)


def _status(given: Sequence[str], *, debug: bool) -> int:
    """Run a command; whatever it ends with, say it in a sentence and give the exit status."""
    try:
        _check_arguments(given)
        status: Any = cli.main(args=list(given), prog_name=NAME, standalone_mode=False)
        sys.stdout.flush()
    except SystemExit as end:
        status = end.code
    except ReaderGoneError:
        status = 0
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        status = INTERRUPTED
    except Exception as error:  # noqa: BLE001 - a fault of ours is a sentence too
        if debug and not isinstance(error, click.ClickException):
            click.echo(traceback.format_exc(), err=True, nl=False)
        else:
            _tell(error)
        status = error.exit_code if isinstance(error, click.ClickException) else BAD_INPUT
    return status if isinstance(status, int) else 0


def _check_arguments(given: Sequence[str]) -> None:
    """Refuse what no name of a file, a study or a device can be.

    Raises:
        InputError: an argument is no text.
    """
    for argument in given:
        if "\0" in argument or not _is_text(argument):
            raise InputError(
                f"{shown(argument)}: this is not text in the encoding of this terminal "
                f"({sys.getfilesystemencoding()}); give it, or the file, another name"
            )


def _is_text(argument: str) -> bool:
    try:
        argument.encode()
    except UnicodeEncodeError:
        return False
    return True


def _tell(error: Exception) -> None:
    """Say what went wrong, at a length that people read."""
    if isinstance(error, click.ClickException):
        context = error.ctx if isinstance(error, click.UsageError) else None
        if context is not None and error.format_message() == context.get_help():
            click.echo(context.get_help(), err=True)  # a group of commands, called without one
            return
        # click lists choices in lines of their own, and quotes some arguments as they are.
        message = visible(usage_words(error).replace("\n\t", " "))
        click.UsageError(_shortened(message), context).show()
        return
    click.echo(f"Error: {_shortened(_in_words(error))}", err=True)


def _in_words(error: Exception) -> str:
    if isinstance(error, InputError):
        return str(error)
    if isinstance(error, MemoryError):
        return "this device has not enough memory for that; what was stored before is kept"
    if isinstance(error, OSError) and error.strerror:
        where = "" if error.filename is None else f"{shown(error.filename)}: "
        return f"{where}{reason_of(error)}; {DEBUG} shows where"
    what = in_one_line(error)
    return f"this is a fault of inferometer: {what}; {DEBUG} shows the traceback, please report it"


def _shortened(text: str) -> str:
    """Text without its middle where it is very long."""
    if len(text) <= LONGEST_ERROR:
        return text
    half = LONGEST_ERROR // 2
    return f"{text[:half]} … {text[-half:]}"
