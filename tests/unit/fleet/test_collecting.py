"""What boards send, into a store: what was asked for, once."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace

import pytest

from inferometer.cli.main import main
from inferometer.core.errors import ImportFileError
from inferometer.core.record import Record, Round
from inferometer.core.run import Run
from inferometer.fleet.collecting import bundle_from, checked, keep
from inferometer.fleet.types import AnswerError, Facts, JobStatus, KnownJob, LineError
from inferometer.host.lease import Holder, this_person
from inferometer.store import open_store
from inferometer.store.bundle import Bundle, bundle_bytes

ID = "0a1b2c3d"


def a_round(number, value=0.001):
    return Round(
        index=number,
        process=0,
        phase="measure",
        started_at=1.7e9 + number,
        calls_per_value=1,
        settle=0,
        starts_s=(0.0, value),
        values_s=(value, value),
    )


@pytest.fixture
def bundle(study, device):
    """The bundle of a job with its first record, or with both."""

    def bundle(records=2, **changes):
        run = Run(
            **{
                "id": ID,
                "study": study.name,
                "signature": study.signature,
                "document": study.to_json(),
                "device": {"name": device.name, "said": "Raspberry Pi 4"},
                "software": {"python": "3.11.2"},
                "planned": 2,
                "created_at": 1.7e9,
                "finished_at": 1.7e9 + 60 if records == 2 else None,
                **changes,
            }
        )
        done = [
            Record(workload=one, status="ok", figures={"latency_median_s": 0.001})
            for one in study.workloads()[:records]
        ]
        rounds = {one.workload.key: (a_round(n),) for n, one in enumerate(done)}
        return bundle_bytes(Bundle(run=run, records=tuple(done), rounds=rounds), compressed=True)

    return bundle


@pytest.fixture
def known():
    return KnownJob(
        status=JobStatus(job=ID, state="done", done=2, planned=2),
        group="",
        device_name="pi4",
        study="small",
        holder=this_person(),
        started_at=1.7e9,
    )


class Fake:
    """A board that has jobs, and a bundle for each."""

    def __init__(self, device, jobs=(), content=b"", facts=None):
        self.device, self._jobs, self.content, self._facts = device, tuple(jobs), content, facts
        self.collected = []

    def jobs(self):
        if None in self._jobs:
            raise LineError(f"{self.device.name}: it cannot be reached: no route to host")
        return self._jobs

    def collect(self, job):
        self.collected.append(job)
        return self.content

    def check(self):
        if self._facts is None:
            raise LineError(f"{self.device.name}: it cannot be reached: no route to host")
        return self._facts


@pytest.fixture
def store(tmp_path):
    with open_store(tmp_path / "s.db") as store:
        yield store


def test_each_record_is_there_once(store, bundle, device, known):
    for records, came in (
        (1, "1 record and 1 round"),
        (1, "nothing new"),
        (2, "1 record and 1 round more"),
        (2, "nothing new"),
        (1, "nothing new"),
    ):
        found = bundle_from(Fake(device, content=bundle(records)), known)
        assert keep(store, found, device, known) == came
    assert len(store.records(ID, with_rounds=True)) == 2
    assert store.run(ID).device["said"] == "Raspberry Pi 4"


@pytest.mark.parametrize(
    "changes", [{"id": "ffffffff"}, {"study": "other"}, {"device": {"name": "another"}}]
)
def test_a_bundle_of_something_else_is_refused(bundle, device, known, changes):
    with pytest.raises(AnswerError, match=r"^pi4: it sent a run .*nothing of it was kept"):
        checked(bundle(**changes), device, known)


@pytest.mark.parametrize("content", [b"", b"x", b"\x1f\x8b\x08garbage", b"{}\n", b"[" * 99999])
def test_a_bundle_that_is_none_is_refused(device, known, content):
    with pytest.raises(AnswerError, match=r"pi4.*nothing of it was kept"):
        checked(content, device, known)


def test_a_bundle_that_unpacks_without_end_is_refused(device, known, monkeypatch):
    monkeypatch.setattr("inferometer.fleet.collecting.MOST_UNPACKED", 1 << 20)
    with pytest.raises(AnswerError, match="unpacked larger than 1 MiB"):
        checked(gzip.compress(b" " * (2 << 20)), device, known)


def test_figures_of_another_board_are_not_overwritten(store, bundle, device, known):
    keep(store, checked(bundle(), device, known), device, known)
    liar = replace(device, name="liar")
    theirs = checked(bundle(device={"name": "liar"}), liar, known)
    with pytest.raises(ImportFileError, match="is in the store already"):
        keep(store, theirs, liar, known)
    assert store.run(ID).device_name == "pi4"


@pytest.fixture
def shelf(monkeypatch):
    """Boards in place of those of a file."""

    def shelf(*found):
        monkeypatch.setattr("inferometer.cli.fleet.boards_of", lambda *_: list(found))

    return shelf


def run(capsys, *args):
    with pytest.raises(SystemExit) as end:
        main(["fleet", *map(str, args)])
    said = capsys.readouterr()
    return end.value.code, said.out, said.err


def facts(**changes):
    return Facts(
        **{
            "kind": "full",
            "version": "0.0.1",
            "python": "3.11.2",
            "device": {"name": "\x1b[31mPi"},
            "software": {},
            "backends": ("torch",),
            "free_bytes": 5,
            "clock_offset_s": 3600.0,
            **changes,
        }
    )


def test_check_tells_what_each_board_is(shelf, device, capsys):
    away = replace(device, name="away")
    shelf(Fake(device, facts=facts()), Fake(away))
    status, out, _ = run(capsys, "check")
    assert status == 1
    assert out.splitlines() == [
        r"pi4: ready: inferometer 0.0.1, Python 3.11.2, \x1b[31mPi",
        "  backends: torch; power sources: none",
        "  its clock is 1 h 0 min ahead",
        "  only 5 B are free there",
        "  it has inferometer 0.0.1, here is 0.1.0",
        "away: cannot be used",
        "  away: it cannot be reached: no route to host",
    ]


def test_a_long_list_of_backends_is_broken_between_names(shelf, device, capsys):
    names = tuple(f"backend-{n:02}" for n in range(12))
    shelf(Fake(device, facts=facts(backends=names)))
    _, out, _ = run(capsys, "check")
    assert max(map(len, out.splitlines())) <= 80
    assert "backends: backend-00, backend-01, backend-02, backend-03, backend-04," in out
    assert all(name in out for name in names)


def test_check_tells_who_measures(shelf, device, capsys):
    shelf(Fake(device, facts=facts(holder=Holder(user="ben", host="lab"))))
    status, out, _ = run(capsys, "check")
    assert status == 1
    assert "pi4: cannot be used now" in out
    assert "ben from lab measures here; wait for it, or ask them" in out
    status, out, _ = run(capsys, "check", "--json", "-")
    (found,) = json.loads(out)
    assert (found["ok"], found["holder"]["user"]) == (False, "ben")


def test_status_lists_jobs(shelf, device, known, capsys):
    late = replace(
        known, status=JobStatus(job=ID, state="gone", done=1, failed=1, planned=2, message="died")
    )
    shelf(Fake(device, [late]), Fake(replace(device, name="idle")))
    status, out, _ = run(capsys, "status")
    assert status == 0
    assert f"  {ID}  gone  1 of 2, 1 of them failed  small  started by" in out
    assert "    died" in out
    assert "idle: no jobs" in out


def test_collect_takes_what_one_has_started(request, capsys, tmp_path):
    shelf, device, known, bundle = map(
        request.getfixturevalue, ("shelf", "device", "known", "bundle")
    )
    others = replace(known, holder=Holder(user="ben", host="lab"))
    mine = Fake(device, [known], bundle())
    theirs = Fake(replace(device, name="other"), [others])
    away = Fake(replace(device, name="away"), [None])
    shelf(mine, theirs, away)
    place = ("--store", tmp_path / "s.db")
    status, out, err = run(capsys, "collect", *place)
    assert (status, mine.collected, theirs.collected) == (1, [ID], [])
    assert f"{ID}: small on pi4: 2 records and 2 rounds" in out
    assert "away: it cannot be reached" in err
    shelf(mine, theirs)
    status, out, err = run(capsys, "collect", "12345678", *place)
    assert (status, out) == (1, "")
    assert "has a job 12345678" in err


def test_one_board_that_lies_keeps_nothing_of_the_others_away(request, tmp_path, capsys):
    shelf, device, known, bundle = map(
        request.getfixturevalue, ("shelf", "device", "known", "bundle")
    )
    liar = Fake(replace(device, name="liar"), [known], bundle())
    shelf(liar, Fake(device, [known], bundle()))
    status, out, err = run(capsys, "collect", "--store", tmp_path / "s.db")
    assert status == 1
    assert f"{ID}: small on pi4: 2 records" in out
    assert "liar: it sent a run" in err


def test_a_file_of_devices_that_is_wrong_is_one_sentence(tmp_path, capsys):
    file = tmp_path / "devices.yaml"
    file.write_text("devices:\n- {name: a, ssh: h}\n")
    status, out, err = run(capsys, "check", "--devices", file)
    assert (status, out) == (2, "")
    assert "devices.yaml:2: devices[0]: neither python" in err
    status, _, err = run(capsys, "status", "--devices", tmp_path / "none.yaml")
    assert status == 2
    assert "it lists the boards" in err
