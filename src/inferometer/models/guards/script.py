"""A TorchScript archive, checked before torch loads it.

TorchScript is a language of its own without imports, but some of its operators write and read
files, and its code runs as soon as it is loaded (`__setstate__`).
"""

from __future__ import annotations

import re
from pathlib import Path

from inferometer.core.shown import shown
from inferometer.models.guards import LOOKS
from inferometer.models.guards.operators import NAMESPACES, REACHING
from inferometer.models.guards.records import Records
from inferometer.models.guards.refusal import damaged, untrusted

_TOKEN = re.compile(
    r"(?P<comment>\#[^\n]*)"
    r"|(?P<text>\"\"\"(?:\\.|[^\\])*?\"\"\"|'''(?:\\.|[^\\])*?'''"
    r"|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*')"
    r"|(?P<name>[A-Za-z_]\w*)|(?P<sign>\S)",
    re.DOTALL,
)
_OTHERS = "_quantized mkl mkldnn_prepacked prepacked quantization static_runtime"
_SCRIPT_NAMESPACES = NAMESPACES.union(_OTHERS.split())
_CLASSES = frozenset({"mkldnn", "prepacked", "quantized", "rnn", "sparse", "xnnpack"})
"""Namespaces of compiled classes that a script may make objects of: packed weights."""

_REACHING = re.compile(rf"\b({'|'.join(sorted(REACHING))})\b")
"""Anywhere: in texts and comments, too, since `getattr` takes a text."""

MOST_CODE_BYTES = 16 << 20
"""Of one member; a trace of a network of ten thousand layers has about 4 MB."""

_TEXT = "a text"
_CLASS = re.compile(rb"__torch__\.torch[.\n]classes[.\n](\w*)")
_OLD = "model.json"
"""The program in archives of torch 1.0, which has ways of its own to name code."""


@LOOKS.timed
def check_script(path: Path) -> None:
    """Refuse a script that reaches for files or for anything but torch's own operators.

    Raises:
        WorkloadError: (bad_model) it does, or it is damaged.
    """
    records = Records(path)
    if _OLD in records.sizes:
        raise untrusted(path, "is a TorchScript file of torch 1.0")
    for name in records.sizes:
        if name.startswith("code/") and name.endswith(".py"):
            _check_code(path, name, records.read(name))
        elif name.endswith(".pkl"):
            for found in _CLASS.findall(records.read(name)):
                if found.decode() not in _CLASSES:
                    raise untrusted(path, f"holds an object of a compiled class ({name})")


def _check_code(path: Path, name: str, content: bytes) -> None:
    if len(content) > MOST_CODE_BYTES or b"\0" in content:
        raise damaged(path, f"is a damaged TorchScript file: {shown(name, 80)} is not source code")
    try:
        code = content.decode()
    except UnicodeDecodeError as error:
        raise damaged(path, f"is a damaged TorchScript file: {shown(name, 80)}") from error
    found = reaches(code)
    if found:
        raise untrusted(path, f"holds code that calls {shown(found, 80)}, which may reach files")


def reaches(code: str) -> str:
    """What a script names that reaches for more than numbers; empty where it names nothing.

    The language has no way to make a name out of text but `getattr` with a literal.
    """
    if match := _REACHING.search(code):
        return match.group()
    before: list[str] = [""] * 5
    brackets: list[str] = []
    for match in _TOKEN.finditer(code):
        word, kind = match.group(), match.lastgroup
        if kind == "comment":
            continue
        if kind == "text":
            if "getattr" in brackets[-1:] and ("\\" in word or before[-1] == _TEXT):
                return "getattr of a hidden name"
            word = _TEXT
        if problem := _misplaced(word, before):
            return problem
        if word in "([{":
            brackets.append(before[-1])
        elif word in ")]}":
            del brackets[-1:]
        before = [*before[1:], word]
    return _misplaced("", before)


def _misplaced(word: str, before: list[str]) -> str:
    """What is wrong with a word after those before it.

    Namespaces are followed by what is taken of them: given to another name, they could be anything.
    """
    match before:
        case [*_, ".", "ops"]:
            return ""  # an attribute of that name
        case [*_, "ops"] | [*_, "torch"] | [*_, "torch", ".", "classes"]:
            return "" if word == "." else before[-1]
        case [*_, left, "ops", "."] if left != ".":
            return "" if word in _SCRIPT_NAMESPACES else f"ops.{word}"
        case [*_, left, "ops", ".", space] if left != "." and word != ".":
            return f"ops.{space}"
        case [*_, "torch", ".", "classes", "."]:
            return "" if word in _CLASSES else f"torch.classes.{word}"
    return ""
