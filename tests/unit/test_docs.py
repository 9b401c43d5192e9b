"""The documentation agrees with the code."""

from __future__ import annotations

import ast
import re
import runpy
from pathlib import Path

import pytest

import inferometer

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
SOURCE = ROOT / "src" / "inferometer"
TOOL = runpy.run_path(str(ROOT / "tools" / "pages.py"))
ROOMS = [room for row in TOOL["rows"]() for room in row]
RECORDS = sorted((DOCS / "decisions").glob("0*.md"))
PRESENT = [page for page in sorted(DOCS.rglob("*.md")) if page.parent.name != "decisions"]
"""Pages about how things are now; records of decisions are about how they were."""

FILE = re.compile(rf"`((?:{'|'.join(ROOMS)})/[\w/]+\.py)(?::([\w.]+))?`")


def text_of(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


def lines_like(pattern: str, text: str) -> list[str]:
    return re.findall(f"^{pattern}$", text, re.MULTILINE)


@pytest.mark.parametrize("part", TOOL["PARTS"])
def test_what_follows_from_the_code_is_up_to_date(part):
    page, text = TOOL["written"](part)
    assert page.read_text(encoding="utf-8") == text, "run python tools/pages.py"


def test_every_exported_field_is_explained():
    assert not lines_like(r"\| `(\w+)` \| [^|]+ \|\s*\|", text_of("reference/record.md"))


def test_every_room_is_explained():
    assert lines_like(r"\| `(\w+)` \| .+", text_of("architecture.md")) == ROOMS


def test_every_file_and_name_that_a_page_mentions_exists():
    lost = [
        f"{page.name}: {file}:{name}"
        for page in PRESENT
        for file, name in FILE.findall(page.read_text(encoding="utf-8"))
        if not (SOURCE / file).is_file() or (name and name not in names_in(SOURCE / file))
    ]
    assert not lost


def test_the_way_of_three_values_is_told_with_names():
    named = FILE.findall(text_of("architecture.md"))
    assert len([name for _, name in named if name]) > 30


def test_every_public_name_has_a_reference():
    shown = lines_like(r"::: inferometer\.(\w+)", text_of("reference/python.md"))
    assert set(inferometer.__all__) - {"__version__"} <= set(shown)


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_links_outside_the_site_lead_somewhere(page):
    links = re.findall(r"\]\(([\w./-]+)\)", (ROOT / page).read_text(encoding="utf-8"))
    assert links
    assert not [link for link in links if not (ROOT / link).exists()]


@pytest.mark.parametrize("record", RECORDS, ids=lambda page: page.name[:3])
def test_a_decision_follows_the_template(record):
    text = record.read_text(encoding="utf-8")
    assert text.startswith(f"# {record.name[:3]} ")
    assert lines_like(r"(?:\*\*Status:\*\* .+ ·\s)\*\*Date:\*\* [\dYMD-]{10}", text)
    parts = ["Context", "Decision", "Consequences", "Alternatives"]
    assert lines_like("## (.+)", text) == parts
    assert record.name in text_of("decisions/index.md") + "000-template.md"


def names_in(file: Path) -> set[str]:
    """Functions, classes and methods of a file; the latter as `Class.method`."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    kinds = ast.FunctionDef, ast.ClassDef
    found = {node.name for node in tree.body if isinstance(node, kinds)}
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    return found | {
        f"{one.name}.{node.name}" for one in classes for node in one.body if isinstance(node, kinds)
    }
