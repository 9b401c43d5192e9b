"""Writes a report into a folder: a page, text, data and plots."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from inferometer.core.errors import InputError
from inferometer.report import plots, roofline
from inferometer.report.content import content
from inferometer.report.html.page import render_page
from inferometer.report.markdown import render
from inferometer.report.material import Material, gather
from inferometer.report.sources import RunRecords
from inferometer.report.sustained import curves
from inferometer.store.transfer import to_csv, write_whole

_OF_A_RUN = re.compile(
    rf"({plots.SUSTAINED}|{roofline.NAME})[0-9a-f]{{8}}\.({'|'.join(plots.FORMATS)})"
)
REPORT, PAGE, RESULTS, PLOTS = "report.md", "report.html", "results.csv", "plots"


def write_report(runs: Sequence[RunRecords], out: Path) -> list[Path]:
    """Analyse runs, and write `report.html`, `report.md`, `results.csv` and `plots/`.

    Other files in the folder stay as they are; a plot of an earlier report that this one does not
    have is removed. Where matplotlib is not installed there are no files of plots, and where
    vl-convert is not there are none in the page; both say so.

    Args:
        runs: at least one, with their raw observations, where these are to be shown.
        out: the folder.

    Returns:
        The paths written, the page first.

    Raises:
        InputError: there is nothing to report, or the folder cannot be written.
    """
    material = gather(runs)
    absent = plots.missing()
    files = {} if absent else _plot_files(material)
    images = {
        Path(name).stem: f"{PLOTS}/{name}" for name in files if name.endswith(plots.FORMATS[0])
    }
    said = content(material)
    text = render(said, material, images, str(absent) if absent else "")
    page = render_page(said, material)
    _make_folders(out)
    written = [_write(out / PAGE, page.encode()), _write(out / REPORT, text.encode())]
    to_csv(material.records, out / RESULTS)
    written.append(out / RESULTS)
    written += [_write(out / PLOTS / name, content) for name, content in files.items()]
    _remove_stale(out / PLOTS, set(files))
    return written


def _plot_files(material: Material) -> dict[str, bytes]:
    """Contents of the plots by file name."""
    from inferometer.report.derating import draw_derating
    from inferometer.report.drawing import draw
    from inferometer.report.roofplot import draw_roofline

    grid, runs = material.grid, material.runs
    drawn = [draw(plot) for plot in plots.plan(grid) if plot.panels]
    drawn += [draw_roofline(plot) for plot in roofline.plans(grid, runs)]
    drawn += [
        draw_derating(found, f"{plots.SUSTAINED}{one.run.id}")
        for one in runs
        if (found := curves(one.records))
    ]
    return {name: content for files in drawn for name, content in files.items()}


def _make_folders(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is a file; give a folder for the report")
    try:
        (out / PLOTS).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{out / PLOTS} cannot be made: {error.strerror}") from error


def _write(path: Path, content: bytes) -> Path:
    write_whole(content, path)
    return path


def _remove_stale(folder: Path, written: set[str]) -> None:
    """Remove plots of an earlier report that would not belong to this one."""
    ours = {f"{name}.{suffix}" for name in plots.NAMES for suffix in plots.FORMATS}
    ours |= {file.name for file in folder.iterdir() if _OF_A_RUN.fullmatch(file.name)}
    for name in ours - written:
        (folder / name).unlink(missing_ok=True)
