"""Fills the outputs of commands into pages of the documentation, from a recorded store.

    python tools/outputs.py

A console block below a line `<!-- recorded: N lines -->` is run: each of its lines that begins with
`$ ` is a command, run in a folder that holds the recorded lab as `inferometer.db`, and the first N
lines of what it prints follow. `tests/unit/test_docs_outputs.py` runs the quick ones.
"""

from __future__ import annotations

import gzip
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [DOCS / "quick-start.md"]
STORE, TABLE = DOCS / "data" / "lab.db.gz", ROOT / "tests" / "data" / "lab2_jetson_nano_2gb.csv"
BLOCK = re.compile(r"(<!-- recorded: (\d+) lines? -->\n```console\n)(.*?)(```)", re.DOTALL)


def commands(text: str) -> list[str]:
    """The commands of a page whose outputs are recorded."""
    return [
        line.removeprefix("$ ")
        for block in BLOCK.finditer(text)
        for line in block[3].splitlines()
        if line.startswith("$ ")
    ]


def filled(text: str, run: Callable[[str], str | None]) -> str:
    """A page with the outputs of its commands.

    Args:
        text: the page.
        run: gives what a command prints; None leaves its block as it is.
    """

    def block(found: re.Match[str]) -> str:
        parts = []
        for line in commands(found[0]):
            printed = run(line)
            if printed is None:
                return found[0]
            lines = printed.rstrip().splitlines()
            most = int(found[2])
            kept = [one.rstrip() for one in lines[:most]] + ["…"] * (len(lines) > most)
            parts += [f"$ {line}", *kept]
        return found[1] + "".join(f"{part}\n" for part in parts) + found[4]

    return BLOCK.sub(block, text)


def run_in(folder: Path, command: str) -> str:
    """What a command prints in a folder."""
    program, *arguments = shlex.split(command)
    if program != "inferometer":
        raise ValueError(f"not a command of ours: {command}")
    known = {"TZ": "UTC", "COLUMNS": "80", "NO_COLOR": "1", "INFEROMETER_STORE": "inferometer.db"}
    done = subprocess.run(
        [sys.executable, "-m", "inferometer", *arguments],
        cwd=folder,
        env={**os.environ, **known},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode > 1:
        raise ValueError(f"{command}: {done.stderr}")
    return done.stdout + done.stderr


def prepare(folder: Path) -> None:
    """Put the recorded lab and the table of the lab into a folder."""
    (folder / "inferometer.db").write_bytes(gzip.decompress(STORE.read_bytes()))
    (folder / "nano.csv").write_bytes(TABLE.read_bytes())


def main() -> None:
    """Fill all pages."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder)
        for page in PAGES:
            text = page.read_text(encoding="utf-8")
            page.write_text(filled(text, lambda line: run_in(folder, line)), encoding="utf-8")


if __name__ == "__main__":
    main()
