"""Results databases: damaged ones, and whole ones that hold hostile names."""

from __future__ import annotations

import csv
import io
import json
import random
import shutil
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from tests.fuzz import hostile, stock
from tests.fuzz.case import Case, Check, Execute, Kind, Outcome
from tests.fuzz.checks import raw_characters
from tests.fuzz.kinds.commands import WARM

from inferometer.core.record import FIELDS, Record
from inferometer.store import open_store

BESIDE = frozenset({"x.db-wal", "x.db-shm"})
LIGHT: tuple[tuple[str, ...], ...] = (
    ("runs",), ("runs", "--json", "-"), ("show", "latest"), ("show", "latest", "--json", "-"),
    ("export", "latest", "--format", "json"), ("export", "latest", "--format", "csv"),
    ("analyze", "latest"), ("analyze", "latest", "--json", "-"),
    ("compare", "latest", "--by", "model"), ("compare", "resnet18", "unet", "--by", "model"),
    ("energy", "attach", "--power-log", "log.csv"), ("check-store",), ("check-store", "--json", "-"),
    ("run", "--resume"), ("run", "lab", "--resume", "latest"),
)  # fmt: skip
FREE = ("source", "input_shape", "memory_counter", "weights", "energy_reason", "roof_limit",
        "accuracy_metric", "dataset", "latency_ci_method", "operations_method")  # fmt: skip
NUMERIC = ("flops", "buffer_bytes", "operator_bytes", "first_call_s", "load_s", "cold_start_s",
           "energy_per_inference_j", "power_mean_w", "sustained_first_s", "roof_latency_s")  # fmt: skip
NOT_THE_SAME = frozenset({"run_id", "origin", "study"})
"""What an import may change: an id that is taken, and where the run was measured."""


def damaged(rng: random.Random, folder: Path) -> Case:
    """A damaged database, given to the commands that read one."""
    from tests.fuzz.stores import mutations

    made = folder / "made"
    made.mkdir()
    for path in mutations(rng.getrandbits(30), 1, made):
        for end in ("", "-wal", "-shm"):
            beside = path.with_name(path.name + end)
            if beside.exists():
                beside.rename(folder / f"x.db{end}")
    shutil.rmtree(made)
    (folder / "log.csv").write_text("timestamp,watts\n1,2\n2,3\n3,4\n")
    args = list(rng.choice(LIGHT) if rng.random() < 0.95 else ("report", "latest", "-o", "out"))
    writes = args[0] in ("run", "energy")
    return Case(
        args=[*args, "--store", "x.db"],
        may_write=BESIDE | {"out"} | ({"x.db"} if writes else set()),
        exact=args[0] == "export",
    )


def page(rng: random.Random, folder: Path) -> Case:
    """A database with hostile names, given to `report`."""
    _hostile_store(rng, folder / "x.db")
    return Case(args=["report", "latest", "-o", "out", "--store", "x.db"],
                may_write=BESIDE | {"out"}, then=_look_at_report(folder))  # fmt: skip


def names(rng: random.Random, folder: Path) -> Case:
    """A database with hostile names, given to the commands that show one."""
    _hostile_store(rng, folder / "x.db")
    args = rng.choice((
        ["runs"], ["show", "latest"], ["analyze", "latest"], ["compare", "latest", "--by", "model"],
        ["runs", "--json", "-"], ["show", "latest", "--json", "-"], ["compare", "latest"],
        ["analyze", "latest", "--json", "-"], ["run", "--resume"], ["check-store"],
    ))  # fmt: skip
    return Case(args=[*args, "--store", "x.db"], may_write=BESIDE | {"x.db"})


def round_trip(rng: random.Random, folder: Path) -> Case:
    """An export, which is imported and exported again."""
    _hostile_store(rng, folder / "x.db", word=rng.choice((_any_text, _short)))
    form = rng.choice(("json", "csv", "csv", "parquet"))
    first, second = f"first.{form}", f"second.{form}"
    export = ["export", "latest", "--format", form, "-o"]
    return Case(
        args=[*export, first, "--store", "x.db"],
        may_write=BESIDE | {first, second, "y.db", "y.db-wal", "y.db-shm"},
        then=_again(folder, [*export, second, "--store", "y.db"], first, second),
    )


def _again(folder: Path, export: list[str], first: str, second: str) -> Check:
    def check(outcome: Outcome, execute: Execute) -> Iterator[str]:
        steps = (outcome, execute(["import", first, "--store", "y.db"]), execute(export))
        for step in steps:
            if step.status != 0:
                yield f"not imported: {step.err!a} {step.raised[-300:]!a}"
                return
        before, after = _rows(folder / first), _rows(folder / second)
        if len(before) != len(after):
            yield f"{len(before)} rows became {len(after)}"
        for old, new in zip(before, after, strict=False):
            for name in FIELDS:
                if name not in NOT_THE_SAME and old[name] != new[name]:
                    yield f"{name}: {old[name]!a} became {new[name]!a}"[:400]
        if first.endswith(".csv"):
            yield from _formulas(folder / first)

    return check


def _rows(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".json":
        rows: list[dict[str, Any]] = json.loads(path.read_text())
        return rows
    if path.suffix == ".csv":
        return list(csv.DictReader(io.StringIO(path.read_bytes().decode(), newline="")))
    import pyarrow.parquet as pq

    table: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return table


def _formulas(path: Path) -> Iterator[str]:
    """Cells of text that a spreadsheet would take for a formula."""
    for row in _rows(path):
        for name, cell in row.items():
            if FIELDS[name] in (str, list) and cell and cell[0] in RUNS:
                yield f"a cell that a spreadsheet runs: {name}: {cell[:50]!a}"


RUNS = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
"""Characters with which a formula begins in some spreadsheet; the last are the wide forms."""


class _Page(HTMLParser):
    """What of the hostile names has become markup."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {tag, *(name for name, _ in attrs)}
        links = [value or "" for name, value in attrs if name in ("href", "src", "action")]
        if any(name.startswith(("fuzzx", "onfuzz")) for name in names):
            self.found.append(self.get_starttag_text() or tag)
        if any(link.strip().lower().startswith("javascript:") for link in links):
            self.found.append(self.get_starttag_text() or tag)


def _look_at_report(folder: Path) -> Check:
    def check(outcome: Outcome, _: Execute) -> Iterator[str]:
        if outcome.status != 0:
            yield f"no report: {outcome.err[-300:]!a}"
            return
        text = (folder / "out/report.html").read_text(encoding="utf-8")
        parser = _Page()
        parser.feed(text)
        parser.close()
        for markup in parser.found:
            yield f"a name became markup: {markup[:200]!a}"
        for name in ("report.html", "report.md"):
            raw = raw_characters((folder / "out" / name).read_bytes().decode("utf-8"))
            if raw:
                yield f"raw characters in {name}: {', '.join(raw)}"

    return check


def _hostile_store(
    rng: random.Random, path: Path, word: Callable[[random.Random], str] | None = None
) -> None:
    chosen = word or _storable
    with open_store(path) as store:
        first = chosen(rng).strip() or "x"
        run = stock.run_of(store, name=first)
        known: set[str] = set()
        for number in range(rng.choice((1, 3, 5))):
            record = _hostile_record(rng, chosen, number)
            if record.workload.key not in known:
                known.add(record.workload.key)
                store.put_record(run.id, record)
        store.finish_run(run.id, 1.7955e9)


def _hostile_record(
    rng: random.Random, word: Callable[[random.Random], str], number: int
) -> Record:
    name = word(rng).strip() or f"m{number}"
    batch = rng.choice((1, 2, 8, 2**31))
    if rng.random() < 0.3:
        return stock.failed(name, word(rng), batch)
    changes = {field: word(rng) for field in rng.sample(FREE, 3)}
    changes |= {"notes": [word(rng)], "causes": [word(rng)]}
    changes |= {field: stock.a_value(rng, field) for field in rng.sample(NUMERIC, 3)}
    return stock.a_record(name, batch, rng.choice((None, 224, 1)), **changes)


def _storable(rng: random.Random) -> str:
    """A text that SQLite and JSON hold: any but halves of pairs."""
    return hostile.text(rng).encode("utf-8", "replace").decode()[:2000] or "x"


def _short(rng: random.Random) -> str:
    return hostile.line(rng)[:2000]


def _any_text(rng: random.Random) -> str:
    """Beginnings that spreadsheets run, quotes, line ends."""
    return "".join(rng.choice(RUNS + "'\"|,; xX1") for _ in range(rng.choice((1, 2, 3, 8))))


def ready() -> None:
    """Import what reads and shows databases."""

    import inferometer.runner.run
    import inferometer.store.tables.importing  # noqa: F401

    stock.warm(*WARM)


KINDS = (
    Kind(name="damaged-store", make=damaged, ready=ready, share=2),
    Kind(name="names", make=names, ready=ready, share=2),
    Kind(name="page", make=page, ready=ready, share=0.05),
    Kind(name="round-trip", make=round_trip, ready=ready, parquet_here=True, share=1.5),
)
