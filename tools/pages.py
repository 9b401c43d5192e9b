"""Write the parts of the documentation that follow from the code: rooms, fields, commands, options.

    python tools/pages.py

Each part stands on its page between two marks, which also say where it comes from; the rest of the
page is written by hand. `tests/unit/test_docs.py` fails where a part is not what the code says.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
PACKAGE = "inferometer"
HELP_WIDTH = 88
TYPES = {str: "text", int: "integer", float: "float", bool: "true or false", list: "list of texts"}


def contracts() -> list[dict[str, Any]]:
    """The import contracts of the project, the layers first."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = project["tool"]["importlinter"]["contracts"]
    return sorted(found, key=lambda contract: contract["type"] != "layers")


def rows() -> list[list[str]]:
    """Rooms in their rows, the highest first."""
    return [re.split(r"\s*[|:]\s*", row) for row in contracts()[0]["layers"]]


def rooms(page: str) -> str:  # noqa: ARG001 - nothing of the page stays
    """The rooms as a Mermaid flowchart, and the contracts by name."""
    lines = ["```mermaid", "flowchart TB"]
    for number, row in enumerate(rows()):
        lines += [f'  subgraph row{number}[" "]', *(f"    {room}" for room in row), "  end"]
    lines += [f"  row{number} --> row{number + 1}" for number in range(len(rows()) - 1)]
    for number, (importers, packages) in enumerate(_outside()):
        lines += [f'  outside{number}(["{" · ".join(packages)}"])']
        lines += [f"  {room} -.-> outside{number}" for room in importers]
    lines += ["```", "", "The contracts, as `lint-imports` checks them:", ""]
    return "\n".join([*lines, *(f"- {contract['name']}." for contract in contracts())])


def _outside() -> Iterator[tuple[list[str], list[str]]]:
    """Packages that only some rooms may import, with these rooms."""
    for contract in contracts():
        packages = contract.get("forbidden_modules", [])
        if packages and not any(name.startswith(PACKAGE) for name in packages):
            closed = {name.removeprefix(f"{PACKAGE}.") for name in contract["source_modules"]}
            yield [room for row in rows() for room in row if room not in closed], packages


def fields(page: str) -> str:
    """A table of the exported fields; what they mean is kept from the page."""
    from inferometer.core.record import FIELDS

    meanings = dict(re.findall(r"^\| `(\w+)` \| [^|]+ \| (.*) \|$", page, re.MULTILINE))
    table = [
        f"| `{name}` | {TYPES[kind]} | {meanings.get(name, '')} |" for name, kind in FIELDS.items()
    ]
    return "\n".join(["| field | type | meaning |", "|---|---|---|", *table])


def commands(page: str) -> str:  # noqa: ARG001 - nothing of the page stays
    """What `--help` prints of each command."""
    from inferometer.cli.main import NAME, cli

    context = click.Context(cli, info_name=NAME, terminal_width=HELP_WIDTH, **cli.context_settings)
    return "\n\n".join(_helps(cli, context))


def _helps(command: click.Command, context: click.Context) -> Iterator[str]:
    yield f"## {context.command_path}\n\n```text\n{command.get_help(context).rstrip()}\n```"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from _helps(inner, click.Context(inner, info_name=name, parent=context))


def causes(page: str) -> str:  # noqa: ARG001 - nothing of the page stays
    """A table of the codes of causes, with their words."""
    from inferometer.core.catalogue import CAUSES

    table = []
    for code, template in CAUSES.items():
        words = template if isinstance(template, str) else "".join(template)
        table.append(f"| `{code}` | {re.sub(r':[^}]+}', '}', words)} |")
    return "\n".join(["| code | words, with its values in braces |", "|---|---|", *table])


def backends(page: str) -> str:  # noqa: ARG001 - nothing of the page stays
    """For each backend what it runs and the options that it has."""
    from inferometer.backends import BACKENDS

    return "\n\n".join(_backend(name, BACKENDS.peek(name)) for name in BACKENDS.table)


def _backend(name: str, backend: Any) -> str:  # noqa: ANN401 - fits `core.protocols.Backend`
    accepts = ", ".join(sorted(form.value for form in backend.accepts))
    lines = [
        f"## {name}",
        "",
        (
            f"Precisions: {', '.join(backend.precisions)}. Devices: {', '.join(backend.devices)}. "
            f"Loads: {accepts}."
        ),
    ]
    options = getattr(backend, "options", {})
    if options:
        lines += ["", "| option | values | usual | what it does |", "|---|---|---|---|"]
    for key, option in options.items():
        usual = f"`{option.usual}`" if option.usual else "the runtime's"
        lines.append(f"| `{name}.{key}` | {option.words} | {usual} | {option.says} |")
    return "\n".join(lines)


PARTS: dict[str, tuple[str, Callable[[str], str]]] = {
    "rooms": ("docs/architecture.md", rooms),
    "fields": ("docs/reference/record.md", fields),
    "commands": ("docs/reference/commands.md", commands),
    "causes": ("docs/method/verdicts.md", causes),
    "backends": ("docs/reference/backends.md", backends),
}
"""Part → its page, and what writes it, given the page as it is."""


def written(name: str) -> tuple[Path, str]:
    """The page of a part, and its text with the part written anew.

    Raises:
        ValueError: the page lacks the marks.
    """
    place, write = PARTS[name]
    page = ROOT / place
    before = page.read_text(encoding="utf-8")
    begin, end = f"<!-- {name}: from tools/pages.py -->", f"<!-- end of {name} -->"
    head, found, rest = before.partition(begin)
    _, ends, tail = rest.partition(end)
    if not (found and ends):
        raise ValueError(f"{place} lacks the lines {begin} and {end}")
    return page, f"{head}{begin}\n\n{write(before)}\n\n{end}{tail}"


def main() -> None:
    """Write every part anew."""
    for name in PARTS:
        page, text = written(name)
        page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
