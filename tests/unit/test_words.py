"""The field's terms in what people read: no word of our own in a string or docstring of the code.

`docs/glossary.md` says what the terms mean.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "inferometer"
FOLDERS = (
    *(
        "analysis",
        "backends",
        "cli",
        "core",
        "datasets",
        "figures",
        "fleet",
        "host",
        "meters",
        "metrics",
        "models",
    ),
    *("report", "runner", "stats", "store", "study"),
)
OWN_WORDS = {
    r"roofs?": "roofline, roofline bound",
    r"on paper": "analytical",
    r"(above|at|of) rest|resting": "net, above idle, idle",
    r"(a|each|every|one|per|this|its|next) turn(?! (of|to))": "replicate",
    r"(in|takes?|took|its|of|all) turns": "replicate, alternate",
    r"objections?": "counterexample",
    r"stands? out|standouts?": "outlier",
    r"settl(e|ing)": "post-switch warm-up",
    r"interim looks?|looks? at the (interval|figures)": "interim analysis",
    r"start(ing|s)? (of )?((its|an|the) )?operators?": "dispatch overhead",
    r"in the middle(?! of)": "median",
    r"(per|for each|one|more) input(?! size)|inputs per (second|watt-hour)": "sample",
    r"resident workers?|residents": "worker pool",
    r"wish(es)?": "request",
    r"bench": "harness",
    r"tellers?": "progress",
}
"""Each with the field's term, which takes its place."""
PATTERNS = {re.compile(rf"\b(?:{own})\b", re.IGNORECASE): term for own, term in OWN_WORDS.items()}

EXPORTED = {"roofs", "latency per input", "energy per input", "per input", "settle"}
"""Names in stores, exports and study files, which stay as they are."""
STORED = {"core/record.py", "runner/workers/messages/measuring.py", "store/migrations.py"}
"""Modules that tell of the stored column `settle`."""


def told(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of each string and docstring; of a template, of each line."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        yield from enumerate(text.splitlines(), start=1)
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, re.sub(r"\s+", " ", node.value)


def files(folder: str) -> list[Path]:
    found = [path for path in (SOURCE / folder).rglob("*") if path.suffix in {".py", ".j2"}]
    return sorted(path for path in found if str(path.relative_to(SOURCE)) not in STORED)


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_fields_terms_are_used(folder):
    found = [
        f"{path.relative_to(SOURCE)}:{line}: {match.group()!r}, say {term}"
        for path in files(folder)
        for line, text in told(path)
        if text not in EXPORTED
        for own, term in PATTERNS.items()
        for match in own.finditer(text)
    ]
    assert not found


def test_words_are_found_in_strings_docstrings_and_templates(tmp_path):
    module, template = tmp_path / "a.py", tmp_path / "b.j2"
    module.write_text('"""On\n    paper."""\nx = f"{1} a roof"\n', encoding="utf-8")
    template.write_text("Some {{ text }}\nat rest\n", encoding="utf-8")
    assert [text for _, text in told(module)] == ["On paper.", " a roof"]
    assert list(told(template))[1] == (2, "at rest")
