"""Damaged copies of a small real store, of three kinds.

Hostile values in any cell, changes of the schema, and random bytes. The same seed gives the same
files.
"""

from __future__ import annotations

import functools
import itertools
import json
import random
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from unittest import mock

from inferometer.core.record import Failure, Record, Round
from inferometer.core.sweep import Block, Study, Sweep
from inferometer.store import open_store

QUICKLY = "PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = OFF"
TABLES = ("runs", "claims", "records", "rounds")


@functools.cache
def sound() -> bytes:
    """A store with two measured runs and an imported one, with rounds, rooflines and failures."""
    ids = (f"{number:08x}" for number in itertools.count(0xFACADE))
    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch("secrets.token_hex", side_effect=ids),
        mock.patch("time.time", return_value=1.7e9),
    ):
        path = Path(folder) / "sound.db"
        _fill(path)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("UPDATE claims SET pid = 4000000, started_s = 5.5")
            connection.commit()
        return path.read_bytes()


def _fill(path: Path) -> None:
    with open_store(path) as store:
        for number in range(2):
            study = Study(
                name=f"study {number}",
                sweep=Sweep(
                    models=("resnet18", "unet"),
                    blocks=(Block(sizes=(64, 224), batches=(1, 4)),),
                    threads=2,
                ),
            )
            run = store.create_run(
                study, planned=8, device=_device(), software={"torch": "2.13.0", "python": "3.11"}
            )
            for place, workload in enumerate(study.workloads()):
                if place == 5:
                    failure = Failure(stage="measure", kind="out_of_memory", message="killed")
                    record = Record(workload=workload, status="failed", failure=failure)
                    store.put_record(run.id, record)
                    continue
                values = [1e-3 * workload.batch_size * (1 + 0.01 * n) for n in range(5)]
                parts = [_round(6 * place + n, n // 2, values) for n in range(4)]
                store.put_record(
                    run.id,
                    Record(workload=workload, status="ok", figures=_figures(workload.batch_size)),
                    parts,
                )
            if number == 0:
                store.claim(run.id)
            store.finish_run(run.id, 1.8e9)
            records = store.records(run.id)
        store.import_run(run, records)


def _device() -> dict[str, object]:
    rate = {"best": 1e11, "median": 9e10, "repeats": 5, "what": "matrix product"}
    roofline = {
        "device": "cpu",
        "precision": "fp32",
        "threads": 2,
        "flops": rate,
        "memory": {**rate, "best": 1e10, "median": 9e9},
        "cache": None,
        "dispatch_s": 1e-6,
        "at": 1.7e9,
        "cache_bytes": 1 << 20,
        "granted": 1.0,
    }
    return {
        "name": "Pi 5",
        "cores_physical": 2,
        "simd": ["neon"],
        "roofs": [roofline],
        "before_the_run": {"load_1min": 0.5, "memory_bytes": 1 << 30},
    }


def _round(index: int, process: int, values: list[float]) -> Round:
    return Round(
        index=index,
        process=process,
        phase=("measure", "measure", "measure", "energy", "idle", "warmup")[index % 6],
        started_at=1.7e9 + index,
        calls_per_value=2,
        settle=1,
        starts_s=tuple(0.01 * n for n in range(len(values))),
        values_s=tuple(values),
        signals={"temperature_c": 50.0, "frequency_min_hz": 1.8e9, "other_cpu_s": 0.01},
    )


def _figures(batch: int) -> dict[str, object]:
    mean = 1.03e-3 * batch
    return {
        "source": "catalogue", "input_shape": f"{batch}x3x64x64", "parameters": 1_000_000,
        "parameters_with_duplicates": 1_000_000, "trainable_parameters": 1_000_000,
        "parameter_bytes": 4_000_000, "buffer_bytes": 0, "macs": 10**8 * batch,
        "flops": 2 * 10**8 * batch, "latency_mean_s": mean, "latency_std_s": 1e-5,
        "latency_median_s": mean, "latency_p90_s": mean, "latency_p95_s": mean,
        "latency_min_s": mean, "latency_max_s": mean, "latency_ci_low_s": 0.98 * mean,
        "latency_ci_high_s": 1.02 * mean, "latency_confidence": 0.95, "latency_calls": 48,
        "latency_rounds": 3, "latency_processes": 2, "latency_target_met": True,
        "warmup_calls": 2, "first_call_s": 0.1, "load_s": 0.2, "steady": True,
        "throughput_per_s": batch / mean, "peak_memory_bytes": 10**8, "memory_counter": "rss",
        "energy_per_inference_j": 0.01, "energy_net_per_inference_j": 0.005,
        "energy_uncertainty_j": 0.001, "power_mean_w": 5.0, "power_idle_w": 2.0,
        "energy_source": "rapl", "energy_scope": "package", "energy_method": "measured",
        "verdict": "trusted", "causes": [], "notes": ["a note"], "weights": "random",
        "latency_ci_method": "t over processes", "started_at": "2026-11-30T00:00:00+00:00",
        "latency_tau_calls": 1.0, "latency_between_processes": 0.01, "operator_bytes": 10**7,
        "operator_calls": 60, "activation_bytes": 10**6, "activation_peak_bytes": 10**6,
        "compulsory_bytes": 10**6, "elementwise_flops": 10**6, "unknown_operators": [],
        "memory_baseline_bytes": 10**7, "memory_weights_bytes": 4 * 10**6,
        "memory_activation_bytes": 10**6, "arithmetic_intensity": 20.0, "roof_latency_s": 5e-4,
        "roof_share": 0.5, "roof_limit": "flops", "operator_roof_latency_s": 6e-4,
        "memory_bound_share": 0.3, "dispatch_latency_s": 1e-4, "cold_start_s": 0.4,
        "gradient_mode": "inference",
    }  # fmt: skip


NUMBERS = (
    *(0, -1, 1, 2**31, 2**53, 2**63 - 1, -(2**63), 1e308, -1e308, 1e-308, 5e-324, 1e30, 1e-30),
    *(float("inf"), float("-inf"), 0.5, -0.0, 253402300800.0, 10**18),
)
TEXTS = (
    *("", "null", "0", "-1", "NaN", "ok", "failed", "skipped", "imported", "measured", "latest"),
    *(
        "x" * 100_000,
        "\x1b[2J",
        "\u202e",
        "a\0b",
        "\n",
        "../../etc/passwd",
        "=1+1",
        "🎉",
        "[]",
        "{}",
    ),
    *("[" * 100_000, '{"a":' * 50_000, "[" * 100_000 + "]" * 100_000, "Infinity", '"\\ud800"'),
)
BLOBS = (b"", b"\0", b"\xff\xfe", b"12345678", b"\xff" * 16, b"\0" * 15, bytes(8 * 1000))
JSONS = (
    *("null", "1", "[]", "{}", '"text"', "true", "1e999", "-1e999", "NaN", "1" * 5000, "[[]]"),
    *('{"name": null}', '{"name": {"a": 1}}', '{"name": "\\ud800"}', '{"a": 1e308}', '{"": ""}'),
    *('{"roofs": 5}', '{"roofs": [1]}', '{"roofs": {"a": 1}}', '{"latency_mean_s": "1"}'),
    *('{"status": "ok"}', '{"notes": 5}', '{"notes": [1]}', '{"no_such_field": 1}'),
)

Mutate = Callable[[random.Random, sqlite3.Connection], None]


def _any_value(choose: random.Random) -> object:
    return choose.choice(choose.choice((NUMBERS, TEXTS, BLOBS, JSONS, (None,))))


def _cells(choose: random.Random, connection: sqlite3.Connection) -> None:
    """Other values in some cells of some rows."""
    for _ in range(choose.randint(1, 4)):
        table = choose.choice(TABLES)
        column = choose.choice(_columns(connection, table))
        number = choose.choice(_numbers(connection, table) or [0])
        where = choose.choice(("_rowid_ = ?", "_rowid_ >= ?", "_rowid_ <= ?"))
        with suppress(sqlite3.Error, OverflowError):
            connection.execute(
                f"UPDATE {table} SET {column} = ? WHERE {where}",
                (_any_value(choose), number),
            )


def _json_parts(choose: random.Random, connection: sqlite3.Connection) -> None:
    """Another value somewhere within a cell of JSON."""
    for _ in range(choose.randint(1, 6)):
        table, column = choose.choice(
            (
                *(("runs", "document"), ("runs", "device"), ("runs", "software")),
                *(("records", "figures"), ("records", "figures"), ("rounds", "signals")),
            )
        )
        number = choose.choice(_numbers(connection, table) or [0])
        (cell,) = connection.execute(
            f"SELECT {column} FROM {table} WHERE _rowid_ = ?",
            (number,),
        ).fetchone() or (None,)
        with suppress(ValueError, TypeError, RecursionError):
            text = json.dumps(_changed(choose, json.loads(cell)))
            connection.execute(
                f"UPDATE {table} SET {column} = ? WHERE _rowid_ = ?",
                (text, number),
            )


def _changed(choose: random.Random, data: object) -> object:
    """JSON with one part replaced, removed or doubled."""
    if isinstance(data, dict) and data and choose.random() < 0.85:
        key = choose.choice(list(data))
        if choose.random() < 0.1:
            return {name: value for name, value in data.items() if name != key}
        return {**data, key: _changed(choose, data[key])}
    if isinstance(data, list) and data and choose.random() < 0.7:
        place = choose.randrange(len(data))
        return [*data[:place], _changed(choose, data[place]), *data[place:]]
    return choose.choice(
        (*NUMBERS, None, True, [], {}, "", "text", [1], ["a"], {"a": 1}, "x" * 1000, 10**40, -5)
    )


SCHEMA = (
    *(f"DROP TABLE {table}" for table in TABLES),
    *(f"ALTER TABLE {table} RENAME TO {table}_old" for table in TABLES),
    *(f"ALTER TABLE {table} ADD COLUMN more TEXT" for table in TABLES),
    "ALTER TABLE runs DROP COLUMN device",
    "ALTER TABLE rounds DROP COLUMN signals",
    "ALTER TABLE records RENAME COLUMN figures TO numbers",
    "DROP INDEX ix_runs_signature",
    "ALTER TABLE runs RENAME TO r; CREATE VIEW runs AS SELECT * FROM r",
    (
        "DROP TABLE rounds; CREATE VIEW rounds AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT "
        "x + 1 FROM n) SELECT x AS number, 'a' AS run_id FROM n"
    ),
    (
        "DROP TABLE runs; CREATE VIEW runs AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 "
        "FROM n) SELECT x AS sequence FROM n"
    ),
    "CREATE TRIGGER t AFTER UPDATE ON records BEGIN DELETE FROM rounds; END",
    "CREATE TRIGGER t AFTER INSERT ON runs BEGIN DELETE FROM runs; END",
    "CREATE TABLE other (a); CREATE VIEW v AS SELECT * FROM nowhere",
    *(
        f"CREATE TABLE copied AS SELECT * FROM {table}; DROP TABLE {table}; "
        f"ALTER TABLE copied RENAME TO {table}; INSERT INTO {table} SELECT * FROM {table}"
        for table in TABLES
    ),
    *(f"DELETE FROM {table}" for table in TABLES),
    "PRAGMA user_version = 0",
    "PRAGMA user_version = 1",
    "PRAGMA user_version = 99",
    "PRAGMA user_version = -1",
    "PRAGMA application_id = 0",
    "PRAGMA application_id = 7",
    (
        "INSERT INTO records SELECT sequence + 1000, 'ffffffff', workload, model, backend, precision, "
        "device, threads, batch_size, input_size, status, failure_stage, failure_kind, "
        "failure_message, figures FROM records"
    ),
    "UPDATE rounds SET run_id = 'ffffffff'",
    "UPDATE runs SET id = 'ffffffff' WHERE sequence = 1",
    "UPDATE rounds SET number = number + 9223372036854775000",
    "UPDATE rounds SET values_s = substr(values_s, 1, 8)",
    "UPDATE records SET figures = CAST(figures AS BLOB)",
    "UPDATE records SET model = CAST(x'ff41fe' AS TEXT)",
    "UPDATE runs SET study = CAST(x'ff41fe' AS TEXT)",
    "UPDATE rounds SET values_s = zeroblob(160000)",
    "PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = 'nonsense' WHERE name = 'runs'",
    "PRAGMA writable_schema = ON; UPDATE sqlite_master SET rootpage = 2 WHERE type = 'table'",
    (
        "PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = 'CREATE TABLE runs (id AS (1))' "
        "WHERE name = 'runs'"
    ),
    "PRAGMA writable_schema = ON; DELETE FROM sqlite_master WHERE name LIKE 'sqlite_auto%'",
)


def _schema(choose: random.Random, connection: sqlite3.Connection) -> None:
    """Other tables, or none, in their place."""
    with suppress(sqlite3.Error):
        connection.executescript(choose.choice(SCHEMA))


def _bytes(choose: random.Random, content: bytes, other: bytes) -> bytes:
    """Bytes changed, cut away, put in or moved."""
    data = bytearray(content)
    kind = choose.randrange(6)
    if kind == 0:
        return bytes(data[: choose.randrange(len(data))])
    if kind == 1:
        return bytes(data) + choose.randbytes(choose.randrange(1, 9000))
    for _ in range(choose.choice((1, 1, 3, 10, 100))):
        place = choose.randrange(len(data))
        if kind == 2:
            place = min(choose.randrange(len(data) // 4096) * 4096 + choose.randrange(120), place)
        if kind in (2, 3):
            data[place] = choose.randrange(256)
        elif kind == 4:
            data[place : place + 8] = choose.randbytes(8)
        else:
            length = choose.choice((8, 512, 4096))
            data[place : place + length] = other[place : place + length]
    return bytes(data)


def mutations(seed: int, count: int, folder: Path) -> Iterator[Path]:
    """Damaged copies of a small store, one after the other.

    Args:
        seed: the same one gives the same damage.
        count: how many.
        folder: where they are made; each file is removed before the next one is made.

    Yields:
        The path of a copy, alone in its name, perhaps with a log beside it.
    """
    content = sound()
    choose = random.Random(seed)
    for number in range(count):
        path = folder / f"damaged-{seed}-{number}.db"
        path.write_bytes(content)
        kind = choose.choice(("cells", "parts", "parts", "schema", "bytes", "log"))
        if kind == "bytes":
            path.write_bytes(_bytes(choose, content, choose.randbytes(len(content))))
        elif kind == "log":
            _foreign_log(choose, path, content)
        else:
            change: Mutate = {"cells": _cells, "parts": _json_parts, "schema": _schema}[kind]
            with closing(sqlite3.connect(path)) as connection:
                connection.executescript(QUICKLY)
                with suppress(sqlite3.Error):
                    change(choose, connection)
                    connection.commit()
        yield path
        for file in folder.glob(f"{path.name}*"):
            if file.is_file():
                file.unlink()


def _foreign_log(choose: random.Random, path: Path, content: bytes) -> None:
    """A log beside the file that belongs to another database, or is rubbish."""
    log = path.with_name(f"{path.name}-wal")
    if choose.random() < 0.5:
        log.write_bytes(choose.randbytes(choose.randrange(1, 20_000)))
        return
    other = path.with_name(f"{path.name}-other")
    with closing(sqlite3.connect(other)) as connection:
        connection.executescript("PRAGMA journal_mode = WAL; CREATE TABLE t (a)")
        connection.execute("INSERT INTO t VALUES (?)", (content[: choose.randrange(50_000)],))
        connection.commit()
        log.write_bytes(other.with_name(f"{other.name}-wal").read_bytes())


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]


def _numbers(connection: sqlite3.Connection, table: str) -> list[int]:
    return [number for (number,) in connection.execute(f"SELECT _rowid_ FROM {table}")]
