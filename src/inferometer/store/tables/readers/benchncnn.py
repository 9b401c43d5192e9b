"""What ncnn's `benchncnn` prints: a model a line, milliseconds; settings above them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from inferometer.core.errors import ImportFileError
from inferometer.core.shown import shown
from inferometer.store.tables.table import Reader, Source, Table, table_of

_LINE = re.compile(
    r"^\s*(?P<model>\S+)\s+min =\s*(?P<min>[\d.]+)"
    r"\s+max =\s*(?P<max>[\d.]+)\s+avg =\s*(?P<avg>[\d.]+)",
    re.MULTILINE,
)
_SETTING = re.compile(r"^\s*(loop_count|num_threads|powersave|gpu_device) = (-?\d+)", re.MULTILINE)


def _recognises(source: Source) -> bool:
    return source.data is None and _LINE.search(source.text[:200_000]) is not None


def _read(source: Source) -> Table:
    """Settings go for the models below them.

    Raises:
        ImportFileError: there is no line of a model.
    """
    rows = list(_rows(source.text))
    if not rows:
        raise ImportFileError(
            f"{shown(source.path)}: no line such as 'model  min = 1  max = 2  avg = 1.5'"
        )
    return table_of(source.path, rows, title="output of benchncnn")


def _rows(text: str) -> Iterator[dict[str, Any]]:
    settings: dict[str, str] = {}
    for line in text.splitlines():
        setting = _SETTING.match(line)
        if setting is not None:
            settings[setting[1]] = setting[2]
            continue
        found = _LINE.match(line)
        if found is None:
            continue
        gpu = settings.get("gpu_device", "")
        row: dict[str, Any] = {
            "model": found["model"],
            "backend": "ncnn",
            "latency_ms": found["avg"],
            "min_ms": found["min"],
            "max_ms": found["max"],
        }
        if gpu:
            row["target"] = "cpu" if gpu.startswith("-") else f"gpu:{gpu}"
        if settings.get("num_threads", "0") != "0":
            row["threads"] = settings["num_threads"]
        if settings.get("loop_count", "0") != "0":
            row["latency_calls"] = settings["loop_count"]
        if "powersave" in settings:
            row["powersave"] = settings["powersave"]
        yield row


READER = Reader(
    name="benchncnn", title="output of ncnn's benchncnn", recognises=_recognises, read=_read
)
