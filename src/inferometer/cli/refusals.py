"""What is said of a command line that cannot be understood: what is wrong, and what to type."""

from __future__ import annotations

import re

import click

from inferometer.core.references import did_you_mean
from inferometer.core.shown import shown

_NOT_ONE_OF = re.compile(r"'(.*)' is not one of ", re.DOTALL)
_EXAMPLE = re.compile(r"^ *(inferometer .+?)(?:  .*)?$", re.MULTILINE)


def usage_words(error: click.ClickException) -> str:
    """The message of an error of click, with the next step."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    message = error.format_message()
    if context is None:
        return message
    if isinstance(error, click.NoSuchOption):
        return _unknown_option(error.option_name, context)
    if isinstance(error, click.MissingParameter):
        example = _EXAMPLE.search(context.command.help or "")
        return f"{message.rstrip('.')}; for example: {example[1]}" if example else message
    kind = error.param.type if isinstance(error, click.BadParameter) and error.param else None
    if isinstance(kind, click.Choice) and (found := _NOT_ONE_OF.match(error.message)):
        return message.rstrip(".") + did_you_mean(found[1], map(str, kind.choices))
    if message.startswith("Got unexpected extra argument"):
        return f"{message}; put a value with blanks in quotes"
    return message


def _unknown_option(name: str, context: click.Context) -> str:
    known = [flag for one in context.command.get_params(context) for flag in one.opts]
    hint = did_you_mean(name, known)
    if isinstance(context.command, click.Group) and not hint:
        hint = (
            "; options of a command stand after its name, as in: inferometer run --models resnet18"
        )
    return f"no option is called {shown(repr(name))}{hint}"
