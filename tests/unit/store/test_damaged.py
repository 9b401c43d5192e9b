"""Damaged rows: each is named and passed over, and hides no other."""

from __future__ import annotations

import json
import random
import sqlite3
import warnings
from contextlib import closing
from dataclasses import replace

import pytest
from tests.fuzz.stores import mutations
from tests.unit.store.conftest import Make

from inferometer.core.errors import InputError, StoreError
from inferometer.store import open_store, values
from inferometer.store.damage import StoreWarning

DEEP = "[" * 100_000
DAYS_OF_RECKONING = 1e308


@pytest.fixture(scope="module")
def three_runs(tmp_path_factory):
    """Content of a store, and the ids of its runs, the latest last.

    Each has a record of two rounds and one of none.
    """
    path, make = tmp_path_factory.mktemp("three") / "x.db", Make()
    with open_store(path) as store:
        found = [make.run(store).id for _ in range(3)]
        for run_id in found:
            store.put_record(run_id, make.record(batch=1), [make.round(0), make.round(1)])
            store.put_record(run_id, make.record(batch=2))
    return path.read_bytes(), found


@pytest.fixture
def runs(three_runs, path):
    """The ids of the three runs of the store."""
    content, found = three_runs
    path.write_bytes(content)
    return found


@pytest.fixture
def change(path):
    """Changes the file behind the store's back."""

    def execute(statement, *parameters):
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA ignore_check_constraints = ON")
            connection.execute(statement, parameters)
            connection.commit()

    return execute


@pytest.fixture
def told():
    return []


@pytest.fixture
def reading(path, told):
    def opened():
        return open_store(path, create=False, tell=told.append)

    return opened


def with_values(*names_and_values):
    return [pytest.param(name, value, id=f"{name}-{str(value)[:12]}") for name, value in (
        names_and_values
    )]  # fmt: skip


RUNS = with_values(
    ("device", "null"),
    ("device", "[]"),
    ("device", DEEP),
    ("device", '{"name": 1}'),
    ("device", '{"name": "\\ud800", "a": NaN}'),
    ("device", '{"a": 1e999}'),
    ("device", '{"a": ' + "9" * 5000 + "}"),
    ("device", b"\xff\x00"),
    ("device", 5),
    ("document", "{}"),
    ("document", "null"),
    ("document", '{"sweep": 1}'),
    ("document", DEEP),
    ("software", "[1]"),
    ("created_at", DAYS_OF_RECKONING),
    ("created_at", -1.0),
    ("created_at", "yesterday"),
    ("created_at", float("inf")),
    ("finished_at", DAYS_OF_RECKONING),
    ("finished_at", b"\0"),
    ("study", b"\xff"),
    ("signature", b""),
    ("origin", "found"),
    ("planned", "many"),
    ("planned", -1),
    ("id", "ABCDEFGH"),
    ("id", b"12345678"),
)


@pytest.mark.parametrize(("column", "value"), RUNS)
def test_a_damaged_run_hides_no_other(runs, change, reading, told, *, column, value):
    change(f"UPDATE runs SET {column} = ? WHERE sequence = 2", value)
    with reading() as store:
        assert [run.id for run in store.runs()] == [runs[2], runs[0]]
        assert len(store.records(runs[0], with_rounds=True)) == 2
        assert store.run("latest").id == runs[2]
    (sentence,) = told
    assert f" ({column}: " in sentence
    assert column == "id" or runs[1] in sentence
    assert len(sentence) < 600


def test_a_damaged_run_that_is_asked_for_is_refused_by_name(runs, change, reading):
    change("UPDATE runs SET device = 'null' WHERE sequence = 3")
    with reading() as store:
        for reference in (runs[2], "latest"):
            with pytest.raises(StoreError, match=f"run {runs[2]}: device: .*another run"):
                store.run(reference)
        with pytest.raises(StoreError, match="device"):
            store.records(runs[2])


def _document(**parts):
    """A study's document, with some parts of it replaced."""

    def changed(data):
        for name, value in parts.items():
            if name in data:
                data[name] = value
            elif name in data["sweep"]:
                data["sweep"][name] = value
            else:
                data["procedure"][name] = value
        return json.dumps(data)

    return changed


@pytest.mark.parametrize(
    "changed",
    [
        _document(blocks=5),
        _document(blocks=[{"sizes": [1], "batches": 3}]),
        _document(blocks=[{"sizes": ["a"], "batches": [1]}]),
        _document(blocks=[{"sizes": [1] * 2000, "batches": [1] * 2000}]),
        _document(models="resnet18"),
        _document(models=[1]),
        _document(threads="two"),
        _document(device=None),
        _document(hypotheses=5),
        _document(hypotheses=[5]),
        _document(target="5 %"),
        _document(target=2.0),
        _document(seed=[]),
        _document(energy="no"),
        _document(budget_s=-1),
        _document(find_cliff=3),
        _document(description=[]),
        _document(name=None),
    ],
)
def test_a_study_that_cannot_be_read_back_is_damage(runs, path, change, reading, told, *, changed):
    with closing(sqlite3.connect(path)) as connection:
        (text,) = connection.execute("SELECT document FROM runs").fetchone()
    change("UPDATE runs SET document = ? WHERE sequence = 1", changed(json.loads(text)))
    with reading() as store:
        assert [run.id for run in store.runs()] == [runs[2], runs[1]]
    assert "(document: " in told[0]


RECORDS = with_values(
    ("figures", DEEP),
    ("figures", "null"),
    ("figures", "[]"),
    ("figures", b"{}"),
    ("figures", 7),
    ("figures", '{"latency_mean_s": NaN}'),
    ("figures", '{"latency_mean_s": Infinity}'),
    ("figures", '{"latency_mean_s": 1e999}'),
    ("figures", '{"latency_mean_s": 1e300}'),
    ("figures", '{"latency_mean_s": 1e-300}'),
    ("figures", '{"latency_mean_s": -1}'),
    ("figures", '{"latency_mean_s": true}'),
    ("figures", '{"latency_mean_s": [1]}'),
    ("figures", '{"latency_mean_s": {"a": 1}}'),
    ("figures", '{"latency_confidence": 1.5}'),
    ("figures", '{"parameters": 1.5}'),
    ("figures", '{"parameters": 99999999999999999999}'),
    ("figures", '{"parameters": ' + "9" * 5000 + "}"),
    ("figures", '{"notes": 5}'),
    ("figures", '{"notes": [5]}'),
    ("figures", '{"causes": [{"code": "stolen"}]}'),
    ("figures", '{"causes": [{"code": "stolen", "values": {}}]}'),
    ("figures", '{"causes": [{"code": "stolen", "values": {"share": "much"}}]}'),
    ("figures", '{"causes": [{"code": "stolen", "values": {"share": [1]}}]}'),
    ("figures", '{"energy_reason": {"code": 5, "values": {}}}'),
    ("figures", '{"energy_reason": ["a"]}'),
    ("figures", '{"steady": 1}'),
    ("figures", '{"verdict": 1}'),
    ("figures", '{"model": "another"}'),
    ("status", "perhaps"),
    ("status", "failed"),
    ("status", b"ok"),
    ("failure_kind", "crash"),
    ("model", b"\xff"),
    ("model", ""),
    ("model", "another"),
    ("threads", "two"),
    ("threads", 3),
    ("batch_size", 0),
    ("batch_size", -1),
    ("batch_size", "x"),
    ("input_size", 1.5),
    ("workload", "0" * 16),
)


@pytest.mark.parametrize(("column", "value"), RECORDS)
def test_a_damaged_record_hides_no_other(runs, change, reading, told, *, column, value):
    change(f"UPDATE records SET {column} = ? WHERE sequence = 1", value)
    with reading() as store:
        (left,) = store.records(runs[0], with_rounds=True)
        assert left.workload.batch_size == 2
        assert len(store.records(runs[1], with_rounds=True)) == 2
    (sentence,) = told
    assert "record " in sentence
    assert runs[0] in sentence


ROUNDS = with_values(
    ("values_s", b""),
    ("values_s", b"\0" * 15),
    ("values_s", b"\xff" * 16),
    ("values_s", b"\0\0\0\0\0\0\xf0\x7f" * 2),
    ("values_s", b"\0\0\0\0\0\0\xf0\xbf" * 2),
    ("values_s", "text"),
    ("values_s", 10**9),
    ("starts_s", b"\0" * 24),
    ("signals", "[]"),
    ("signals", "5"),
    ("signals", DEEP),
    ("signals", '{"temperature_c": "hot"}'),
    ("phase", "lunch"),
    ("process", "x"),
    ("process", -1),
    ("calls_per_value", 0),
    ("settle", -1),
    ("started_at", DAYS_OF_RECKONING),
    ("number", -1),
    ("number", "x"),
    ("pair", 0.5),
)


@pytest.mark.parametrize(("column", "value"), ROUNDS)
def test_a_damaged_round_hides_no_other(runs, change, reading, told, *, column, value):
    change(f"UPDATE rounds SET {column} = ? WHERE _rowid_ = 1", value)
    with reading() as store:
        first, second = store.records(runs[0], with_rounds=True)
        assert [part.index for part in first.rounds] == [1]
        assert second.rounds == ()
        assert store.next_round(runs[0]) == 2
    assert f"({column}: " in told[0]


def test_many_damaged_rows_are_told_in_one_sentence_and_once(runs, change, reading, told):
    change("UPDATE records SET figures = 'x'")
    with reading() as store:
        for _ in range(3):
            assert store.records(runs[0]) == []
        assert len(store.damaged) == 2
    (sentence,) = told
    assert "2 damaged rows of the table records" in sentence


def test_without_a_listener_python_warns(runs, path, change):
    change("UPDATE records SET figures = 'x' WHERE sequence = 1")
    with open_store(path, create=False) as store, pytest.warns(StoreWarning, match="figures"):
        store.records(runs[0])
    with warnings.catch_warnings(), open_store(path, create=False) as store:
        warnings.simplefilter("error", StoreWarning)
        with pytest.raises(InputError, match="figures"):
            store.records(runs[0])


def test_text_in_no_encoding_is_damage(runs, change, reading, told):
    change("UPDATE runs SET study = CAST(x'ff41' AS TEXT) WHERE sequence = 1")
    change("UPDATE records SET model = CAST(x'ff41' AS TEXT) WHERE sequence = 3")
    with reading() as store:
        assert [run.id for run in store.runs()] == [runs[2], runs[1]]
        assert len(store.records(runs[1])) == 1
    assert "(study: text that is not UTF-8)" in told[0]
    assert "(model: text that is not UTF-8)" in told[1]


class TestTables:
    """Other things in place of our tables, or nothing."""

    ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x"

    @pytest.mark.parametrize("instead", ["", f"CREATE VIEW rounds AS {ENDLESS} AS number FROM n"])
    def test_rounds_that_are_gone_leave_the_records(self, runs, change, reading, told, instead):
        change("DROP TABLE rounds")
        if instead:
            change(instead)
        with reading() as store:
            assert len(store.records(runs[0], with_rounds=True)) == 2
            with pytest.raises(StoreError, match=r"rounds|view|missing"):
                store.finish_run(runs[0], 1.0)
        assert "table rounds is damaged" in told[0]

    @pytest.mark.parametrize("instead", ["", f"CREATE VIEW runs AS {ENDLESS} AS sequence FROM n"])
    def test_runs_that_are_gone_are_said_to_be(self, runs, change, reading, told, instead):
        change("DROP TABLE runs")
        if instead:
            change(instead)
        with reading() as store:
            assert store.runs() == []
            with pytest.raises(StoreError, match="its runs cannot be read: it is"):
                store.run("latest")
        assert len(told) == 1

    def test_a_trigger_is_not_set_off(self, runs, path, change, reading, make):
        change("CREATE TRIGGER t AFTER UPDATE ON runs BEGIN DELETE FROM rounds; END")
        with reading() as store:
            assert store.records(runs[0], with_rounds=True)[0].rounds
            with pytest.raises(StoreError, match="a trigger, t"):
                store.finish_run(runs[0], 1.0)
        with pytest.raises(StoreError, match="a trigger, t"):
            open_store(path)

    @pytest.mark.parametrize("table", ["runs", "records", "rounds", "claims"])
    def test_nothing_is_written_where_rows_may_stand_twice(
        self, runs, path, change, reading, table
    ):
        change(f"CREATE TABLE copied AS SELECT * FROM {table}")
        change(f"DROP TABLE {table}")
        change(f"ALTER TABLE copied RENAME TO {table}")
        before = path.read_bytes()
        with reading() as store, pytest.raises(StoreError, match=f"rows of {table} from standing"):
            store.claim(runs[0])
        with pytest.raises(StoreError, match=f"rows of {table} from standing"):
            open_store(path)
        assert path.read_bytes() == before

    @pytest.mark.parametrize("table", ["runs", "records", "rounds"])
    def test_rows_that_stand_there_twice_count_once(self, runs, change, reading, told, table):
        change(f"CREATE TABLE copied AS SELECT * FROM {table}")
        change(f"DROP TABLE {table}")
        change(f"ALTER TABLE copied RENAME TO {table}")
        change(f"INSERT INTO {table} SELECT * FROM {table}")
        with reading() as store:
            if table == "runs":
                with pytest.raises(StoreError, match="id: it stands there twice"):
                    store.run(runs[0])
            else:
                first, _ = store.records(runs[0], with_rounds=True)
                assert len(first.rounds) == 2
        assert "it stands there twice" in told[0]


class TestWriting:
    """What is stored later never mixes with what is damaged."""

    def test_an_id_that_only_records_have_is_not_given_again(
        self, runs, change, path, make, monkeypatch
    ):
        change("DELETE FROM runs WHERE sequence = 1")
        ids = iter([runs[0], "0badcafe"])
        monkeypatch.setattr("secrets.token_hex", lambda _: next(ids))
        with open_store(path) as store:
            assert make.run(store).id == "0badcafe"

    def test_a_record_in_place_of_a_damaged_one_is_told(self, runs, change, path, make, told):
        change("UPDATE records SET figures = 'x' WHERE sequence = 1")
        with open_store(path, tell=told.append) as store:
            store.put_record(runs[0], make.record(batch=1, latency_mean_s=0.5))
            assert len(store.records(runs[0])) == 2
            store.put_record(runs[0], make.record(batch=1))
        (sentence,) = told
        assert f"record resnet18 224/1 of run {runs[0]} was damaged; a new one is in" in sentence

    @pytest.mark.parametrize("number", [2**63 - 1, "x", 1e300])
    def test_the_next_round_follows_those_that_can_be_read(
        self, runs, change, path, make, *, number
    ):
        change("UPDATE rounds SET number = ? WHERE _rowid_ = 2", number)
        with open_store(path, tell=lambda _: None) as store:
            assert store.next_round(runs[0]) == 1
            store.add_rounds(runs[0], [(make.workload(), make.round(1))])
            assert [part.index for part in store.rounds(runs[0], make.workload())] == [0, 1]

    @pytest.mark.parametrize("pid", ["x", -1, 2**40, None])
    def test_a_claim_that_names_no_process_is_taken_over(self, runs, change, path, pid):
        change("CREATE TABLE c (run_id VARCHAR(8) PRIMARY KEY, pid, started_s, host)")
        change("DROP TABLE claims")
        change("ALTER TABLE c RENAME TO claims")
        change("INSERT INTO claims VALUES (?, ?, 1.0, NULL)", runs[0], pid)
        with open_store(path) as store:
            store.claim(runs[0])
            store.claim(runs[0])
            store.release(runs[0])

    def test_what_could_not_be_read_back_is_not_stored(self, runs, path, make):
        with open_store(path) as store:
            for figures in ({"parameters": 1.5}, {"verdict": 5}, {"latency_mean_s": 1e300}):
                with pytest.raises(ValueError, match="resnet18 224/9: "):
                    store.put_record(runs[0], make.record(batch=9, **figures))
            with pytest.raises(StoreError, match=r"study: .*too long"):
                store.import_run(
                    replace(store.run("latest"), study="x" * (values.LONGEST_TEXT + 1)), []
                )
            assert len(store.runs()) == 3

    def test_notes_in_no_encoding_are_kept_readable(self, runs, path, make):
        with open_store(path) as store:
            store.put_record(runs[0], make.record(batch=9, notes=["a\udcff"]))
            assert store.records(runs[0])[-1]["notes"] == ["a?"]


def test_a_roofline_that_is_none_leaves_its_run(runs, change, reading):
    rooflines = '{"name": "Pi", "roofs": [1, {"flops": null}]}'
    change("UPDATE runs SET device = ? WHERE sequence = 1", rooflines)
    from inferometer.core.roofline import known_rooflines

    with reading() as store:
        assert known_rooflines(store.run(runs[0]).device) == []


def read_everything(path):
    with open_store(path, create=False, tell=lambda _: None) as store:
        for run in store.runs():
            for record in store.records(run.id, with_rounds=True):
                repr(record)
                record.row()
            store.next_round(run.id)
        store.all_outcomes()


def test_nothing_but_sentences_comes_of_damage_of_any_kind(tmp_path):
    seed = random.Random(11).randrange(1000)
    refused = []
    for path in mutations(seed, 100, tmp_path):
        content = path.read_bytes()
        try:
            read_everything(path)
        except StoreError as error:
            refused.append(str(error))
        assert path.read_bytes() == content
    assert 0 < len(refused) < 80
    assert not any("\n" in sentence for sentence in refused)
