"""Logs of power meters in every format that is known, damaged, and given to `energy read`."""

from __future__ import annotations

import random
from pathlib import Path

from tests.data.power_logs import ALL
from tests.fuzz import hostile
from tests.fuzz.case import Case, Kind

OPTIONS = ("time", "power", "voltage", "current", "unit", "interval", "scope", "x", "")
ENCODINGS = ("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1")


def log_file(rng: random.Random, folder: Path) -> Case:
    """A log, lines or bytes of which were changed."""
    text = ALL[rng.choice(sorted(ALL))]
    if rng.random() < 0.6:
        text = hostile.mixed(rng, text, ALL, _other_cell)
    content = text.encode(rng.choice(ENCODINGS), "replace")
    if rng.random() < 0.5:
        content = hostile.damage(rng, content)
    (folder / "log").write_bytes(content)
    args = ["energy", "read", _target(rng), "--json", "-"]
    if rng.random() < 0.5:
        args.append("--interval=1s")
    if rng.random() < 0.2:
        args.append(f"--column={hostile.argument(rng)}")
    return Case(args=args)


def _target(rng: random.Random) -> str:
    if rng.random() < 0.8:
        return "log"
    return f"log://log?{rng.choice(OPTIONS)}={hostile.argument(rng)}"


def _other_cell(rng: random.Random, line: str) -> str:
    sign = rng.choice((",", " ", ";", "\t", "/", ":"))
    cells = line.split(sign)
    value = hostile.number(rng) if rng.random() < 0.6 else hostile.line(rng)
    cells[rng.randrange(len(cells))] = value
    return sign.join(cells)


def ready() -> None:
    """Import what reads logs."""
    import inferometer.cli.energy
    import inferometer.meters.energy.logs.reading
    import inferometer.report.document.power_log  # noqa: F401


KINDS = (Kind(name="log-file", make=log_file, ready=ready, most_s=2.0, share=2),)
