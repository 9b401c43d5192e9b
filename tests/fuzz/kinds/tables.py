"""Tables to import, and the logs of power meters."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.fuzz import hostile, stock
from tests.fuzz.case import Case, Kind

COLUMNS = (
    "model", "latency_s", "Latency (ms)", "batch_size", "size", "device", "params", "std", "fps",
    "backend", "precision", "threads", "energy_mj", "memory_mib", "status", "failure_kind",
    "failure_stage", "run_id", "study", "origin", "notes", "causes", "verdict", "workload", "latency",
    "latency_mean_s", "device_name", "model_name", "steady", "started_at", "peak_memory_bytes",
)  # fmt: skip
SEPARATORS = (",", ";", "\t", "|", " ", ", ", "\x1f")
ENCODINGS = (
    "utf-8",
    "utf-8-sig",
    "utf-16",
    "utf-16-le",
    "utf-32",
    "latin-1",
    "cp1252",
    "shift-jis",
)
ENDS = ("\n", "\r\n", "\r", "\n\n", "\x0b", "\u2028")
LOG_HEADERS = (
    "timestamp,watts", "time,power", "Time (s);Power (W)", "time,voltage,current", "t,mW",
    "date,power_mw,x", "timestamp,a,b", "time\tpower\t", "", "watts", "1,2", "time,time,watts",
    "epoch_ms,power [W]", "timestamp,watts,", '"time","power"',
)  # fmt: skip
LARGE = frozenset({"x.db", "x.db-wal", "x.db-shm"})


def table(rng: random.Random, folder: Path) -> Case:
    """A file, given to `import`."""
    bad = rng.choice((0.02, 0.05, 0.4))
    name, content = rng.choice(_FORMS)(rng, bad)
    if rng.random() < bad:
        content = hostile.damage(rng, content)
    (folder / name).write_bytes(content)
    args = ["import", name, "--store", "x.db"]
    if rng.random() < 0.1:
        args += [f"--study={hostile.argument(rng)}"]
    if rng.random() < 0.1:
        args += [f"--device={hostile.argument(rng)}"]
    return Case(args=_oddly_named(rng, folder, name, args), may_write=LARGE)


def power_log(rng: random.Random, folder: Path) -> Case:
    """The log of a meter, given to `energy attach`."""
    (folder / "log.csv").write_bytes(_log(rng))
    target = "log.csv"
    if rng.random() < 0.2:
        option = rng.choice(("time", "power", "voltage", "current", "scope", "x", ""))
        target = f"csv://log.csv?{option}={hostile.argument(rng)}"
    args = ["energy", "attach", "latest", f"--power-log={target}"]
    args += ["--store", stock.put(folder, of="energy")]
    if rng.random() < 0.3:
        args += [rng.choice(("--offset=0", "--offset=1e300", "--gain=1%", "--offset=-3.2"))]
    return Case(args=_oddly_named(rng, folder, "log.csv", args), may_write=LARGE)


def _oddly_named(rng: random.Random, folder: Path, name: str, args: list[str]) -> list[str]:
    """The arguments, perhaps with a name of the file that would break a line."""
    if rng.random() < 0.9:
        return args
    (folder / name).rename(folder / f"odd\n{name}")
    return [arg.replace(name, f"odd\n{name}") for arg in args]


def _csv(rng: random.Random, bad: float) -> tuple[str, bytes]:
    columns = _columns(rng, bad)
    separator, end = rng.choice(SEPARATORS[:3] if rng.random() > bad else SEPARATORS), "\n"
    if rng.random() < bad:
        end = rng.choice(ENDS)
    rows = [
        columns,
        *([_cell(rng, name, bad) for name in columns] for _ in range(_count(rng, bad))),
    ]
    for row in rows[1:]:
        if rng.random() < bad / 5:
            row.extend(["x"] * rng.choice((1, 5)))
        elif rng.random() < bad / 5:
            del row[rng.randrange(len(row)) :]
    text = end.join(separator.join(_quoted(rng, cell, separator) for cell in row) for row in rows)
    encoding = rng.choice(ENCODINGS) if rng.random() < bad else "utf-8"
    if rng.random() < 0.02:
        text = rng.choice((
            ",".join(["model", "latency_s"] + ["c"] * 200_000),
            ",".join(f"c{n}" for n in range(100_000)),
            "model,latency_s\n" + "x" * 3_000_000 + ",1",
            "model,latency_s,batch\n" + "".join(f"m,1,{n + 1}\n" for n in range(30_000)),
            'model,latency_s\n"' + '""' * 500_000,
            "\n" * 1_000_000,
        ))  # fmt: skip
    return "t.csv", text.encode(encoding, "replace")


def _json(rng: random.Random, bad: float) -> tuple[str, bytes]:
    columns = _columns(rng, bad)
    rows: Any = [
        {name: _value(rng, name, bad) for name in columns} for _ in range(_count(rng, bad))
    ]
    kind = rng.random() / (3 * bad) if bad < 0.3 else rng.random()
    if kind < 0.15:
        depth = rng.choice((10, 1000, 100_000))
        opening, closing = rng.choice((("[", "]"), ('{"a":', "}"), ('[{"model":', "}]")))
        return "t.json", (opening * depth + "1" + closing * depth).encode()
    if kind < 0.25:
        rows = rng.choice((rows[:1] or None, {"a": rows}, "x", 1, None, True, [rows], [1, "x"], {}))
    text = json.dumps(rows, ensure_ascii=rng.random() < 0.5)
    if 0.9 < kind < 1:
        text = text.replace("1", rng.choice(("1e400", "9" * 5000, "-", "NaN", "0x1", "01")), 1)
    return "t.json", text.encode("utf-8", "surrogatepass")


def _parquet(rng: random.Random, bad: float) -> tuple[str, bytes]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    count = rng.choice((0, 1, 2, 1000)) if rng.random() < bad else _count(rng, bad)
    makers: tuple[Callable[[], Any], ...] = (
        lambda: pa.array([hostile.line(rng) for _ in range(count)]),
        lambda: pa.array(
            [rng.choice((0.1, -1.0, 1e308, float("nan"), None)) for _ in range(count)]
        ),
        lambda: pa.array([rng.choice((1, -1, 2**62, None)) for _ in range(count)]),
        lambda: pa.array([b"\xff\xfe"] * count, pa.binary()),
        lambda: pa.array([[1, 2]] * count),
        lambda: pa.array([{"a": {"b": 1}}] * count),
        lambda: pa.array([None] * count, pa.null()),
        lambda: pa.array([2**62] * count, pa.timestamp("ns")),
        lambda: pa.array(["x"] * count).dictionary_encode(),
        lambda: pa.array([True] * count),
        lambda: pa.array([2**64 - 1] * count, pa.uint64()),
        lambda: pa.array([1] * count, pa.decimal128(30, 2)),
        lambda: pa.array([1.5] * count, pa.float16()),
    )
    columns = _columns(rng, bad)
    arrays = [rng.choice(makers if rng.random() < bad else makers[1:3])() for _ in columns]
    if rng.random() > bad / 2:
        place = columns.index("model") if "model" in columns else 0
        arrays[place] = pa.array([f"m{n}" for n in range(count)])
    names = [name.encode("utf-8", "replace").decode() for name in columns]
    sink = io.BytesIO()
    compression = rng.choice(("snappy", "gzip", "zstd", "none"))
    pq.write_table(pa.Table.from_arrays(arrays, names=names), sink, compression=compression)
    content = sink.getvalue()
    if rng.random() < bad / 4:
        content = content.replace(b"model", b"\xff\xfe\xfdel")
    return "t.parquet", content


_FORMS = (_csv, _csv, _csv, _json, _json, _parquet)


def _count(rng: random.Random, bad: float) -> int:
    """Of rows."""
    return rng.choice((0, 1, 2, 5) if rng.random() < bad else (1, 2, 5))


def _columns(rng: random.Random, bad: float) -> list[str]:
    columns = ["model", rng.choice(("latency_s", "latency_mean_s", "Latency (ms)", "fps"))]
    columns += rng.sample(COLUMNS, rng.choice((0, 1, 2, 5)))
    if rng.random() < 0.15:
        columns.append(hostile.line(rng))
    if rng.random() < bad / 4:
        rng.shuffle(columns)
        columns.pop()
    if rng.random() < bad:
        return columns
    columns = [name for name in columns if not name.startswith(("failure", "model_", "latency"))]
    return list(dict.fromkeys(["model", "latency_s", *columns]))


def _cell(rng: random.Random, name: str, bad: float) -> str:
    if rng.random() > bad:
        return {
            "model": f"m{rng.randrange(10**6)}", "status": "ok", "failure_kind": "", "failure_stage": "",
            "origin": "measured", "notes": "[]", "causes": "[]", "steady": "true",
        }.get(name, str(rng.choice((1, 2, 0.5))))  # fmt: skip
    return rng.choice((hostile.line, hostile.line, hostile.number, hostile.amount))(rng)


def _value(rng: random.Random, name: str, bad: float) -> Any:
    if rng.random() > bad:
        return {
            "model": f"m{rng.randrange(10**6)}", "status": "ok", "failure_kind": None,
            "failure_stage": None, "origin": "measured", "notes": [], "causes": [], "steady": True,
            "latency_s": 0.1,
        }.get(name, rng.choice((1, 2, None)))  # fmt: skip
    return rng.choice((
        hostile.text(rng), hostile.line(rng), 10**rng.choice((3, 18, 30, 308)), -1, True, None, [],
        ["x", 1], {"a": 1}, 1e308, float("nan"), float("inf"), [[[]]],
    ))  # fmt: skip


def _quoted(rng: random.Random, cell: str, separator: str) -> str:
    if rng.random() < 0.01:
        return rng.choice((f'"{cell}', f'{cell}"', f'"{cell}"x', f"'{cell}'"))
    if any(sign in cell for sign in (separator, '"', "\n", "\r")) and rng.random() < 0.9:
        return '"' + cell.replace('"', '""') + '"'
    return cell


def _log(rng: random.Random) -> bytes:
    kind = rng.random()
    if kind < 0.35:
        return hostile.damage(rng, _whole_log()) if kind < 0.2 else _whole_log()
    header, separator = rng.choice(LOG_HEADERS), rng.choice((",", ";", "\t"))
    lines = [header.replace(",", separator)]
    lines += ["# " + hostile.line(rng)] * rng.choice((0, 0, 1, 60))
    for step in range(rng.choice((0, 1, 2, 50, 1700))):
        time = (
            f"{rng.choice((990, 0, 1e9, -5)) + step / 10}"
            if rng.random() < 0.95
            else hostile.number(rng)
        )
        watts = str(rng.choice((4.0, 14, -1, 0))) if rng.random() < 0.95 else hostile.line(rng)
        lines.append(separator.join((time, watts, *(["1"] if rng.random() < 0.02 else []))))
    if rng.random() < 0.02:
        lines.append("9" * rng.choice((70_000, 3_000_000)))
    encoding = rng.choice(ENCODINGS) if rng.random() < 0.2 else "utf-8"
    content = "\n".join(lines).encode(encoding, "replace")
    return hostile.damage(rng, content) if rng.random() < 0.3 else content


def _whole_log(kept: list[bytes] = []) -> bytes:  # noqa: B006 - made once
    if not kept:
        kept.append(stock.meter_log().encode())
    return kept[0]


def ready() -> None:
    """Import what reads tables, and what joins logs."""
    import pyarrow.parquet  # noqa: F401

    import inferometer.cli.energy
    import inferometer.cli.import_
    import inferometer.meters.energy.logs.reading
    import inferometer.report.document.energy
    import inferometer.runner.phases.energy.attach
    import inferometer.store.tables.importing  # noqa: F401

    _whole_log()
    stock.warm()


KINDS = (
    Kind(name="table", make=table, ready=ready, parquet_here=True, share=3),
    Kind(name="power-log", make=power_log, ready=ready, share=2),
)
