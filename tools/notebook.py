"""Runs the notebook of the documentation, and renders it as a page of the site.

    python tools/notebook.py           # run docs/tutorial.ipynb; write outputs and docs/notebook.md
    python tools/notebook.py --check   # run it, write nothing

It needs no Jupyter: the cells are run here, one after the other, and what a kernel would show of
the last expression of each is asked for in the same way (`_repr_html_`, `_repr_png_`).
"""

from __future__ import annotations

import argparse
import ast
import base64
import contextlib
import io
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

DOCS = Path(__file__).parents[1] / "docs"
NOTEBOOK, PAGE, IMAGES = DOCS / "tutorial.ipynb", DOCS / "notebook.md", DOCS / "images"

Cell = dict[str, Any]
"""A cell or an output, as the format of notebooks has it."""


class Shown:
    """The outputs of a cell that were shown before it ended; stands in for IPython's display."""

    def __init__(self) -> None:
        self.values: list[object] = []

    def display(self, value: object, *, display_id: bool = False) -> Shown:
        """Show a value."""
        del display_id
        self.values.append(value)
        return self

    def update(self, value: object) -> None:
        """Show a value in place of the last."""
        self.values[-1] = value


def run(cells: list[Cell]) -> None:
    """Run the cells in the folder of the documentation, and give each its outputs.

    Raises:
        Exception: whatever a cell raises.
    """
    names: dict[str, Any] = {"__name__": "__main__"}
    number = 0
    with _in_docs(), _kernel() as shown:
        for cell in cells:
            if cell["cell_type"] != "code":
                continue
            number += 1
            shown.values.clear()
            cell["execution_count"] = number
            printed, value = _run("".join(cell["source"]), f"cell {number}", names)
            cell["outputs"] = _outputs(printed, shown.values, value, number)


def page(cells: list[Cell]) -> tuple[str, dict[str, bytes]]:
    """The notebook as Markdown, and its pictures by file name."""
    parts: list[str] = []
    images: dict[str, bytes] = {}
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
            continue
        parts.append(f"```python\n{source}\n```")
        for output in cell["outputs"]:
            text, image = _rendered(output, f"notebook-{cell['execution_count']}.png")
            parts.append(text)
            images |= image
    head = "<!-- from docs/tutorial.ipynb, by tools/notebook.py -->"
    return "\n\n".join([head, *parts]) + "\n", images


def read() -> Cell:
    """The notebook as it is stored."""
    found: Cell = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    return found


@contextlib.contextmanager
def _in_docs() -> Iterator[None]:
    before = Path.cwd()
    os.chdir(DOCS)
    try:
        yield
    finally:
        os.chdir(before)


@contextlib.contextmanager
def _kernel() -> Iterator[Shown]:
    """Stands in for a kernel of Jupyter: progress is shown as there."""
    shown, ipython, display = Shown(), ModuleType("IPython"), ModuleType("IPython.display")
    vars(ipython)["get_ipython"] = lambda: SimpleNamespace(kernel=True)
    vars(ipython)["version_info"] = (9, 0)  # matplotlib asks
    vars(display)["display"] = shown.display
    sys.modules |= {"IPython": ipython, "IPython.display": display}
    try:
        yield shown
    finally:
        del sys.modules["IPython"], sys.modules["IPython.display"]


def _run(source: str, name: str, names: dict[str, Any]) -> tuple[str, object]:
    """What a cell printed, and the value of its last expression."""
    tree, last = ast.parse(source, name), None
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        last = ast.Expression(tree.body.pop().value)  # type: ignore[attr-defined]
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(tree, name, "exec"), names)  # noqa: S102 - a notebook of ours
        value = eval(compile(last, name, "eval"), names) if last is not None else None  # noqa: S307
    return out.getvalue(), value


def _outputs(printed: str, shown: list[object], value: object, number: int) -> list[Cell]:
    found: list[Cell] = []
    if printed:
        found.append({"output_type": "stream", "name": "stdout", "text": printed})
    found += [{"output_type": "display_data", "metadata": {}, "data": _data(one)} for one in shown]
    if value is not None:
        result = {"execution_count": number, "metadata": {}, "data": _data(value)}
        found.append({"output_type": "execute_result", **result})
    return found


def _data(value: object) -> Cell:
    """A value in each form that a notebook can show, as an object of Python gives them."""
    data: Cell = {"text/plain": repr(value)}
    kind: Any = type(value)
    html = kind._repr_html_(value) if hasattr(kind, "_repr_html_") else None
    if html is not None:  # a figure of matplotlib has one that says None
        data["text/html"] = html
    if hasattr(kind, "_repr_png_"):
        png = kind._repr_png_(value)
        data["image/png"] = base64.b64encode(png).decode()
    return data


def _rendered(output: Cell, name: str) -> tuple[str, dict[str, bytes]]:
    """An output as Markdown, and the picture that it has."""
    if output["output_type"] == "stream":
        return f"```text\n{output['text']}```", {}
    data = output["data"]
    if "image/png" in data:
        return f"![The figure that this cell draws](images/{name})", {
            name: base64.b64decode(data["image/png"])
        }
    if "text/html" in data:
        lines = (line.strip() for line in data["text/html"].splitlines())
        return f'<div class="output">{"".join(lines)}</div>', {}
    return f"```text\n{data['text/plain']}\n```", {}


def main() -> None:
    """Run the notebook; write it and its page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--check", action="store_true", help="run it, write nothing")
    check = parser.parse_args().check
    notebook = read()
    run(notebook["cells"])
    if check:
        return
    text, images = page(notebook["cells"])
    NOTEBOOK.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    PAGE.write_text(text, encoding="utf-8")
    IMAGES.mkdir(exist_ok=True)
    for name, data in images.items():
        (IMAGES / name).write_bytes(data)


if __name__ == "__main__":
    main()
