"""How a database of an older version becomes one of this version, step by step.

Step n makes version n. A step that was released is never changed; a new one goes to the end.
Files began with version 1, servers with version 6, as `schema` has it: later steps must do on both.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection

_VERSION_1 = """
CREATE TABLE runs (
    sequence INTEGER NOT NULL PRIMARY KEY, id VARCHAR(8) NOT NULL UNIQUE, study VARCHAR NOT NULL,
    signature VARCHAR NOT NULL, document JSON NOT NULL, device JSON NOT NULL,
    software JSON NOT NULL, origin VARCHAR NOT NULL, planned INTEGER NOT NULL,
    created_at DOUBLE NOT NULL, finished_at DOUBLE);
CREATE INDEX ix_runs_signature ON runs (signature);
CREATE TABLE claims (
    run_id VARCHAR(8) NOT NULL PRIMARY KEY REFERENCES runs (id), pid INTEGER NOT NULL,
    started_s DOUBLE NOT NULL);
CREATE TABLE records (
    sequence INTEGER NOT NULL PRIMARY KEY, run_id VARCHAR(8) NOT NULL REFERENCES runs (id),
    workload VARCHAR(16) NOT NULL, model VARCHAR NOT NULL, backend VARCHAR NOT NULL,
    precision VARCHAR NOT NULL, device VARCHAR NOT NULL, threads BIGINT,
    batch_size BIGINT NOT NULL, input_size BIGINT, status VARCHAR NOT NULL,
    failure_stage VARCHAR, failure_kind VARCHAR, failure_message VARCHAR, figures JSON NOT NULL,
    UNIQUE (run_id, workload));
CREATE TABLE rounds (
    run_id VARCHAR(8) NOT NULL REFERENCES runs (id), workload VARCHAR(16) NOT NULL,
    number INTEGER NOT NULL, process INTEGER NOT NULL, phase VARCHAR NOT NULL,
    started_at DOUBLE NOT NULL, calls_per_value INTEGER NOT NULL,
    settle INTEGER NOT NULL, starts_s BLOB NOT NULL, values_s BLOB NOT NULL,
    PRIMARY KEY (run_id, workload, number))
"""


def create_tables(connection: Connection) -> None:
    """Version 1: runs, records and rounds."""
    _execute(connection, _VERSION_1)


def add_signals(connection: Connection) -> None:
    """Version 2: what the device showed during a round, and the group of a paired one."""
    _execute(
        connection,
        "ALTER TABLE rounds ADD COLUMN pair INTEGER; ALTER TABLE rounds ADD COLUMN signals JSON",
    )


def add_options(connection: Connection) -> None:
    """Version 3: options of a variant's backend."""
    _execute(connection, "ALTER TABLE records ADD COLUMN options JSON")


def add_statements(_connection: Connection) -> None:
    """Version 4: causes, notes and reasons may be codes with values; sentences stay as they are."""


def add_evaluations(connection: Connection) -> None:
    """Version 5: passes of workloads over labelled data."""
    _execute(
        connection,
        "CREATE TABLE evaluations ("
        "run_id VARCHAR(8) NOT NULL REFERENCES runs (id), workload VARCHAR(16) NOT NULL, "
        "data JSON NOT NULL, rows BLOB NOT NULL, lengths BLOB NOT NULL, units BLOB NOT NULL, "
        "contents BLOB NOT NULL, real_s BLOB NOT NULL, synthetic_s BLOB NOT NULL, "
        "PRIMARY KEY (run_id, workload))",
    )


def add_hosts(connection: Connection) -> None:
    """Version 6: machines of claims, indices of outcomes and models, and compact figures.

    Figures that are there stay the text that they are, which is still read.
    """
    _execute(
        connection,
        "ALTER TABLE claims ADD COLUMN host VARCHAR; "
        "CREATE INDEX ix_records_outcome ON records (run_id, status); "
        "CREATE INDEX ix_records_model ON records (model)",
    )


def _execute(connection: Connection, script: str) -> None:
    for statement in script.split(";"):
        connection.exec_driver_sql(statement)


MIGRATIONS: tuple[Callable[[Connection], None], ...] = (
    create_tables,
    add_signals,
    add_options,
    add_statements,
    add_evaluations,
    add_hosts,
)
