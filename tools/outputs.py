"""Runs the commands on the pages of the documentation, and fills in what they print.

    python tools/outputs.py [--check] [--recorded] [PAGE …]

A line above each block of a page says what becomes of it:

    <!-- file: nets.py -->                  the block is that file, in the folder of the commands
    <!-- setup: COMMAND -->                 a command that no reader sees (it stands alone)
    <!-- recorded: 8 lines -->              commands on the recorded lab
    <!-- measured: 8 lines -->              commands that measure, or that need what others left
    <!-- tested: tests/unit/test_api.py --> a test runs the block
    <!-- not run: needs a Jetson -->        a block that cannot be run here, and why

Below each line that begins with `$ ` come the first lines of what it prints, none for `0 lines`.
`8 lines from "Power"` begins at the first line with that text; `, status 1` says how the commands
end. A block of Python is a program. Recorded commands run in a folder with the recorded lab as
`inferometer.db`, measured ones in another that holds the same at first; what one exports holds for
those after it. `REPOSITORY` is this repository, whose `tools/scenes.py` makes boards and meters for
a setup. With `--check` nothing is written: status 1 where a command fails, or prints something else
than a recorded block holds.
"""

from __future__ import annotations

import argparse
import gzip
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
LEFT_OUT = {DOCS / "reference" / "commands.md", DOCS / "notebook.md"}
"""Pages that other tools write."""
PAGES = [
    ROOT / "README.md",
    *(
        page
        for page in sorted(DOCS.rglob("*.md"))
        if page not in LEFT_OUT and page.parent.name != "decisions"
    ),
]
STORE, TABLE = DOCS / "data" / "lab.db.gz", ROOT / "tests" / "data" / "lab2_jetson_nano_2gb.csv"
PART = re.compile(
    r"<!-- (?:setup: (?P<setup>[^\n]+) -->$"
    r"|file: (?P<file>\S+) -->\n```\w*\n(?P<content>.*?)^```$"
    r"|(?P<kind>recorded|measured): (?P<lines>\d+) lines?"
    r'(?: from "(?P<start>.+?)")?(?:, status (?P<status>\d+))? -->\n'
    r"```(?P<language>console|python)\n(?P<block>.*?)^```$)",
    re.DOTALL | re.MULTILINE,
)
FENCE = re.compile(r"(?:^<!-- (?P<said>[\w ]+)[:\d].*-->\n)?^```(?P<language>\w+)\n", re.MULTILINE)
SAID = {"file", "recorded", "measured", "tested", "not run"}
RUN = {"console", "python", "yaml", "toml", "json", "csv", "sql"}
"""Languages of blocks that need a line above them."""

Run = Callable[[str, re.Match[str]], str | None]
"""What a command of a block prints; None where it is not to be run."""


def unsaid(text: str) -> list[str]:
    """The blocks of a page that say neither what becomes of them nor why nothing does."""
    return [
        text[found.end() :].splitlines()[0]
        for found in FENCE.finditer(text)
        if found["language"] in RUN and found["said"] not in SAID
    ]


def commands(block: str) -> list[str]:
    """The commands in a block of a console, with those lines that go on after a backslash."""
    joined = re.sub(r"\\\n\s+", r"\\\n", block)
    found: list[str] = []
    for line in joined.splitlines():
        if found and found[-1].endswith("\\"):
            found[-1] += f"\n    {line}"
        elif line.startswith("$ "):
            found.append(line.removeprefix("$ "))
    return found


def filled(text: str, run: Run) -> str:
    """A page with the outputs of its commands.

    Args:
        text: the page.
        run: what a command prints; where it gives None, the block stays as it is.
    """

    def block(found: re.Match[str]) -> str:
        if found["kind"] is None:
            return found[0]
        if found["language"] == "python":
            run(found["block"], found)
            return found[0]
        parts = []
        for command in commands(found["block"]):
            printed = run(command, found)
            if printed is None:
                return found[0]
            parts += [f"$ {command}", *shown(printed, int(found["lines"]), found["start"])]
        written = "".join(f"{part}\n" for part in parts)
        return found[0].replace(f"```console\n{found['block']}", f"```console\n{written}")

    return PART.sub(block, text)


def shown(printed: str, most: int, start: str | None) -> list[str]:
    """What a page shows of an output."""
    lines = [line.rstrip() for line in printed.rstrip().splitlines()]
    first = 0
    if start is not None:
        first = next((at for at, line in enumerate(lines) if start in line), -1)
        if first < 0:
            raise FailedError(f"nothing that was printed holds {start!r}: {printed[-500:]}")
    kept = lines[first : first + most]
    before, after = first > 0 and most > 0, most > 0 and len(lines) > first + most
    return ["…"] * before + kept + ["…"] * after


class FailedError(Exception):
    """A command that ended otherwise than its page says."""


@dataclass
class Folders:
    """Where the commands of a page run.

    Attributes:
        at: an empty folder.
        only: run recorded blocks alone.
        exports: commands `export NAME=VALUE` of the page, which hold for all that come after.
    """

    at: Path
    only: bool = False
    exports: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for kind in self.kinds():
            (self.at / kind).mkdir()
            (self.at / kind / "inferometer.db").write_bytes(gzip.decompress(STORE.read_bytes()))
            shutil.copy(TABLE, self.at / kind / "nano.csv")

    def shell(self, command: str) -> list[str]:
        """A command for a shell that knows what others exported before it."""
        if command.startswith("export ") and command not in self.exports:
            self.exports.append(command)
        return ["bash", "-ec", "\n".join([*self.exports, command])]

    def kinds(self) -> Iterator[str]:
        """Names of the folders."""
        yield "recorded"
        if not self.only:
            yield "measured"

    def lay(self, text: str) -> None:
        """Put the files of a page where its commands find them."""
        for found in PART.finditer(text):
            for kind in self.kinds():
                if found["file"]:
                    file = self.at / kind / found["file"]
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_text(found["content"], encoding="utf-8")
                elif found["setup"]:
                    execute(self.shell(found["setup"]), self.at / kind, status=0)

    def run(self, command: str, found: re.Match[str]) -> str | None:
        """What a command of a block prints, or None where blocks of its kind are left alone."""
        if found["kind"] not in self.kinds():
            return None
        is_python = found["language"] == "python"
        program = [sys.executable, "-"] if is_python else self.shell(command)
        given = {"input": command} if is_python else {}
        return execute(program, self.at / found["kind"], status=int(found["status"] or 0), **given)


def execute(program: list[str], folder: Path, *, status: int, input: str | None = None) -> str:  # noqa: A002
    """What a program prints in a folder.

    Raises:
        FailedError: it ended with another status.
    """
    environment = {
        **os.environ,
        "TZ": "UTC",
        "COLUMNS": "80",
        "NO_COLOR": "1",
        "INFEROMETER_STORE": "inferometer.db",
        "REPOSITORY": str(ROOT),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    done = subprocess.run(
        program,
        cwd=folder,
        env=environment,
        input=input,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != status:
        raise FailedError(f"{program[-1]}: status {done.returncode}\n{done.stdout[-2000:]}")
    return done.stdout.replace(f"{folder}/", "")  # which has another name each time


def page_filled(page: Path, *, only: bool) -> str:
    """A page with the outputs of its commands.

    Raises:
        FailedError: one of them ended otherwise than the page says.
    """
    text = page.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:  # meters write there
        folders = Folders(Path(name), only=only)
        folders.lay(text)
        return filled(text, folders.run)


def recorded(text: str) -> list[str]:
    """The recorded blocks of a page."""
    return [found[0] for found in PART.finditer(text) if found["kind"] == "recorded"]


def main() -> int:
    """Fill pages, or check them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("pages", nargs="*", type=Path, default=PAGES)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; status 1 if it differs"
    )
    parser.add_argument("--recorded", action="store_true", help="only what needs no measurement")
    given = parser.parse_args()
    bad = 0
    for page in map(Path.resolve, given.pages):
        before = page.read_text(encoding="utf-8")
        try:
            text = page_filled(page, only=given.recorded)
        except FailedError as error:
            sys.stderr.write(f"{page.relative_to(ROOT)}: {error}\n")
            bad = 1
            continue
        if not given.check:
            page.write_text(text, encoding="utf-8")
        elif recorded(text) != recorded(before):
            sys.stderr.write(f"{page.relative_to(ROOT)}: prints something else\n")
            bad = 1
    return bad


if __name__ == "__main__":
    sys.exit(main())
