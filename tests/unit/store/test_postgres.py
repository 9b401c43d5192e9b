"""A store on a server: what only several machines, and only a server, can do to it."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace

import pytest
from tests.unit.store import server
from tests.unit.store.test_engine import WRITER, in_process

from inferometer.cli.main import main
from inferometer.core.errors import StoreError
from inferometer.core.run import Run
from inferometer.store import migrations, open_store
from inferometer.store.claims import Owner
from inferometer.store.inspection import inspect

pytestmark = pytest.mark.postgres


@pytest.fixture
def store(url):
    with open_store(url) as opened:
        yield opened


@pytest.fixture
def other(url, store):
    """The same store, as another machine has it open."""
    with open_store(url) as opened:
        yield opened


class TestClaimOfAnotherMachine:
    @pytest.fixture
    def run(self, store, make, other, monkeypatch):
        """A run that a process there measures."""
        owner = Owner(pid=77, started_s=5.0, host="board-2")
        run = make.run(store)
        with monkeypatch.context() as patch:
            patch.setattr("inferometer.store.claiming.this_process", lambda: owner)
            other.claim(run.id)
        return run

    def test_is_respected_while_its_process_is_connected(self, store, other, run):
        with pytest.raises(StoreError, match="measured by process 77 of board-2"):
            store.claim(run.id)
        store.release(run.id)  # that of another stays its own
        with pytest.raises(StoreError, match="measured by process 77 of board-2"):
            store.claim(run.id)
        other.close()
        store.claim(run.id)

    def test_outlives_a_connection_that_was_lost(self, store, other, run, sql, make):
        sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        other.put_record(run.id, make.record())  # notices it, and keeps the run again
        with pytest.raises(StoreError, match="process 77 of board-2"):
            store.claim(run.id)

    def test_that_was_lost_to_another_process_is_told(self, store, other, run, sql, make):
        sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        store.claim(run.id)
        with pytest.raises(StoreError, match=f"begun to measure run {run.id}"):
            other.put_record(run.id, make.record())


def test_two_coordinators_write_at_the_same_time_and_lose_nothing(url):
    writers = [in_process(WRITER, url, 20) for _ in range(2)]
    answers = [writer.communicate() for writer in writers]
    assert [err for _, err in answers] == [""] * 2
    with open_store(url, create=False) as store:
        assert [store.outcomes(run.id) for run in store.runs()] == [{"ok": 20}] * 2
        told = {tuple(line.split()) for out, _ in answers for line in out.splitlines()}
        stored = {
            (run.id, record.workload.variant.model)
            for run in store.runs()
            for record in store.records(run.id)
        }
    assert stored == told


def test_of_two_coordinators_that_claim_one_run_one_has_it(url, store, make):
    run = make.run(store)
    claimer = """
        import sys
        from inferometer.core.errors import StoreError
        from inferometer.store import open_store
        with open_store(sys.argv[1]) as store:
            sys.stdin.readline()
            try:
                store.claim(sys.argv[2])
                print("mine", flush=True)
            except StoreError as error:
                print(error, flush=True)
            sys.stdin.readline()
    """
    both = [in_process(claimer, url, run.id, stdin=subprocess.PIPE) for _ in range(2)]
    for one in both:
        one.stdin.write("now\n")
        one.stdin.flush()
    said = sorted(one.stdout.readline().strip() for one in both)
    assert said[0] == "mine"
    assert "is being measured by process" in said[1]
    both[0].kill()
    both[1].kill()
    for one in both:
        one.communicate()
    store.claim(run.id)


def test_what_no_file_of_text_holds_is_kept_in_json(store, make):
    run = make.run(store)
    store.set_device(run.id, {"name": "Pi\0 \u2028", "a": "\ud800"})
    store.put_record(run.id, make.record(notes=["a\0b"]))
    assert store.run(run.id).device == {"name": "Pi\0 \u2028", "a": "?"}
    assert store.records(run.id)[0]["notes"] == ["a\0b"]
    with pytest.raises((StoreError, ValueError)):
        store.set_device(run.id, {"a": float("nan")})
    assert store.run(run.id).device_name == "Pi\0 \u2028"


def test_a_name_with_nul_is_refused_in_a_sentence(store):
    run = Run(id="", study="s\0", signature="", document={}, device={}, software={})
    with pytest.raises(StoreError, match="the character NUL, which PostgreSQL cannot"):
        store.import_run(run, [])
    assert store.runs() == []


def test_numbers_of_63_bits_are_kept(store, make):
    run = make.run(store)
    part = replace(make.round(0), index=2**50, process=2**40, pair=2**45, calls_per_value=2**35)
    store.put_record(run.id, make.record(batch=2**60, macs=2**63 - 1), [part])
    (record,) = store.records(run.id, with_rounds=True)
    assert record.rounds == (part,)
    assert record["macs"] == 2**63 - 1


def test_a_damaged_row_is_told_and_passed_over(url, store, make, sql):
    run = make.run(store)
    store.put_record(run.id, make.record(batch=1))
    store.put_record(run.id, make.record(batch=2))
    sql("UPDATE inferometer.records SET figures = 'x' WHERE batch_size = 1")
    told = []
    with open_store(url, create=False, tell=told.append) as reader:
        assert [one.workload.batch_size for one in reader.records(run.id)] == [2]
    assert "record resnet18 224/1" in told[0]
    found = inspect(reader.place)
    assert {one.table: one.damaged for one in found.tables}["records"] == 1


class TestUpgrade:
    def test_applies_the_missing_steps_when_something_is_stored(
        self, url, store, make, sql, monkeypatch
    ):
        run = make.run(store)

        def add_column(connection):
            connection.exec_driver_sql("ALTER TABLE runs ADD COLUMN comment VARCHAR")

        steps = (*migrations.MIGRATIONS, add_column)
        monkeypatch.setattr(migrations, "MIGRATIONS", steps)
        with open_store(url, create=False) as later:
            assert later.run(run.id) == run
            assert sql("SELECT version FROM inferometer.format") == [(len(steps) - 1,)]
            later.finish_run(run.id, 1.0)
            assert sql("SELECT version FROM inferometer.format") == [(len(steps),)]

    def test_columns_that_are_not_there_yet_are_unknown(self, url, store, make, sql):
        run = make.run(store)
        store.put_record(run.id, make.record())
        sql("ALTER TABLE inferometer.records DROP COLUMN options")
        with open_store(url, create=False) as reader:
            assert len(reader.records(run.id)) == 1


SECRET = "s3cret @:/?é"


class TestRefused:
    """Each in one sentence, without the password, and with exit status 2."""

    @pytest.fixture
    def refusal(self, monkeypatch, capsys):
        def command(address, *args):
            monkeypatch.setenv("INFEROMETER_STORE", address)
            with pytest.raises(SystemExit) as caught:
                main([*(args or ("runs",))])
            out, err = capsys.readouterr()
            assert caught.value.code == 2
            assert out == ""
            assert "s3cret" not in err
            assert "Traceback" not in err
            return err.strip()

        return command

    @pytest.fixture
    def users(self, sql, url):
        sql("DROP ROLE IF EXISTS guarded")
        sql(f"CREATE ROLE guarded LOGIN PASSWORD '{SECRET}'")
        yield
        sql("DROP OWNED BY guarded; DROP ROLE guarded")

    @pytest.mark.parametrize(
        ("address", "said"),
        [
            ("postgresql://me:s3cret@@x/y", "cannot be read; write it as postgresql://USER@"),
            ("postgresql://me:pa@s3cret@host/y", "cannot be read; write it as"),
            ("postgresql://me:pa/s3cret@host/y", "cannot be read; write it as"),
            ("postgresql://me:s3cret@127.0.0.1:port/y", "server cannot be reached"),
            ("postgresql://me:s3cret@host/y?colour=red", "cannot be read"),
            ("mysql://me:s3cret@host/y", "a store is a file, or a database of PostgreSQL"),
            ("postgresql://me:s3cret@/y?host=/nowhere", "server cannot be reached"),
            ("postgresql://me:s3cret@127.0.0.1:1/y", "server cannot be reached"),
        ],
    )
    def test_an_address_that_leads_nowhere(self, refusal, address, said):
        message = refusal(address)
        assert said in message
        assert message.count("\n") == 0

    def test_no_store_yet_for_who_reads(self, refusal, url):
        assert "no results database yet; measure with `inferometer run`" in refusal(url)

    def test_a_database_that_is_not_there(self, refusal, socket):
        assert "there is no such database" in refusal(server.address(socket, "nowhere"))

    def test_a_user_that_is_not_there(self, refusal, socket):
        assert "no such user" in refusal(server.address(socket, "postgres", "nobody-here"))

    def test_a_user_that_is_banned(self, refusal, socket):
        assert "lets nobody in" in refusal(server.address(socket, "postgres", "banned"))

    def test_a_wrong_password(self, refusal, socket, users):
        wrong = server.address(socket, "postgres", "guarded", f"{SECRET}x")
        assert "refuses the user or the password" in refusal(wrong)

    def test_no_right_to_make_a_store(self, refusal, socket, users, tmp_path):
        (tmp_path / "a.csv").write_text("model,latency_mean_s\nresnet18,0.1\n")
        given = server.address(socket, "postgres", "guarded", SECRET)
        assert "grants no right" in refusal(given, "import", str(tmp_path / "a.csv"))

    def test_no_right_to_read_it(self, refusal, socket, users, store):
        given = server.address(socket, "postgres", "guarded", SECRET)
        assert "grants no right" in refusal(given)

    def test_no_right_to_write_it(self, socket, users, sql, store, make):
        run = make.run(store)
        sql("GRANT USAGE ON SCHEMA inferometer TO guarded")
        sql("GRANT SELECT ON ALL TABLES IN SCHEMA inferometer TO guarded")
        given = server.address(socket, "postgres", "guarded", SECRET)
        with open_store(given, create=False) as reader:
            assert reader.runs() == [run]
            assert "s3cret" not in f"{reader.place} {reader.place!r} {reader._database!r}"
            with pytest.raises(StoreError, match=r"grants no right to do this .*denied"):
                reader.finish_run(run.id, 1.0)

    def test_a_newer_store(self, refusal, url, store, sql):
        sql("UPDATE inferometer.format SET version = 99")
        assert "written by a newer inferometer (its format is 99" in refusal(url)

    def test_tables_of_another_program(self, refusal, url, sql):
        sql("CREATE SCHEMA inferometer; CREATE TABLE inferometer.runs (a int)")
        assert "is of another program" in refusal(url)

    def test_a_database_that_holds_no_unicode(self, refusal, socket, sql):
        sql("DROP DATABASE IF EXISTS narrow")
        sql("CREATE DATABASE narrow ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
        assert "its encoding is LATIN1" in refusal(server.address(socket, "narrow"))

    def test_a_writer_that_does_not_let_go(self, url, store, make, monkeypatch):
        run = make.run(store)
        monkeypatch.setattr("inferometer.store.postgres.engine.WAIT_S", 0.05)
        with (
            open_store(url) as waiting,
            store._database.writing(),
            pytest.raises(StoreError, match="another program is writing"),
        ):
            waiting.finish_run(run.id, 1.0)


def test_a_store_on_a_server_has_no_file(store):
    with pytest.raises(StoreError, match="has no file"):
        _ = store.path


def test_sql_can_ask_for_what_a_device_is(store, make, sql):
    make.run(store)
    assert sql("SELECT device->>'name' FROM inferometer.runs") == [("Pi 5",)]
    assert json.loads(sql("SELECT software::text FROM inferometer.runs")[0][0])["torch"] == "2.13"
