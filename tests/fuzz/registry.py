"""Every kind of input, and a campaign over some of them."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.fuzz.case import Kind, Result
from tests.fuzz.executor import run_seeds
from tests.fuzz.kinds import (
    bundles,
    commands,
    logs,
    models,
    planted,
    published,
    stores,
    studies,
    tables,
    trees,
)

KINDS: dict[str, Kind] = {
    kind.name: kind
    for module in (studies, commands, tables, published, logs, bundles, trees, models, stores)
    for kind in module.KINDS
}
"""By name."""

PLANTED: dict[str, Kind] = {kind.name: kind for kind in planted.KINDS}
"""Kinds whose every input does a harm, to see that it is found."""

MEMORY = "/dev/shm"
"""A folder in memory, where there is one: an input makes up to seventy files."""


def results(kind: Kind, seeds: Iterable[int]) -> Iterator[Result]:
    """What comes of some inputs of a kind."""
    sys.dont_write_bytecode = True
    kind.ready()
    place = MEMORY if os.access(MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="inferometer-fuzz-", dir=place) as folder:
        yield from run_seeds(kind, list(seeds), Path(folder).resolve() / "at")


def replay_folder(kind: Kind, seed: int, folder: Path) -> list[str]:
    """Write the files of an input to a folder that stays; gives its command line."""
    import random

    kind.ready()
    folder.mkdir(parents=True, exist_ok=True)
    case = kind.make(random.Random(f"{kind.name}:{seed}"), folder)
    (folder / "args.json").write_text(json.dumps(list(case.args)))
    return list(case.args)
