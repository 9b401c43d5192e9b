from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest
from tests.unit.store import server

from inferometer.core.record import Failure, Record, Round
from inferometer.core.run import Run
from inferometer.core.sweep import Study, Sweep
from inferometer.core.workload import Shape, Target, Variant, Workload
from inferometer.store import Store, open_store


class Make:
    """Nouns with the values that a test does not care about filled in."""

    @staticmethod
    def workload(model: str = "resnet18", *, batch: int = 1, size: int | None = 224) -> Workload:
        return Workload(
            variant=Variant(model=model, backend="torch", precision="fp32"),
            target=Target(device="cpu", threads=2),
            shape=Shape(batch_size=batch, input_size=size),
        )

    @staticmethod
    def round(index: int = 0, *values_s: float) -> Round:
        values_s = values_s or (0.03, 0.031)
        return Round(
            index=index,
            process=1,
            phase="measure",
            started_at=1.7e9 + index,
            calls_per_value=4,
            settle=1,
            starts_s=tuple(0.1 * n for n in range(len(values_s))),
            values_s=values_s,
        )

    @classmethod
    def record(cls, model: str = "resnet18", *, batch: int = 1, **figures) -> Record:
        return Record(
            workload=cls.workload(model, batch=batch),
            status="ok",
            figures={"latency_mean_s": 0.0305, "causes": [], **figures},
        )

    @classmethod
    def failed(cls, model: str = "unet", message: str = "killed") -> Record:
        return Record(
            workload=cls.workload(model),
            status="failed",
            failure=Failure(stage="measure", kind="out_of_memory", message=message),
        )

    @staticmethod
    def study(name: str = "lab", *, models: tuple[str, ...] = ("resnet18",)) -> Study:
        return Study(name=name, sweep=Sweep(models=models))

    @classmethod
    def run(cls, store: Store, name: str = "lab") -> Run:
        return store.create_run(
            cls.study(name), planned=4, device={"name": "Pi 5"}, software={"torch": "2.13"}
        )


@pytest.fixture
def make() -> Make:
    return Make()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "inferometer.db"


@pytest.fixture
def store(path: Path):
    with open_store(path) as opened:
        yield opened


@pytest.fixture(scope="session")
def socket():
    """Folder of the socket of a PostgreSQL server; the test is skipped where there is none."""
    programs = server.programs()
    if programs is None:
        pytest.skip("no PostgreSQL server, or psycopg is not installed")
    with server.running(programs) as folder:
        yield folder


@pytest.fixture
def sql(socket):
    """Asks the server, as one who may do everything."""
    psycopg = import_module("psycopg")

    def execute(statement: str, database: str = "postgres", *parameters: object):
        with psycopg.connect(server.address(socket, database), autocommit=True) as connection:
            found = connection.execute(statement, parameters or None)
            return found.fetchall() if found.description else []

    return execute


@pytest.fixture
def url(socket, sql):
    """Address of a database in which there is nothing of ours."""
    sql("DROP SCHEMA IF EXISTS inferometer CASCADE")
    return server.address(socket, "postgres")


@pytest.fixture(params=["file", pytest.param("server", marks=pytest.mark.postgres)])
def either(request):
    """An empty store in a file, and one on a server."""
    kept = request.getfixturevalue("path" if request.param == "file" else "url")
    with open_store(kept) as opened:
        yield opened
