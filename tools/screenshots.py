"""Makes the pictures of the documentation: the report's page, the terminal, the notebook.

    python tools/screenshots.py           # all, into docs/images/
    python tools/screenshots.py terminal  # those whose names begin so

From the recorded lab (`docs/data/lab.db.gz`) and, for the notebook, from docs/tutorial.ipynb. It
needs chromium, playwright, vl-convert and pillow. Pictures have few colours, so that each stays
small; `tests/unit/test_docs_images.py` looks at their sizes.
"""

from __future__ import annotations

import io
import json
import re
import runpy
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, sync_playwright
from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parents[1]
IMAGES, NOTEBOOK = ROOT / "docs" / "images", ROOT / "docs" / "tutorial.ipynb"
OUTPUTS = runpy.run_path(str(ROOT / "tools" / "outputs.py"))
COLOURS = 256
LINES = 20
"""Of a terminal, before the answer."""


@dataclass(frozen=True, kw_only=True)
class Shot:
    """A picture.

    Attributes:
        name: of its file, without a suffix.
        page: what is shown: `report.html`, `terminal.html` or `notebook.html`.
        width: of the window, CSS pixels.
        height: of the window; what lies below it is not shown.
        scheme: light or dark.
        media: screen or print.
    """

    name: str
    page: str
    width: int
    height: int
    scheme: Literal["light", "dark"] = "light"
    media: Literal["screen", "print"] = "screen"


SHOTS = (
    Shot(name="page-desktop-light", page="report.html", width=1280, height=900),
    Shot(name="page-desktop-dark", page="report.html", width=1280, height=900, scheme="dark"),
    Shot(name="page-phone-light", page="report.html", width=390, height=844),
    Shot(name="page-phone-dark", page="report.html", width=390, height=844, scheme="dark"),
    Shot(name="page-print", page="report.html", width=794, height=1123, media="print"),
    Shot(name="terminal", page="terminal.html", width=800, height=780, scheme="dark"),
    Shot(name="notebook-light", page="notebook.html", width=900, height=760),
    Shot(name="notebook-dark", page="notebook.html", width=900, height=760, scheme="dark"),
)


def make_pages(folder: Path) -> None:
    """What the pictures show, as pages in a folder."""
    (folder / "pages").mkdir()
    OUTPUTS["Folders"](folder / "pages", only=True)
    lab = folder / "pages" / "recorded"
    program = [sys.executable, "-m", "inferometer"]
    OUTPUTS["execute"]([*program, "report", "latest", "-o", "report"], lab, status=0)
    shutil.copy(lab / "report" / "report.html", folder / "report.html")
    shown = OUTPUTS["execute"]([*program, "show", "latest"], lab, status=0)
    (folder / "terminal.html").write_text(terminal(shown), encoding="utf-8")
    (folder / "notebook.html").write_text(notebook(), encoding="utf-8")


def terminal(shown: str) -> str:
    """What a command printed as a page that looks like a terminal."""
    console = Console(record=True, width=80, file=io.StringIO(), force_terminal=True)
    console.print(Text("$ inferometer show latest", style="bold"))
    lines = shown.splitlines()
    answer = next(at for at, line in enumerate(lines) if "is fastest" in line)
    console.print(Text("\n".join([*lines[:LINES], "…", "", *lines[answer:]])))
    style = "body{background:#111;color:#ddd;margin:16px;font-size:14px}"
    return _page(f"<pre>{_inside(console.export_html(inline_styles=True))}</pre>", style)


def notebook() -> str:
    """The first cells of the notebook with their outputs, plainly."""
    parts = []
    for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code":
            parts.append(f"<pre class='code'>{source}</pre>")
            data = [one["data"] for one in cell["outputs"] if "data" in one]
            parts += [one["text/html"] for one in data if "text/html" in one]
    style = (
        "body{font:14px sans-serif;margin:16px;background:#fff;color:#222}"
        ".code{background:#8882;padding:8px}"
        "@media(prefers-color-scheme:dark){body{background:#111;color:#eee}}"
    )
    return _page("".join(parts), style)


def _inside(page: str) -> str:
    """What rich wrote between the tags of its page, without its own colours."""
    found = re.search(r"<code[^>]*>(.*)</code>", page, re.DOTALL)
    return found[1] if found else ""


def _page(body: str, style: str) -> str:
    head = f"<meta charset='utf-8'><style>{style}</style>"
    return f"<!doctype html><html lang='en'><head>{head}</head><body>{body}</body></html>"


@contextmanager
def browser() -> Iterator[Browser]:
    """A chromium of the system."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()


def take(chromium: Browser, shot: Shot, folder: Path) -> bytes:
    """A picture as PNG, with few colours."""
    size = {"width": shot.width, "height": shot.height}
    page = chromium.new_page(viewport=size, color_scheme=shot.scheme)  # type: ignore[arg-type]
    page.emulate_media(media=shot.media, color_scheme=shot.scheme)
    page.goto((folder / shot.page).as_uri())
    page.wait_for_timeout(1500)  # the charts draw themselves
    taken = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    page.close()
    out = io.BytesIO()
    # By coverage: thin lines keep their colours, which the most frequent ones would swallow.
    few = taken.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(out, "png", optimize=True)
    return out.getvalue()


def main() -> None:
    """Make the pictures whose names begin with the argument, or all."""
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name, browser() as chromium:
        folder = Path(name)
        make_pages(folder)
        for shot in SHOTS:
            if shot.name.startswith(wanted):
                (IMAGES / f"{shot.name}.png").write_bytes(take(chromium, shot, folder))


if __name__ == "__main__":
    main()
