from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from dataclasses import replace

import psutil
import pytest

from inferometer.core.errors import StoreError
from inferometer.core.record import Record
from inferometer.core.run import Run
from inferometer.core.statement import Statement, text
from inferometer.core.sweep import Block, Study, Sweep
from inferometer.store import open_store, schema, values
from inferometer.store.claims import this_process
from inferometer.store.compact import expanded


@pytest.fixture
def store(either):
    """Every test here holds for both kinds of store."""
    return either


def test_a_run_is_read_back_as_it_was_made(store, make):
    study = make.study("lab", models=("unet", "resnet18"))
    made = store.create_run(study, planned=2, device={"name": "Pi 5"}, software={"python": "3.11"})
    (read,) = store.runs()
    assert read == made
    assert (read.study, read.signature, read.planned) == ("lab", study.signature, 2)
    assert read.document["sweep"]["models"] == ["unet", "resnet18"]
    assert read.device == {"name": "Pi 5"}
    assert read.software == {"python": "3.11"}
    assert read.finished_at is None
    assert read.origin == "measured"
    assert len(read.id) == 8
    assert int(read.id, 16) >= 0


def test_what_is_found_out_of_a_device_later_is_kept_with_its_run(store, make):
    run, other = make.run(store), make.run(store)
    store.set_device(run.id, {**run.device, "roofs": [{"at": 1.5}]})
    assert store.run(run.id).device == {**run.device, "roofs": [{"at": 1.5}]}
    assert store.run(other.id) == other


def test_runs_are_listed_newest_first_whatever_the_clock_says(store, make, monkeypatch):
    times = iter([3000.0, 1000.0, 2000.0])
    monkeypatch.setattr("time.time", lambda: next(times))
    made = [make.run(store).id for _ in range(3)]
    assert [run.id for run in store.runs()] == made[::-1]
    assert store.run("latest").id == made[-1]


def test_runs_before_the_latest_are_named_by_how_many(store, make):
    made = [make.run(store).id for _ in range(3)]
    assert [store.run(one).id for one in ("latest~0", "latest~1", "latest~2")] == made[::-1]
    with pytest.raises(StoreError, match="no latest~3: the store has 3 runs; `inferometer runs`"):
        store.run("latest~3")


def test_an_id_that_is_taken_is_not_given_again(store, make, monkeypatch):
    ids = iter(["aaaaaaaa", "aaaaaaaa", "bbbbbbbb"])
    monkeypatch.setattr("secrets.token_hex", lambda _: next(ids))
    assert [make.run(store).id, make.run(store).id] == ["aaaaaaaa", "bbbbbbbb"]


class TestReference:
    @pytest.fixture
    def ids(self, store, make, monkeypatch):
        ids = ["abc00001", "abc00002", "12345678"]
        feed = iter(ids)
        monkeypatch.setattr("secrets.token_hex", lambda _: next(feed))
        return [make.run(store).id for _ in ids]

    @pytest.mark.parametrize(
        ("reference", "found"),
        [("1", "12345678"), ("abc00001", "abc00001"), ("latest", "12345678")],
    )
    def test_names_a_run(self, store, ids, reference, found):
        assert store.run(reference).id == found

    def test_that_is_ambiguous_lists_the_candidates(self, store, ids):
        with pytest.raises(StoreError, match="abc00002, abc00001"):
            store.run("abc")

    @pytest.mark.parametrize("reference", ["f", "", "%", "_", "LATEST", "abc000011"])
    def test_that_names_none_is_refused(self, store, ids, reference):
        with pytest.raises(StoreError, match="no run begins with"):
            store.run(reference)

    @pytest.mark.parametrize("reference", ["latest", "1"])
    def test_in_an_empty_store_says_so(self, store, reference):
        with pytest.raises(StoreError, match="no runs yet"):
            store.run(reference)


def test_runs_alike_are_those_measured_here_with_that_signature(store, make):
    first, other, second = make.run(store), make.run(store, "other"), make.run(store)
    store.import_run(first, [])
    assert [run.id for run in store.runs_like(first.signature)] == [second.id, first.id]
    assert [run.id for run in store.runs_like(other.signature)] == [other.id]
    assert store.runs_like("nothing") == []


def test_records_are_read_back_as_they_were_put(store, make):
    run = make.run(store)
    ok = make.record(
        latency_mean_s=0.1, causes=["a", "ß"], steady=True, macs=10**15, energy_reason=None
    )
    bad = make.failed(message="killed,\nat 3 GiB")
    for record in (ok, bad):
        store.put_record(run.id, record)
    read = store.records(run.id)
    assert read == [replace(record, run=run.row_part()) for record in (ok, bad)]
    assert read[0]["device_name"] == "Pi 5"
    assert store.outcomes(run.id) == {"ok": 1, "failed": 1}


def test_statements_are_kept_as_codes_with_values_and_sentences_as_they_are(store, make):
    run = make.run(store)
    causes = [Statement("run_delay", {"share": 0.0321456}), text("a sentence")]
    record = make.record(causes=causes, energy_reason=Statement("energy_off"))
    store.put_record(run.id, record)
    with store._database.reading() as connection:
        (row,) = store._database.read(connection, schema.records).found
    figures = expanded(row["figures"], values.LONGEST_JSON)
    assert json.loads(figures)["causes"] == [
        {"code": "run_delay", "values": {"share": 0.0321456}},
        "a sentence",
    ]
    assert store.records(run.id) == [replace(record, run=run.row_part())]


def test_a_sentence_of_an_earlier_version_is_decided_by_as_its_code(store, make):
    run = make.run(store)
    told = "energy was not reached: the run ended before its windows"
    store.put_record(run.id, make.record(energy_reason=told))
    (record,) = store.records(run.id)
    assert record["energy_reason"] == told
    assert record.lacks("energy")


def test_a_record_replaces_the_earlier_one_in_its_place(store, make):
    run = make.run(store)
    for record in (make.failed("a"), make.record("b"), make.record("a", macs=7)):
        store.put_record(run.id, record)
    read = store.records(run.id)
    assert [record.workload.variant.model for record in read] == ["a", "b"]
    assert read[0].status == "ok"
    assert read[0].failure is None
    assert read[0].figures["macs"] == 7


def test_records_of_one_run_are_not_those_of_another(store, make):
    first, second = make.run(store), make.run(store)
    store.put_record(first.id, make.record())
    assert store.records(second.id) == []
    with pytest.raises(StoreError, match="no run 00000000"):
        store.records("00000000")


def test_rounds_come_back_in_the_order_of_their_index(store, make):
    run, a, b = make.run(store), make.workload("a"), make.workload("b")
    store.add_rounds(run.id, [(a, make.round(4, 1 / 3)), (b, make.round(5)), (a, make.round(0))])
    store.put_record(run.id, make.record("a"), [make.round(2, math.pi, 5e-324)])
    assert store.rounds(run.id, a) == (
        make.round(0),
        make.round(2, math.pi, 5e-324),
        make.round(4, 1 / 3),
    )
    assert store.rounds(run.id, make.workload("c")) == ()
    (bare,) = store.records(run.id)
    (full,) = store.records(run.id, with_rounds=True)
    assert bare.rounds == ()
    assert full.rounds == store.rounds(run.id, a)


def test_a_round_is_never_replaced(store, make):
    run, workload = make.run(store), make.workload()
    store.add_rounds(run.id, [(workload, make.round(0, 0.1))])
    with pytest.raises(StoreError, match="raw data are never replaced"):
        store.add_rounds(run.id, [(workload, make.round(1)), (workload, make.round(0, 9.9))])
    with pytest.raises(StoreError, match="raw data are never replaced"):
        store.put_record(run.id, make.record(), [make.round(0, 9.9)])
    assert store.rounds(run.id, workload) == (make.round(0, 0.1),)
    assert store.records(run.id) == []


def test_the_next_round_follows_the_last_of_the_whole_run(store, make):
    run, other = make.run(store), make.run(store)
    assert store.next_round(run.id) == 0
    store.add_rounds(
        run.id, [(make.workload("a"), make.round(7)), (make.workload("b"), make.round(3))]
    )
    store.add_rounds(other.id, [(make.workload("a"), make.round(90))])
    assert store.next_round(run.id) == 8


def test_records_come_in_the_order_of_the_study_however_they_were_finished(store):
    study = Study(
        name="s",
        sweep=Sweep(models=("z", "a"), blocks=(Block(sizes=(9, 3), batches=(4, 1)),), threads=1),
    )
    planned = study.workloads()
    run = store.create_run(study, planned=len(planned), device={}, software={})
    for workload in reversed(planned):
        store.put_record(run.id, Record(workload=workload, status="ok"))
    assert [record.workload for record in store.records(run.id)] == planned


def test_a_run_is_finished_and_reopened(store, make):
    run = make.run(store)
    store.finish_run(run.id, 1234.5)
    assert store.run(run.id).finished_at == 1234.5
    store.reopen_run(run.id)
    assert store.run(run.id).finished_at is None


@pytest.mark.parametrize(
    "write",
    [
        lambda store, make: store.finish_run("00000000", 1.0),
        lambda store, make: store.set_device("00000000", {}),
        lambda store, make: store.reopen_run("00000000"),
        lambda store, make: store.put_record("00000000", make.record()),
        lambda store, make: store.add_rounds("00000000", [(make.workload(), make.round())]),
        lambda store, make: store.claim("00000000"),
    ],
)
def test_what_is_written_to_a_run_that_is_not_there_is_refused(store, make, write):
    with pytest.raises(StoreError, match=r"no such run|no run 00000000"):
        write(store, make)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_figure_that_is_no_number_is_refused_by_name(store, make, value):
    run = make.run(store)
    with pytest.raises(ValueError, match="latency_std_s"):
        store.put_record(run.id, make.record(latency_std_s=value), [make.round()])
    assert store.records(run.id) == []
    assert store.rounds(run.id, make.workload()) == ()


def test_a_message_that_is_no_text_does_not_lose_its_record(store, make):
    run = make.run(store)
    store.put_record(run.id, make.failed(message="died: \udcff\0"))
    assert store.records(run.id)[0].failure.message == "died: ??"


class TestImportedRun:
    def test_keeps_its_id_where_it_is_free(self, store, make, tmp_path):
        run = make.run(store)
        record = make.record()
        with open_store(tmp_path / "other.db") as other:
            stored = other.import_run(run, [record])
            assert (stored.id, stored.origin) == (run.id, "imported")
            assert other.records(stored.id) == [replace(record, run=stored.row_part())]

    @pytest.mark.parametrize("wanted", ["", "latest", "ABCDEF01", "../../etc", "abcdef012"])
    def test_gets_an_id_where_its_own_is_not_one(self, store, make, wanted):
        run = Run(id=wanted, study="s", signature="", document={}, device={}, software={})
        assert store.run(store.import_run(run, []).id).study == "s"

    def test_gets_a_new_id_where_its_own_is_taken(self, store, make):
        run = make.run(store)
        stored = store.import_run(run, [make.record()])
        assert stored.id != run.id
        assert store.records(run.id) == []
        assert len(store.records(stored.id)) == 1

    def test_is_imported_whole_or_not_at_all(self, store, make):
        run = Run(id="", study="s", signature="", document={}, device={}, software={})
        with pytest.raises(ValueError, match="macs"):
            store.import_run(run, [make.record("a"), make.record("b", macs=math.nan)])
        assert store.runs() == []


class TestClaim:
    @pytest.fixture
    def bystander(self):
        """A live process that has nothing to do with us."""
        process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        yield psutil.Process(process.pid)
        process.communicate()

    @staticmethod
    def owned_by(store, run, owner, monkeypatch):
        with monkeypatch.context() as patch:
            patch.setattr("inferometer.store.claiming.this_process", lambda: owner)
            store.claim(run.id)

    @staticmethod
    def owner_of(process):
        started_s = process.create_time() - psutil.boot_time()
        return type(this_process())(pid=process.pid, started_s=started_s)

    def test_may_be_repeated_and_given_up_by_its_process(self, store, make):
        run = make.run(store)
        store.claim(run.id)
        store.claim(run.id)
        store.release(run.id)
        store.release(run.id)
        store.claim(run.id)

    def test_of_a_live_process_is_respected_until_it_gives_up(
        self, store, make, bystander, monkeypatch
    ):
        run, other = make.run(store), make.run(store)
        owner = self.owner_of(bystander)
        self.owned_by(store, run, owner, monkeypatch)
        with pytest.raises(StoreError, match=f"measured by process {bystander.pid}"):
            store.claim(run.id)
        store.release(run.id)
        with pytest.raises(StoreError, match="being measured"):
            store.claim(run.id)
        store.claim(other.id)
        with monkeypatch.context() as patch:
            patch.setattr("inferometer.store.claiming.this_process", lambda: owner)
            store.release(run.id)
        store.claim(run.id)

    def test_of_a_dead_process_is_taken_over(self, store, make, monkeypatch):
        run = make.run(store)
        process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        self.owned_by(store, run, self.owner_of(psutil.Process(process.pid)), monkeypatch)
        process.communicate()
        store.claim(run.id)

    def test_of_an_earlier_process_of_that_number_is_taken_over(
        self, store, make, bystander, monkeypatch
    ):
        run = make.run(store)
        now = self.owner_of(bystander)
        earlier = type(now)(pid=now.pid, started_s=now.started_s - 60)
        self.owned_by(store, run, earlier, monkeypatch)
        store.claim(run.id)

    @pytest.mark.skipif(not hasattr(os, "waitid"), reason="a process must be left uncollected")
    def test_of_a_process_that_ended_uncollected_is_taken_over(self, store, make, monkeypatch):
        run = make.run(store)
        process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        self.owned_by(store, run, self.owner_of(psutil.Process(process.pid)), monkeypatch)
        process.stdin.close()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        store.claim(run.id)
        process.wait()


def test_what_was_closed_is_there_when_it_is_opened_again(path, make):
    with open_store(str(path)) as store:
        run = make.run(store)
        store.put_record(run.id, make.record(), [make.round()])
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    with open_store(path, create=False) as store:
        assert store.run("latest").id == run.id
        assert len(store.records(run.id, with_rounds=True)[0].rounds) == 1
        assert store.path == path
