"""The file of results: torn, full, of another study, gone on with."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest

from inferometer.fleet.light import results as module
from inferometer.fleet.light.measuring import _clock
from inferometer.fleet.light.results import Results, Trouble, bundle_of, key_of

WORKLOAD = {
    "model": "m",
    "backend": "python",
    "precision": "fp32",
    "device": "cpu",
    "threads": 1,
    "batch_size": 1,
    "input_size": None,
}
HEADER = {"inferometer_bundle": 1, "raw": True, "run": {"id": "0123abcd", "signature": "s"}}


def a_round(process=0, phase="measure", at=1000.0):
    return {
        "process": process,
        "phase": phase,
        "started_at": at,
        "calls_per_value": 1,
        "settle": 1,
        "starts_s": [0.0, 0.1, 0.2],
        "values_s": [0.5, 0.1, 0.3],
        "signals": None,
    }


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "results.json")


def begun(path):
    found = Results(path)
    assert not found.open()
    found.begin(HEADER)
    return found


def lines(path):
    with Path(path).open() as stream:
        return [json.loads(line) for line in stream]


def test_a_run_is_gone_on_with_where_it_was(path):
    first = begun(path)
    first.add_round(WORKLOAD, a_round())
    first.add_round(WORKLOAD, a_round(process=1, at=2000.0))
    again = Results(path)
    assert again.open()
    assert again.next_number == 2
    assert again.last_at == pytest.approx(2000.2)
    seen = again.rounds[key_of(WORKLOAD)]
    assert [one["process"] for one in seen] == [0, 1]
    assert [one["calls"] for one in seen] == [2, 2]


def test_a_torn_line_is_cut_off(path):
    found = begun(path)
    found.add_round(WORKLOAD, a_round())
    with Path(path).open("ab") as stream:
        stream.write(b'{"round":{"workload":"x","numb')
    again = Results(path)
    again.open()
    again.add_round(WORKLOAD, a_round())
    assert [next(iter(line)) for line in lines(path)] == ["inferometer_bundle", "round", "round"]


def test_an_end_is_taken_off_where_something_is_left(path):
    found = begun(path)
    found.add_record(WORKLOAD, "ok", None, {})
    found.close(None)
    assert "end" in lines(path)[-1]
    again = Results(path)
    again.open()
    assert (again.finished, again.records) == (False, {key_of(WORKLOAD): "ok"})
    again.close(1234.5)
    last = Results(path)
    last.open()
    assert last.finished
    assert lines(path)[0]["run"]["finished_at"] == 1234.5
    assert [next(iter(line)) for line in lines(path)] == ["inferometer_bundle", "record", "end"]


def test_a_run_that_goes_on_is_collected_with_an_end(path):
    found = begun(path)
    found.add_round(WORKLOAD, a_round())
    with Path(path).open("ab") as stream:
        stream.write(b'{"half":')
    content, count = bundle_of(path)
    assert count == 2
    assert json.loads(content.splitlines()[-1])["end"]["lines"] == 2


@pytest.mark.parametrize("content", ["hello\n", '{"a":1}\n', "[]\n"])
def test_a_file_of_something_else_is_left_alone(path, content):
    with Path(path).open("w") as stream:
        stream.write(content)
    with pytest.raises(Trouble, match="holds no results: give -o another name"):
        Results(path).open()
    with Path(path).open() as stream:
        assert stream.read() == content


def test_a_full_disk_says_what_to_do_and_keeps_whole_lines(path, monkeypatch):
    found = begun(path)
    found.add_round(WORKLOAD, a_round())
    write, room = module.os.pwrite, [40]

    def full(descriptor, data, place):
        if not room[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        part = data[: room[0]]
        room[0] -= len(part)
        return write(descriptor, part, place)

    monkeypatch.setattr(module.os, "pwrite", full)
    with pytest.raises(Trouble, match=r"no room for .* what was measured is kept in .* goes on"):
        found.add_round(WORKLOAD, a_round())
    monkeypatch.undo()
    assert len(lines(path)) == 2
    again = Results(path)
    again.open()
    again.add_round(WORKLOAD, a_round())
    assert [one["round"]["number"] for one in lines(path)[1:]] == [0, 1]


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(Trouble, match=r"cannot be written .* give -o a file in a folder"):
        Results(str(tmp_path / "gone" / "results.json")).open()


def test_a_clock_that_is_behind_is_set_to_what_is_known_to_be_past(path, monkeypatch):
    found, said = begun(path), []
    monkeypatch.setattr(module.time, "time", lambda: 86400.0)  # as without a battery: 1970
    clock = _clock(found, {"at": 1.7e9}, said.append)
    assert clock.now() == pytest.approx(1.7e9, abs=5)
    assert "The clock of this board is behind by at least" in said[0]
    found.add_round(WORKLOAD, a_round(at=1.8e9))
    assert _clock(found, {"at": 1.7e9}, said.append).now() >= 1.8e9


def test_a_clock_that_jumps_in_the_midst_does_not_move_the_rounds(path, monkeypatch):
    clock = _clock(begun(path), {"at": 0.0}, print)
    before = clock.now()
    monkeypatch.setattr(module.time, "time", lambda: before + 3600)
    assert clock.now() - before < 60
