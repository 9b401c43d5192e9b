"""YAML text → plain data, and the line on which each part of it stands.

Scalars are read by the rules of YAML 1.2: `no`, `on`, `1:30` and `2026-01-01` are texts. Aliases
and tags are refused: no file here needs them, and a few lines of aliases can grow without bound.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import yaml

from inferometer.core.errors import StudyError

Path = tuple[str | int, ...]
"""Keys and list positions from the top of a document to one of its parts."""

LONGEST_SHOWN = 40
TAB = "a tab stands here; indent with blanks"
"""Characters of a wrong key or value that a message shows."""

_TAG = "tag:yaml.org,2002:"
_CONSTANTS = {"true": True, "false": False, "null": None, "~": None, "": None}


@dataclass(frozen=True, kw_only=True)
class Document:
    """A file as data.

    Attributes:
        data: mappings, lists and scalars.
        lines: line of each part, from 1; of a mapping's entries, the line of the key.
    """

    data: Any
    lines: dict[Path, int]

    def line(self, path: Path) -> int | None:
        """Line of a part, or of the nearest part around it that the file holds."""
        while path not in self.lines and path:
            path = path[:-1]
        return self.lines.get(path)


def read_document(
    text: str, *, name_of_file: str, needs: str = "it needs name and models"
) -> Document:
    """Read one YAML document.

    Args:
        text: of the file.
        name_of_file: for messages.
        needs: what an empty file lacks.

    Raises:
        StudyError: it is not YAML, it is empty, a key stands twice, or it uses aliases or tags.
    """
    try:
        node = yaml.compose(text, Loader=_Loader)
        if node is None:
            raise StudyError(f"the file is empty; {needs}", file=name_of_file)
        reader = _Reader(file=name_of_file)
        return Document(data=reader.read(node, ()), lines=reader.lines)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = "" if mark is None else f" at column {mark.column + 1}"
        line = None if mark is None else mark.line + 1
        words = ", ".join(part for part in (error.context, error.problem) if part)
        problem = f"not valid YAML{place}: {TAB if _is_tab(text, mark) else words}"
        raise StudyError(problem, file=name_of_file, line=line) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        problem = f"a character that no YAML file may hold: {text[error.position]!a}"
        raise StudyError(problem, file=name_of_file, line=line) from error
    except RecursionError as error:
        raise StudyError("lists or mappings are nested too deeply", file=name_of_file) from error
    except (ValueError, OverflowError) as error:
        # PyYAML lets these through for escapes such as "\UFFFFFFFF".
        raise StudyError(f"not valid YAML: {error}", file=name_of_file) from error


def _is_tab(text: str, mark: yaml.Mark | None) -> bool:
    return mark is not None and text[mark.index : mark.index + 1] == "\t"


class _Loader(yaml.SafeLoader):
    """PyYAML's loader with the scalars of YAML 1.2 and without aliases."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's name

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(
                None, None, "aliases (*name) are not used here; write it out", mark
            )
        return super().compose_node(parent, index)


for _name, _pattern, _first in (
    ("bool", "true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", "|~|null|Null|NULL", ["~", "n", "N", ""]),
    ("int", "[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
):
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(rf"(?:{_pattern})$"), list(_first))


class _Reader:
    """Nodes → data; notes the line of every part on the way."""

    def __init__(self, *, file: str) -> None:
        self.file = file
        self.lines: dict[Path, int] = {}

    def read(self, node: yaml.Node, path: Path) -> Any:  # noqa: ANN401 - any YAML value
        self.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode) and node.tag == f"{_TAG}map":
            return {key: self.read(value, (*path, key)) for key, value in self.entries(node, path)}
        if isinstance(node, yaml.SequenceNode) and node.tag == f"{_TAG}seq":
            return [self.read(item, (*path, at)) for at, item in enumerate(node.value)]
        return self.scalar(node, path)

    def entries(self, node: yaml.MappingNode, path: Path) -> list[tuple[str, yaml.Node]]:
        entries: dict[str, yaml.Node] = {}
        for key_node, value in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                problem = "a key must be a plain word"
                raise StudyError(problem, file=self.file, line=line, key=dotted(path))
            key = str(key_node.value)
            if key in entries:
                before = self.lines[(*path, key)]
                problem = f"the key stands twice; the first is on line {before}"
                raise StudyError(problem, file=self.file, line=line, key=dotted((*path, key)))
            entries[key] = value
            self.lines[(*path, key)] = line
        return list(entries.items())

    def scalar(self, node: yaml.Node, path: Path) -> str | int | float | bool | None:
        text = str(node.value)
        kind = node.tag.removeprefix(_TAG)
        if kind == "str" and not any("\ud800" <= char <= "\udfff" for char in text):
            return text
        if kind in ("int", "float") and len(text) <= 300:  # noqa: PLR2004 - int() has a limit too
            return int(text) if kind == "int" else float(text)
        if kind in ("bool", "null") and text.lower() in _CONSTANTS:
            return _CONSTANTS[text.lower()]
        problem = (
            "this value cannot be read; write it without a tag (!), and in ordinary characters"
        )
        line = node.start_mark.line + 1
        raise StudyError(problem, file=self.file, line=line, key=dotted(path))


def dotted(path: Path) -> str:
    """A path as people write it: `shapes[0].batch`; odd keys are quoted and cut."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{_plain(part)}"
    return text.removeprefix(".")


def _plain(key: str) -> str:
    # A key may hold what a terminal would obey.
    shown = key if key and key.isprintable() else ascii(key)
    return shown if len(shown) <= LONGEST_SHOWN else f"{shown[:LONGEST_SHOWN]}…"
