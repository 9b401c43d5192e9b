"""The tables, as they are now. Nothing here is particular to SQLite.

A change here needs a new function in `migrations.py`.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

metadata = MetaData()

runs = Table(
    "runs",
    metadata,
    # The order in which runs came into this store: clocks of small boards jump.
    Column("sequence", Integer, primary_key=True),
    Column("id", String(8), nullable=False, unique=True),
    Column("study", String, nullable=False),
    Column("signature", String, nullable=False, index=True),
    Column("document", JSON, nullable=False),
    Column("device", JSON, nullable=False),
    Column("software", JSON, nullable=False),
    Column("origin", String, nullable=False),
    Column("planned", Integer, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("finished_at", Double),
)

claims = Table(
    "claims",
    metadata,
    Column("run_id", String(8), ForeignKey("runs.id"), primary_key=True),
    Column("pid", Integer, nullable=False),
    Column("started_s", Double, nullable=False),
)

records = Table(
    "records",
    metadata,
    Column("sequence", Integer, primary_key=True),
    Column("run_id", String(8), ForeignKey("runs.id"), nullable=False),
    Column("workload", String(16), nullable=False),
    Column("model", String, nullable=False),
    Column("backend", String, nullable=False),
    Column("precision", String, nullable=False),
    Column("device", String, nullable=False),
    Column("threads", BigInteger),
    Column("batch_size", BigInteger, nullable=False),
    Column("input_size", BigInteger),
    Column("status", String, nullable=False),
    Column("failure_stage", String),
    Column("failure_kind", String),
    Column("failure_message", String),
    Column("figures", JSON, nullable=False),
    Column("options", JSON(none_as_null=True)),
    UniqueConstraint("run_id", "workload"),
)

rounds = Table(
    "rounds",
    metadata,
    Column("run_id", String(8), ForeignKey("runs.id"), primary_key=True),
    Column("workload", String(16), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("process", Integer, nullable=False),
    Column("phase", String, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("calls_per_value", Integer, nullable=False),
    Column("settle", Integer, nullable=False),
    Column("starts_s", LargeBinary, nullable=False),
    Column("values_s", LargeBinary, nullable=False),
    Column("pair", Integer),
    Column("signals", JSON),
)
"""Rounds come before their record does, so they hang on the run and name the workload's key."""

evaluations = Table(
    "evaluations",
    metadata,
    Column("run_id", String(8), ForeignKey("runs.id"), primary_key=True),
    Column("workload", String(16), primary_key=True),
    Column("data", JSON, nullable=False),
    Column("rows", LargeBinary, nullable=False),
    Column("lengths", LargeBinary, nullable=False),
    Column("units", LargeBinary, nullable=False),
    Column("contents", LargeBinary, nullable=False),
    Column("real_s", LargeBinary, nullable=False),
    Column("synthetic_s", LargeBinary, nullable=False),
)
"""What a metric kept of each sample of a pass over a dataset, and how long its calls took."""
