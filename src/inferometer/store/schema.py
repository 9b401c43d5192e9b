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
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

metadata = MetaData()

_WHOLE = BigInteger().with_variant(Integer, "sqlite")
"""Whole numbers of 64 bits: SQLite gives numbers by itself to an `INTEGER` key alone."""

runs = Table(
    "runs",
    metadata,
    # The order in which runs came into this store: clocks of small boards jump.
    Column("sequence", _WHOLE, primary_key=True),
    Column("id", String(8), nullable=False, unique=True),
    Column("study", String, nullable=False),
    Column("signature", String, nullable=False, index=True),
    Column("document", JSON, nullable=False),
    Column("device", JSON, nullable=False),
    Column("software", JSON, nullable=False),
    Column("origin", String, nullable=False),
    Column("planned", BigInteger, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("finished_at", Double),
)

claims = Table(
    "claims",
    metadata,
    Column("run_id", String(8), ForeignKey("runs.id"), primary_key=True),
    Column("pid", Integer, nullable=False),
    Column("started_s", Double, nullable=False),
    Column("host", String),
)

records = Table(
    "records",
    metadata,
    Column("sequence", _WHOLE, primary_key=True),
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
    # As `compact` writes them; text of JSON where an earlier version wrote it.
    Column("figures", LargeBinary, nullable=False),
    Column("options", JSON(none_as_null=True)),
    UniqueConstraint("run_id", "workload"),
    Index("ix_records_outcome", "run_id", "status"),
    Index("ix_records_model", "model"),
)

rounds = Table(
    "rounds",
    metadata,
    Column("run_id", String(8), ForeignKey("runs.id"), primary_key=True),
    Column("workload", String(16), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("process", BigInteger, nullable=False),
    Column("phase", String, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("calls_per_value", BigInteger, nullable=False),
    Column("settle", BigInteger, nullable=False),
    Column("starts_s", LargeBinary, nullable=False),
    Column("values_s", LargeBinary, nullable=False),
    Column("pair", BigInteger),
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
