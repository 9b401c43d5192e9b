"""The light agent as one file: the modules of `light` joined, with a study or without one.

A board needs a Python from 3.6 on, and nothing of ours. What a study asks for that the agent does
not do is said when the file is made.
"""

from __future__ import annotations

import ast
import json
import re
import textwrap
import time
from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from inferometer import __version__
from inferometer.core.errors import FleetError, WorkloadError
from inferometer.core.filenames import FileProblemError, check_file, expanded
from inferometer.core.shown import shown
from inferometer.core.sweep import Study
from inferometer.core.workload import Workload
from inferometer.fleet.light.networks import CATALOGUE, Refused, parse, sha256_of
from inferometer.fleet.light.runtimes import why_not
from inferometer.host.identity import HYPERVISORS
from inferometer.host.processor import IMPLEMENTERS, PARTS, SIMD_FLAGS

MODULES = (
    *("files", "device", "signals", "power", "networks", "runtimes", "harness", "worker", "plan"),
    *("pool", "results", "energy", "standing", "outcomes", "apparatus", "campaign", "windows"),
    *("lease", "measuring", "spool", "verbs", "program"),
)
"""In an order in which each finds what it uses above it."""

OURS = "inferometer.fleet.light"
_INLINED = re.compile(r"^( +)from inferometer\.models\.zoo\.(\w+) import \w+$", re.MULTILINE)
_FOR_TYPES = ("__future__", "collections.abc", "typing", "numpy.typing")
_NOT_MEASURED = {
    "pair": "pairs (--pair)",
    "sustain_s": "sustained runs (--sustain)",
    "find_cliff": "where throughput collapses (--find-cliff)",
    "data": "accuracy (--data)",
}
_WORDS = ("pretrained", "calibrated")

TAIL = """
if __name__ == "__main__":
    sys.exit(
        run_agent(__file__, sys.argv[1:], json.loads(JOB), json.loads(TABLES), json.loads(MADE))
    )
"""


def agent_file(study: Study | None = None, *, energy: bool = True) -> bytes:
    """The agent's file.

    Args:
        study: what it measures; None for one that a fleet sends jobs to.
        energy: whether it looks for power sensors.

    Raises:
        FleetError: the agent does not do what the study asks for, or a file of it is missing.
    """
    job = None if study is None else job_of(study, energy=energy)
    made = {"version": __version__, "at": 0.0 if study is None else time.time()}
    sources = {name: _source(f"fleet/light/{name}.py") for name in MODULES}
    parts = [
        _head(study),
        _imports(sources.values()),
        *(_body(name, source) for name, source in sources.items()),
        *(
            f"{name} = {json.dumps(data)!r}"
            for name, data in (("JOB", job), ("TABLES", tables()), ("MADE", made))
        ),
        TAIL.strip(),
    ]
    return ("\n\n".join(part.strip("\n") for part in parts) + "\n").encode()


def tables() -> dict[str, Mapping[str, str]]:
    """Names by which the agent calls what it finds, from the places where they are kept."""
    return {
        "makers": IMPLEMENTERS,
        "parts": PARTS,
        "hypervisors": HYPERVISORS,
        "simd": SIMD_FLAGS,
    }


def job_of(study: Study, *, energy: bool = True) -> dict[str, Any]:
    """What the agent measures, as a fleet's job without an id.

    Raises:
        FleetError: it does not do what the study asks for, or a file of it is missing.
    """
    procedure = study.procedure
    asked = [what for name, what in _NOT_MEASURED.items() if getattr(procedure, name)]
    if asked:
        raise FleetError(f"the light agent does not measure {' and '.join(asked)}; leave it out")
    workloads = study.workloads()
    refused = refusals(workloads)
    if len(refused) == len(workloads):
        raise FleetError(
            f"the light agent can measure nothing of this: {next(iter(refused.values()))}"
        )
    return {
        "id": None,
        "study": study.to_json(),
        "workloads": [one.to_json() for one in workloads],
        "files": needed_files(study.sweep.models),
        "energy": energy,
    }


def refusals(workloads: Iterable[Workload]) -> dict[Workload, str]:
    """Workloads that the agent cannot run, whatever the board has, and why."""
    found = {one: _refusal(one) for one in workloads}
    return {one: why for one, why in found.items() if why is not None}


def _refusal(workload: Workload) -> str | None:
    model = workload.variant.model
    try:
        kind, _, options = parse(model)
    except Refused as refused:
        return str(refused)
    if options.get("weights") in _WORDS:
        return f"{shown(model)}: the light agent does not make weights={options['weights']}"
    by_name = kind == "torchvision" and model.partition("?")[0] not in CATALOGUE
    if by_name and workload.input_size is None and "input" not in options:
        return f"{shown(model)}: the light agent does not know its own size; give one (--size 224)"
    made = {"unet": "module", "torchvision": "module", "builtin": "callable"}
    if kind == "factory":  # the function tells
        return (
            None
            if workload.variant.backend in ("torch", "torchscript", "python")
            else why_not("callable", workload.to_json())
        )
    why = why_not(made.get(kind, kind), workload.to_json())
    return None if why is None else f"{shown(model)}: {why}"


def needed_files(models: Iterable[str]) -> list[dict[str, Any]]:
    """The files that references need on the board, by the paths under which they name them.

    Raises:
        FleetError: one is missing, or is a script that may not be run.
    """
    found: dict[str, dict[str, Any]] = {}
    for model in models:
        for path, is_script in _paths(model):
            found[path] = _needed(path, is_script=is_script)
    return list(found.values())


def _needed(path: str, *, is_script: bool) -> dict[str, Any]:
    """A file, looked at as it is here before a model is loaded from it.

    Raises:
        FleetError: it is missing, or a script that may reach files.
    """
    from inferometer.models.guards.script import check_script

    try:
        file = Path(expanded(path))
        check_file(file)
        if is_script:
            check_script(file)
    except (FileProblemError, WorkloadError) as error:
        raise FleetError(str(error)) from error
    return {"path": path, "sha256": sha256_of(str(file)), "bytes": file.stat().st_size}


def _paths(model: str) -> list[tuple[str, bool]]:
    """Files that a reference names, and whether each is TorchScript."""
    try:
        kind, target, options = parse(model)
    except Refused:
        return []
    weights = options.get("weights")
    paths = [(str(weights), False)] if weights and weights not in _WORDS else []
    if kind == "factory":
        return [(target.rpartition(":")[0], False), *paths]
    own = kind in ("script", "onnx", "tflite")
    return [(target, kind == "script"), *paths] if own else paths


def _source(name: str) -> str:
    return files("inferometer").joinpath(name).read_text(encoding="utf-8")


def _head(study: Study | None) -> str:
    what = "jobs of a fleet" if study is None else f"the study {json.dumps(study.name)}"
    return (
        "#!/usr/bin/env python3\n"
        f'"""The light agent of inferometer {__version__}: measures {what} on this device.\n\n'
        "Python 3.6 or later, and whatever runtime the study asks for; nothing else.\n"
        'Start it with: python3 agent.py [-o results.json]\n"""'
    )


def _imports(sources: Iterable[str]) -> str:
    """The imports of all modules but those of each other, each once."""
    plain: set[str] = set()
    named: dict[str, set[str]] = {}
    for source in sources:
        for node in ast.parse(source).body:
            if isinstance(node, ast.Import):
                plain |= {one.name for one in node.names}
            elif isinstance(node, ast.ImportFrom) and not (node.module or "").startswith(OURS):
                named.setdefault(node.module or "", set()).update(one.name for one in node.names)
    lines = [f"import {name}" for name in sorted(plain)]
    lines += [
        f"from {name} import {', '.join(sorted(what))}" for name, what in sorted(named.items())
    ]
    return "\n".join(lines)


def _body(name: str, source: str) -> str:
    """A module without its imports, its docstring as a comment, and what it inlines in place."""
    tree = ast.parse(source)
    lines = source.splitlines()
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            for at in range(node.lineno - 1, node.end_lineno or node.lineno):
                lines[at] = ""
    said = ast.get_docstring(tree) or ""
    rest = lines[tree.body[0].end_lineno :]
    comment = "\n".join(f"# {line}".rstrip() for line in said.splitlines())
    body = re.sub(r"\n{4,}", "\n\n\n", "\n".join(rest)).strip("\n")
    return f"\n# ---- {name}\n{comment}\n\n\n{_INLINED.sub(_inlined, body)}"


def _inlined(match: re.Match[str]) -> str:
    """The code of a module in the place where a function imports it."""
    tree = _Plain().visit(ast.parse(_source(f"models/zoo/{match[2]}.py")))
    return textwrap.indent(ast.unparse(ast.fix_missing_locations(tree)), match[1])


class _Plain(ast.NodeTransformer):
    """Without annotations, and what only they need: older Pythons do not have their types."""

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | None:
        return None if node.module in _FOR_TYPES else node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        if node.value is None:
            return None
        return ast.Assign(targets=[node.target], value=node.value)

    def visit_Assign(self, node: ast.Assign) -> ast.AST | None:
        is_type = isinstance(node.value, ast.Subscript) and ast.unparse(node.value).startswith(
            "NDA"
        )
        return None if is_type else node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        for argument in (*node.args.args, *node.args.kwonlyargs):
            argument.annotation = None
        self.generic_visit(node)
        return node
