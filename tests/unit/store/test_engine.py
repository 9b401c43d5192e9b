from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
import threading
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from inferometer.core.errors import StoreError
from inferometer.core.workload import Workload
from inferometer.store import migrations, open_store
from inferometer.store.sqlite import engine


def in_process(code: str, *args: object, stdin: int | None = None) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, args)],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


WRITER = """
    import sys
    from inferometer.core.record import Record
    from inferometer.core.sweep import Study, Sweep
    from inferometer.core.workload import Shape, Target, Variant, Workload
    from inferometer.store import open_store

    def record(model):
        variant = Variant(model=str(model), backend="torch", precision="fp32")
        workload = Workload(
            variant=variant, target=Target(threads=1), shape=Shape(batch_size=1, input_size=None)
        )
        return Record(workload=workload, status="ok", figures={"latency_mean_s": 0.5})

    with open_store(sys.argv[1]) as store:
        study = Study(name="s", sweep=Sweep(models=("m",)))
        run = store.create_run(study, planned=1, device={}, software={})
        for model in range(int(sys.argv[2])):
            store.put_record(run.id, record(model))
            print(run.id, model, flush=True)
"""


@pytest.fixture
def filled(path, make):
    """A store with a run of 60 records, closed; its path."""
    with open_store(path) as store:
        run = make.run(store)
        for batch in range(1, 61):
            store.put_record(run.id, make.record(batch=batch), [make.round(0, *[0.1] * 50)])
    return path


def pragma(path: Path, name: str) -> object:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]


def test_a_file_is_marked_and_logged_ahead(store, path):
    assert pragma(path, "application_id") == engine.APPLICATION_ID
    assert pragma(path, "user_version") == len(migrations.MIGRATIONS)
    assert pragma(path, "journal_mode") == "wal"


def test_every_connection_flushes_each_commit_and_checks_references(store):
    with store._database.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 30_000


def test_the_migrations_make_the_tables_of_the_schema(path, store):
    """A change of schema.py needs a migration."""
    with closing(sqlite3.connect(path)) as connection:
        found = {
            table: " ".join(
                f"{name}:{kind}"
                for _, name, kind, *_ in connection.execute(f"PRAGMA table_info({table})")
            )
            for (table,) in connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
            )
        }
    assert found == {
        "claims": "run_id:VARCHAR(8) pid:INTEGER started_s:DOUBLE host:VARCHAR",
        "evaluations": "run_id:VARCHAR(8) workload:VARCHAR(16) data:JSON rows:BLOB "
        "lengths:BLOB units:BLOB contents:BLOB real_s:BLOB synthetic_s:BLOB",
        "records": "sequence:INTEGER run_id:VARCHAR(8) workload:VARCHAR(16) model:VARCHAR "
        "backend:VARCHAR precision:VARCHAR device:VARCHAR threads:BIGINT batch_size:BIGINT "
        "input_size:BIGINT status:VARCHAR failure_stage:VARCHAR failure_kind:VARCHAR "
        "failure_message:VARCHAR figures:JSON options:JSON",
        "rounds": "run_id:VARCHAR(8) workload:VARCHAR(16) number:INTEGER process:INTEGER "
        "phase:VARCHAR started_at:DOUBLE calls_per_value:INTEGER settle:INTEGER starts_s:BLOB "
        "values_s:BLOB pair:INTEGER signals:JSON",
        "runs": "sequence:INTEGER id:VARCHAR(8) study:VARCHAR signature:VARCHAR document:JSON "
        "device:JSON software:JSON origin:VARCHAR planned:INTEGER created_at:DOUBLE "
        "finished_at:DOUBLE",
    }


def test_an_empty_file_is_a_new_store(path, make):
    path.touch()
    with open_store(path, create=False) as store:
        make.run(store)
        assert len(store.runs()) == 1


def test_a_name_with_signs_of_addresses_is_only_a_name(tmp_path, make):
    path = tmp_path / "50%20 a?mode=ro#x é.db"
    with open_store(path) as store:
        make.run(store)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_link_opens_what_it_points_to(filled, tmp_path):
    link = tmp_path / "link.db"
    link.symlink_to(filled)
    with open_store(link) as store:
        assert store.outcomes(store.run("latest").id) == {"ok": 60}


class TestPlace:
    def test_without_a_file_is_refused_to_readers(self, path):
        with pytest.raises(StoreError, match=r"inferometer run.*--store"):
            open_store(path, create=False)
        assert not path.exists()

    @pytest.mark.parametrize("create", [True, False])
    def test_that_is_a_folder_is_refused(self, tmp_path, create):
        with pytest.raises(StoreError, match="a folder"):
            open_store(tmp_path, create=create)

    def test_that_is_no_file_is_refused(self):
        with pytest.raises(StoreError, match="not an ordinary file"):
            open_store("/dev/null")

    def test_in_a_folder_that_is_not_there_is_refused(self, tmp_path):
        with pytest.raises(StoreError, match=r"no folder .*nowhere"):
            open_store(tmp_path / "nowhere" / "x.db")
        assert list(tmp_path.iterdir()) == []

    def test_under_a_file_is_refused(self, tmp_path):
        (tmp_path / "file").write_text("x")
        with pytest.raises(StoreError, match="no folder"):
            open_store(tmp_path / "file" / "x.db")


def read_everything(path: Path) -> None:
    with open_store(path, create=False) as store:
        for run in store.runs():
            store.records(run.id, with_rounds=True)


def read_all(path: Path, *, create: bool) -> None:
    with open_store(path, create=create) as store:
        store.records(store.run("latest").id)


WORDS = ("model", "backend", "precision", "device")
NUMBERS = {"threads": 1, "batch_size": 1, "input_size": 1}


def garbled(filled: Path) -> bytes:
    """A page in the middle overwritten."""
    content = bytearray(filled.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 4096] = bytes(range(256)) * 16
    return bytes(content)


def foreign(filled: Path) -> bytes:
    with closing(sqlite3.connect(filled.with_name("foreign"))) as connection:
        connection.execute("CREATE TABLE photos (name)")
        connection.commit()
    return filled.with_name("foreign").read_bytes()


def newer(filled: Path) -> bytes:
    with closing(sqlite3.connect(filled)) as connection:
        connection.execute("PRAGMA user_version = 99")
    return filled.read_bytes()


BAD = {
    "truncated": (lambda filled: filled.read_bytes()[:-4096], "damaged"),
    "cut in a page": (lambda filled: filled.read_bytes()[:5000], "damaged"),
    "only a header": (lambda filled: filled.read_bytes()[:100], "damaged|not a results database"),
    "garbled": (garbled, "damaged"),
    "text": (lambda filled: b"model,latency_s\nresnet18,0.1\n" * 100, "not a results database"),
    "short text": (lambda filled: b"hello", "not a results database"),
    "zeros": (lambda filled: bytes(8192), "not a results database"),
    "foreign": (foreign, "another program"),
    "newer": (newer, "newer inferometer.*format is 99"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_file_that_is_not_a_sound_store_is_refused_and_left_as_it_is(filled, case):
    damage, sentence = BAD[case]
    content = damage(filled)
    filled.write_bytes(content)
    with pytest.raises(StoreError, match=sentence) as caught:
        open_store(filled)
    assert str(filled) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert filled.read_bytes() == content


def test_what_is_whole_of_a_garbled_file_is_read_and_the_file_stays_as_it_is(filled):
    content = garbled(filled)
    filled.write_bytes(content)
    told = []
    with open_store(filled, create=False, tell=told.append) as store:
        records = store.records(store.run("latest").id, with_rounds=True)
    assert len(records) == 60
    assert any(record.rounds for record in records)
    assert not all(record.rounds for record in records)
    assert re.search("table rounds is damaged.*cannot be read", told[0])
    assert filled.read_bytes() == content


@pytest.mark.parametrize("case", sorted(BAD.keys() - {"garbled"}))
def test_reading_such_a_file_leaves_it_as_it_is(filled, case):
    damage, sentence = BAD[case]
    content = damage(filled)
    filled.write_bytes(content)
    with pytest.raises(StoreError, match=sentence):
        read_everything(filled)
    assert filled.read_bytes() == content


class TestReadingWritesNothing:
    def test_into_a_file_of_the_first_version(self, path):
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(migrations._VERSION_1)
            connection.executescript("PRAGMA user_version = 1")
            connection.execute(f"PRAGMA application_id = {engine.APPLICATION_ID}")
            connection.execute(
                "INSERT INTO runs VALUES (1, '1e5dc0e4', 's', '', '{}', '{}', '{}', 'imported', 1, "
                "1e9, NULL)"
            )
            key = Workload.from_json({**dict.fromkeys(WORDS, "m"), **NUMBERS}).key
            connection.execute(
                "INSERT INTO records VALUES (1, '1e5dc0e4', ?, 'm', 'm', 'm', 'm', 1, 1, 1, 'ok', "
                "NULL, NULL, NULL, '{}')",
                (key,),
            )
            connection.execute(
                "INSERT INTO rounds VALUES ('1e5dc0e4', ?, 0, 0, 'measure', 1e9, 1, 0, ?, ?)",
                (key, bytes(8), bytes(8)),
            )
            connection.commit()
        content = path.read_bytes()
        with open_store(path, create=False) as store:
            (record,) = store.records("1e5dc0e4", with_rounds=True)
        assert record.rounds[0].signals == {}
        assert path.read_bytes() == content
        with open_store(path, create=False) as store:
            store.finish_run("1e5dc0e4", 2e9)  # what writes brings it to this version
            assert store.run("latest").finished_at == 2e9
        assert pragma(path, "user_version") == len(migrations.MIGRATIONS)

    def test_into_a_file_whose_log_is_that_of_another(self, filled, tmp_path):
        """SQLite would move what stands in the log into the file when it is closed."""
        other = tmp_path / "other.db"
        with closing(sqlite3.connect(other)) as connection:
            connection.executescript("PRAGMA journal_mode = WAL; CREATE TABLE t (a)")
            connection.execute("INSERT INTO t VALUES (zeroblob(9000))")
            connection.commit()
            shutil.copy(f"{other}-wal", f"{filled}-wal")
        content = filled.read_bytes()
        for create in (False, True):
            with pytest.raises(StoreError, match=r"another program|damaged"):
                read_all(filled, create=create)
        assert filled.read_bytes() == content

    def test_and_a_damaged_file_is_not_written_later_either(self, filled):
        content = garbled(filled)
        filled.write_bytes(content)
        with (
            open_store(filled, create=False, tell=lambda _: None) as store,
            pytest.raises(StoreError, match="is damaged"),
        ):
            store.finish_run(store.run("latest").id, 1.0)
        assert filled.read_bytes() == content


@pytest.mark.parametrize("create", [False, True])
@pytest.mark.parametrize("name", ["~nosuch/x.db", "a" * 300, "a\0b", "loop"])
def test_a_path_that_leads_nowhere_is_refused_in_a_sentence(tmp_path, monkeypatch, name, create):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(StoreError) as caught:
        open_store(name, create=create)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


class TestReadOnly:
    """As another user where we are root, for whom nothing is read-only."""

    AS_READER = """
        import os, sys, tempfile
        from inferometer.store import open_store
        with tempfile.TemporaryDirectory() as folder, open_store(folder + "/warm-up.db") as store:
            store.runs()  # loads what the other user may not even read
        if os.getuid() == 0:
            os.setgroups([]), os.setgid(65534), os.setuid(65534)
        with open_store(sys.argv[1], create=sys.argv[2] == "create") as store:
            run = store.run("latest")
            print(len(store.records(run.id, with_rounds=True)))
            if sys.argv[2] == "write":
                store.finish_run(run.id, 1.0)
    """

    @pytest.fixture
    def locked(self, filled):
        """A copy of the store in a folder that the other user can reach, unlike `tmp_path`."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            shutil.copy(filled, folder)
            yield folder / filled.name
            folder.chmod(0o755)

    def as_reader(self, path: Path, what: str) -> tuple[str, str]:
        for part in path.parent.iterdir():
            part.chmod(0o444)
        path.parent.chmod(0o555)
        return in_process(self.AS_READER, path, what).communicate()

    def test_a_file_that_may_not_be_written_is_read_and_nothing_is_left_beside_it(self, locked):
        out, err = self.as_reader(locked, "read")
        assert (out, err) == ("60\n", "")
        assert [file.name for file in locked.parent.iterdir()] == [locked.name]

    def test_what_is_still_in_the_log_is_read_too(self, locked, filled, make):
        with open_store(filled) as store:
            store.put_record(store.run("latest").id, make.record(batch=99))
            for part in filled.parent.glob(f"{filled.name}*"):
                shutil.copy(part, locked.parent)
        out, err = self.as_reader(locked, "read")
        assert (out, err) == ("61\n", "")

    def test_writing_it_is_refused_in_words(self, locked):
        _, err = self.as_reader(locked, "write")
        assert "StoreError" in err.splitlines()[-1]
        assert "may not be written to" in err.splitlines()[-1]

    def test_a_folder_that_may_not_be_written_gets_no_store(self, locked):
        locked.unlink()
        _, err = self.as_reader(locked, "create")
        assert "may not be written to" in err.splitlines()[-1]


class TestTrouble:
    def test_a_full_disk_loses_nothing_and_says_so(self, store, make):
        run = make.run(store)
        store.put_record(run.id, make.record())
        with store._database.reading() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        long = [make.round(0, *[0.1] * 10_000)]
        with pytest.raises(StoreError, match="no space"):
            store.put_record(run.id, make.record(batch=2), long)
        assert len(store.records(run.id)) == 1
        with store._database.reading() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 100000")
        store.put_record(run.id, make.record(batch=2), long)
        assert len(store.records(run.id)) == 2

    def test_a_lock_that_stays_is_told(self, path, make, monkeypatch):
        monkeypatch.setattr(engine, "BUSY_TIMEOUT_S", 0.05)
        with open_store(path) as store, closing(sqlite3.connect(path)) as other:
            run = make.run(store)
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreError, match="another program is writing"):
                store.finish_run(run.id, 1.0)
            assert store.run("latest").finished_at is None
            other.rollback()
            store.finish_run(run.id, 1.0)

    def test_a_lock_that_goes_away_while_a_store_is_made_is_waited_for(self, path):
        path.touch()
        with closing(sqlite3.connect(path, check_same_thread=False)) as other:
            other.execute("BEGIN IMMEDIATE")
            release = threading.Timer(0.1, other.rollback)
            release.start()
            with open_store(path) as store:
                assert store.runs() == []
            release.join()

    def test_a_transaction_that_fails_half_way_writes_nothing(self, store, make):
        run = make.run(store)

        def fail_half_way():
            with store._database.writing() as connection:
                connection.execute(sa.text("UPDATE runs SET planned = 0"))
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail_half_way()
        assert store.run(run.id).planned == run.planned


class TestUpgrade:
    def test_applies_the_missing_steps_only(self, filled, monkeypatch):
        def add_column(connection):
            connection.exec_driver_sql("ALTER TABLE runs ADD COLUMN comment VARCHAR")

        monkeypatch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, add_column))
        for _ in range(2):
            with open_store(filled) as store:
                assert store.outcomes(store.run("latest").id) == {"ok": 60}
        assert pragma(filled, "user_version") == len(migrations.MIGRATIONS)

    def test_that_fails_changes_nothing(self, filled, monkeypatch):
        def fail(connection):
            connection.exec_driver_sql("ALTER TABLE runs ADD COLUMN comment VARCHAR")
            connection.exec_driver_sql("ALTER TABLE nowhere ADD COLUMN comment VARCHAR")

        with monkeypatch.context() as patch:
            patch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, fail))
            with pytest.raises(StoreError, match="no such table"):
                open_store(filled)
        with open_store(filled) as store:
            assert store.outcomes(store.run("latest").id) == {"ok": 60}


def test_processes_that_create_and_write_one_store_at_the_same_time_do_not_disturb(path):
    writers = [in_process(WRITER, path, 15) for _ in range(4)]
    answers = [writer.communicate() for writer in writers]
    assert [err for _, err in answers] == [""] * 4
    with open_store(path) as store:
        assert [store.outcomes(run.id) for run in store.runs()] == [{"ok": 15}] * 4


def test_a_process_that_is_killed_while_it_writes_loses_nothing_that_it_stored(path):
    writer = in_process(WRITER, path, 10_000)
    told = [writer.stdout.readline().split() for _ in range(40)]
    writer.kill()
    told += [line.split() for line in writer.communicate()[0].splitlines() if line.count(" ") == 1]
    with open_store(path) as store:
        (run,) = store.runs()
        stored = [record.workload.variant.model for record in store.records(run.id)]
    assert [model for _, model in told] == stored[: len(told)]
    assert len(stored) - len(told) in (0, 1)
