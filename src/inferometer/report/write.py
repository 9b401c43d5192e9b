"""Writes a report into a folder: a page, text, data and plots."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from inferometer.analysis.operators import time_shares
from inferometer.core.errors import InputError
from inferometer.core.filenames import FileProblemError, expanded, reason_of, write_whole
from inferometer.core.shown import shown
from inferometer.report.document import devices, operators, roofline, tradeoff
from inferometer.report.document.content import content
from inferometer.report.document.devices import Devices
from inferometer.report.document.markdown import render
from inferometer.report.document.material import Material, gather
from inferometer.report.document.sources import RunRecords, study_file, study_name
from inferometer.report.document.sustained import curves
from inferometer.report.document.tradeoff import Tradeoff
from inferometer.report.html.page import render_page
from inferometer.report.plots import choice as plots
from inferometer.store.transfer import csv_bytes

_OF_A_RUN = re.compile(
    rf"({plots.SUSTAINED}|{roofline.NAME})[0-9a-f]{{8}}\.({'|'.join(plots.FORMATS)})"
)
REPORT, PAGE, RESULTS, PLOTS = "report.md", "report.html", "results.csv", "plots"


def write_report(
    runs: Sequence[RunRecords], out: Path, *, prices: Mapping[str, float] | None = None
) -> list[Path]:
    """Analyse runs; write `report.html`, `report.md`, `results.csv`, `study.yaml` and `plots/`.

    Other files in the folder stay as they are; a plot of an earlier report that this one does not
    have is removed. Where matplotlib is not installed there are no files of plots, and where
    vl-convert is not there are none in the page; both say so.

    Args:
        runs: at least one, with their raw observations, where these are to be shown.
        out: the folder.
        prices: of devices, by their names.

    Returns:
        The paths written, the page first.

    Raises:
        InputError: there is nothing to report, or the folder cannot be written.
    """
    out = checked_folder(out)
    material = gather(runs, prices)
    absent = plots.missing()
    said = content(material)
    files = {} if absent else _plot_files(material, said["tradeoff"], said["devices"])
    images = {
        Path(name).stem: f"{PLOTS}/{name}" for name in files if name.endswith(plots.FORMATS[0])
    }
    text = render(said, material, images, str(absent) if absent else "")
    page = render_page(said, material)
    contents = {
        PAGE: page.encode(),
        REPORT: text.encode(),
        RESULTS: csv_bytes(material.records),
        **{
            study_name(one, runs): study_file(one.study).encode()
            for one in runs
            if one.study is not None
        },
        **{f"{PLOTS}/{name}": drawn for name, drawn in files.items()},
    }
    _make_folders(out)
    for name in contents:
        _check_place(out / name)
    for name, made in contents.items():
        write_whole(made, out / name)
    _remove_stale(out / PLOTS, set(files))
    return [out / name for name in contents]


def _plot_files(
    material: Material, front: Tradeoff | None, several: Devices | None
) -> dict[str, bytes]:
    """Contents of the plots by file name."""
    from inferometer.report.plots.derating import draw_derating
    from inferometer.report.plots.devices import draw_ratios
    from inferometer.report.plots.drawing import draw
    from inferometer.report.plots.front import draw_front
    from inferometer.report.plots.operators import draw_operators
    from inferometer.report.plots.ranking import draw_ranking
    from inferometer.report.plots.roofline import draw_roofline

    grid, runs = material.grid, material.runs
    drawn = [draw(plot) for plot in plots.plan(grid) if plot.panels]
    first, ranked = plots.plan(grid)[0], plots.ranking(grid)
    if ranked is not None and not first.panels:
        drawn.append(draw_ranking(ranked))
    drawn += [draw_front(front.plot)] if front is not None else []
    drawn += [draw_ratios(several.plot)] if several is not None else []
    if profiled := operators.bars(time_shares(grid)):
        drawn.append(draw_operators(profiled))
    drawn += [draw_roofline(plot) for plot in roofline.plans(grid, runs)]
    drawn += [
        draw_derating(found, f"{plots.SUSTAINED}{one.run.id}")
        for one in runs
        if (found := curves(one.records))
    ]
    return {name: content for files in drawn for name, content in files.items()}


def checked_folder(out: Path) -> Path:
    """The folder, refused at once where no report can be written into it.

    Raises:
        InputError: it is a file, its name cannot be one, or what stands in it is in the way.
    """
    out = expanded(out)
    try:
        found = out.stat()
    except FileNotFoundError:
        return out
    except OSError as error:
        raise FileProblemError(out, f"it cannot be made: {reason_of(error)}") from error
    if not stat.S_ISDIR(found.st_mode):
        raise InputError(f"{shown(out)} is a file; give a folder for the report")
    if (out / PLOTS).exists() and not (out / PLOTS).is_dir():
        raise InputError(f"{shown(out / PLOTS)} cannot be made: a file stands in its place")
    for name in (PAGE, REPORT, RESULTS):
        _check_place(out / name)
    return out


def _make_folders(out: Path) -> None:
    try:
        (out / PLOTS).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{shown(out / PLOTS)} cannot be made: {reason_of(error)}") from error


def _check_place(path: Path) -> None:
    """Refuse to write into what is no file of a report: a device, a pipe, a folder, a link.

    A link would have the report written over a file somewhere else.

    Raises:
        InputError: it is one.
    """
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise FileProblemError(path, f"it cannot be written: {reason_of(error)}") from error
    if not stat.S_ISREG(found.st_mode):
        what = "a link" if stat.S_ISLNK(found.st_mode) else "no ordinary file"
        raise FileProblemError(path, f"{what}; remove it, or give another folder")
    if not os.access(path, os.W_OK):
        raise FileProblemError(path, "it may not be written to")


def _remove_stale(folder: Path, written: set[str]) -> None:
    """Remove plots of an earlier report that would not belong to this one.

    Raises:
        InputError: one cannot be removed.
    """
    ours = {
        f"{name}.{suffix}"
        for name in (*plots.NAMES, plots.RANKING, tradeoff.NAME, devices.NAME, operators.NAME)
        for suffix in plots.FORMATS
    }
    ours |= {file.name for file in folder.iterdir() if _OF_A_RUN.fullmatch(file.name)}
    for file in (folder / name for name in ours - written):
        if file.is_dir() and not file.is_symlink():
            continue  # no plot of ours
        try:
            file.unlink(missing_ok=True)
        except OSError as error:
            reason = f"this plot of an earlier report cannot be removed: {reason_of(error)}"
            raise FileProblemError(file, reason) from error
