"""Tables as people publish them and outputs of benchmark tools, damaged, and given to `import`."""

from __future__ import annotations

import random
from pathlib import Path

from tests.data.published_tables import ALL
from tests.fuzz import hostile
from tests.fuzz.case import Case, Kind
from tests.fuzz.kinds.tables import LARGE

_ENCODINGS = ("utf-8",) * 12 + ("utf-8-sig", "utf-16", "utf-16-le", "latin-1")
_SIGNS = (",", ";", "\t", "|", " ", ":", '"', "(", "=")
_WORDS = (
    "OOM", "N/A", "-", "crashed", "timeout", "21.3 ms", "1,5", "1.234,5", "11.7M", "69.8%", "21 ± 2", "x",
    "224x224", "[1, 2]", "nan", "1e400", "Latency (ms)", "FPS", "model", "batch", "latency", "ms/img",
    "params (M)", "memory", "run_id", "status", "device", "options", "a=b c=d", "| --- |", "# title",
)  # fmt: skip
_MAPS = ("auto", "latency_ms=latency", "model=model", "axis=batch", "ignore=model", "params=params,macs=x",
         "latency_ms=a+b", "batch=batch")  # fmt: skip
_CONSTANTS = ("model=net", "batch_size=8", 'device="Pi 4"', "latency_ms=3", "backend=torch")
_READERS = ("timm", "benchmark_model", "trtexec", "loadgen", "pytest_benchmark", "nosuch")


def published(rng: random.Random, folder: Path) -> Case:
    """A file, lines or bytes of which were changed, with what may be said of it."""
    text = ALL[rng.choice(sorted(ALL))]
    if rng.random() < 0.8:
        text = hostile.mixed(rng, text, ALL, _other_cell)
    content = text.encode(rng.choice(_ENCODINGS), "replace")
    if rng.random() < 0.2:
        content = hostile.damage(rng, content)
    (folder / "t.txt").write_bytes(content)
    args = ["import", "t.txt", "--store", "x.db"]
    for option, values in (("map", _MAPS), ("constant", _CONSTANTS)):
        if rng.random() < 0.12:
            value = rng.choice(values) if rng.random() < 0.8 else hostile.argument(rng)
            args.append(f"--{option}={value}")
    if rng.random() < 0.04:
        args.append(f"--as={rng.choice(_READERS)}")
    if rng.random() < 0.1:
        args.append(f"--table={rng.choice((1, 2, 3))}")
    if rng.random() < 0.1:
        args.append("--dry-run")
    return Case(args=args, may_write=LARGE)


def _other_cell(rng: random.Random, line: str) -> str:
    sign = max(_SIGNS, key=line.count) if rng.random() < 0.8 else rng.choice(_SIGNS)
    cells = line.split(sign)
    kind = rng.random()
    value = (
        rng.choice(_WORDS)
        if kind < 0.6
        else hostile.number(rng)
        if kind < 0.8
        else hostile.line(rng)
    )
    cells[rng.randrange(len(cells))] = value
    return sign.join(cells)


def ready() -> None:
    """Import what reads tables."""
    from tests.fuzz import stock

    import inferometer.cli.import_
    import inferometer.store.tables.importing  # noqa: F401

    stock.warm()


KINDS = (Kind(name="published", make=published, ready=ready, most_s=2.0, share=3),)
