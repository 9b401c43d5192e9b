"""`inferometer completion`: what completes commands and options in a shell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import ShellComplete


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(*, shell: str) -> None:
    """Print the script that lets a shell complete commands and options.

    \b
    Examples:
      inferometer completion bash >> ~/.bashrc
      inferometer completion zsh >> ~/.zshrc      after `compinit`
      inferometer completion fish > ~/.config/fish/completions/inferometer.fish

    It works in shells that are started afterwards.
    """  # noqa: D301 - \b is click's sign to leave the lines as they are
    click.echo(script(shell))


def script(shell: str) -> str:
    """The completion script of a shell, which runs nothing before a key is pressed."""
    from click.shell_completion import get_completion_class

    from inferometer.cli.main import COMPLETING, NAME, cli

    kind: type[ShellComplete] | None = get_completion_class(shell)
    assert kind is not None  # each of the choices has one
    made = kind(cli, {}, NAME, COMPLETING)
    return made.source_template % made.source_vars()
