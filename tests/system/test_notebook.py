"""The notebook of the documentation runs, and its page shows the same cells."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

ROOT = Path(__file__).parents[2]
TOOL = runpy.run_path(str(ROOT / "tools" / "notebook.py"))


def test_every_cell_runs_and_shows_what_it_should():
    pytest.importorskip("matplotlib")
    pytest.importorskip("pandas")
    cells = TOOL["read"]()["cells"]
    stored = [len(datas(cell)) for cell in cells]
    TOOL["run"](cells)
    assert [len(datas(cell)) for cell in cells] == stored, "run python tools/notebook.py"
    shown = [data["text/html"] for cell in cells for data in datas(cell) if "text/html" in data]
    ours = [one for one in shown if 'class="inferometer"' in one]
    assert len(ours) == 5
    for one in ours:
        assert ET.fromstring(one).findall(".//svg")


def test_the_page_shows_the_cells_of_the_notebook():
    cells = TOOL["read"]()["cells"]
    page = TOOL["PAGE"].read_text(encoding="utf-8")
    code = re.findall(r"```python\n(.*?)\n```", page, re.DOTALL)
    assert code == ["".join(one["source"]) for one in cells if one["cell_type"] == "code"]
    text, images = TOOL["page"](cells)
    assert text == page, "run python tools/notebook.py"
    for name, data in images.items():
        assert (TOOL["IMAGES"] / name).read_bytes() == data


def datas(cell):
    return [output["data"] for output in cell.get("outputs", ()) if "data" in output]
