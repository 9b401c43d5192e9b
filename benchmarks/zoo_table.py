"""What was seen of the zoo, as a page in Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

Answer = dict[str, Any]

ASKED = ("opens", "counts", "runs", "finite", "left as it was", "trains", "equals torch's")
"""What is asked of each model, in this order."""
OUT = "not in the corpus"
"""Key of the reason why a model cannot be had at all."""

HEAD = """# The zoo

Cases show kinds of faults; a corpus shows how many are left. `benchmarks/zoo.py` opens every model
that can be had without a network, counts its operations, measures it at two batch sizes with
`im.measure`, and looks whether it is left as it was. This page is made from its answers.

| asked | what it means |
|---|---|
| opens | the reference gives a network with inputs that it takes |
| counts | it is counted at batch 1 and 2 without a call, and no operator is unknown |
| runs | it is measured at batch 1, and at 2, or called with 2 where a call takes over 20 ms |
| finite | its outputs hold no NaN and no plus infinity |
| left as it was | parameters, buffers, modes and attributes are bit for bit what they were |
| trains | gradients reach its parameters afterwards, or do not in an untouched twin either |
| equals torch's | `torch.utils.flop_counter` counts as many MACs in a real call |

A cell holds how many models pass of those that could be asked: torch's counter does not know every
operator, for one. Models that do more than 2 billion MACs a call are run at a half or a quarter of
their input size, where they take another. Models of timm are the smallest of each family; those of
transformers are made from their configuration with few layers and narrow ones; weights are random
where a package brings none.
"""


def misses(answer: Answer) -> list[str]:
    """What a model was missed in, with the reason."""
    if OUT in answer:
        return []
    found = [(name, str(answer.get(name, "-"))) for name in ASKED]
    return [f"{name}: {text}" for name, text in found if text != "yes" and not text.startswith("-")]


def page(answers: list[Answer], note: str = "") -> str:
    """The page, with what else a reader should know."""
    sources = list(dict.fromkeys(str(one["source"]) for one in answers))
    parts = [HEAD, *([note, ""] if note else []), *_table(answers, sources)]
    for source in sources:
        parts += _missed(source, [one for one in answers if one["source"] == source])
    for source in sources:
        parts += _limits(source, [one for one in answers if one["source"] == source])
    for source in sources:
        parts += _left_out(source, [one for one in answers if one["source"] == source])
    return "\n".join(parts) + "\n"


def _table(answers: list[Answer], sources: Iterable[str]) -> list[str]:
    lines = [
        f"| source | models | {' | '.join(ASKED)} | all of it |",
        "|---|---|" + "---|" * (len(ASKED) + 1),
    ]
    for source in sources:
        there = [one for one in answers if one["source"] == source and OUT not in one]
        passed = sum(not misses(one) for one in there)
        cells = [_cell(there, question) for question in ASKED]
        share = f"{passed} ({passed / max(len(there), 1):.1%})"
        lines.append(f"| {source} | {len(there)} | {' | '.join(cells)} | {share} |")
    return lines


def _cell(answers: list[Answer], question: str) -> str:
    texts = [str(one.get(question, "-")) for one in answers]
    asked = [text for text in texts if not text.startswith("-")]
    return f"{asked.count('yes')} of {len(asked)}"


def _missed(source: str, answers: list[Answer]) -> list[str]:
    """Each miss of a source with its reason."""
    missed = [(one["name"], misses(one)) for one in answers if misses(one)]
    if not missed:
        return ["", f"## {source}: nothing was missed"]
    lines = ["", f"## {source}: what was missed", "", "| model | what, and why |", "|---|---|"]
    return lines + [f"| {name} | {_safe('; '.join(reasons))} |" for name, reasons in missed]


def _limits(source: str, answers: list[Answer]) -> list[str]:
    """What could not be asked of a model that opens, by model."""
    asked = ("counts", "runs", "trains")
    found = [(one["name"], name, str(one.get(name, ""))) for one in answers for name in asked]
    rows = [(model, f"{name}{text[1:]}") for model, name, text in found if text.startswith("- ")]
    if not rows:
        return []
    lines = [
        "",
        f"## {source}: what could not be asked",
        "",
        "| model | what, and why |",
        "|---|---|",
    ]
    return lines + [f"| {model} | {_safe(text)} |" for model, text in rows]


def _left_out(source: str, answers: list[Answer]) -> list[str]:
    """What a source names but cannot build, by reason."""
    out = [one for one in answers if OUT in one]
    if not out:
        return []
    lines = ["", f"## {source}: what cannot be had here", "", "| model | why |", "|---|---|"]
    return lines + [f"| {one['name']} | {_safe(str(one[OUT]))} |" for one in out]


FOLDER = re.compile(r"transformers:\S*/zoo-\w+/")
"""Where a small configuration lay for a while."""


def _safe(text: str) -> str:
    return FOLDER.sub("transformers:", text).replace("|", "\\|").replace("\n", " ")[:400]
