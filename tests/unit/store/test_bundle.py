"""A run as one file: there and back, again, cut, changed, newer, older, and in parts."""

from __future__ import annotations

import gzip
import hashlib
import json
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.store.test_evaluations import passed, same

from inferometer.core.errors import ImportFileError, StoreError
from inferometer.core.run import CARRIED
from inferometer.core.statement import Statement
from inferometer.store import open_store
from inferometer.store.bundle import (
    bundle_bytes,
    bundle_of,
    is_bundle,
    read_bundle,
    read_bundle_file,
)
from inferometer.store.transfer import json_bytes


@pytest.fixture
def run(store, make):
    """A run with figures, a failure, rounds with a record and without, and a pass over data."""
    run = store.create_run(
        make.study(models=("resnet18", "unet", "vgg")),
        planned=4,
        device={"name": "Pi 5 \u202e", "roofs": [{"at": 1.5}], "before_the_run": {"turbo": None}},
        software={"torch": "2.13"},
    )
    note = Statement("few_calls", {"calls": 3, "wanted": 10})
    record = make.record(
        batch=2, latency_mean_s=0.1 + 0.2, notes=[note, "a note"], energy_reason="no sensor"
    )
    signals = {"temperature_c": 50.25, "canary_loop_s": 1e-4}
    rounds = [make.round(n, 0.03, 0.1 + 0.2 + n / 7) for n in range(3)]
    rounds[1] = replace(rounds[1], signals=signals, pair=2, phase="energy")
    store.put_record(run.id, record, rounds)
    store.put_record(run.id, make.failed(message="killed\n\udcff"), [make.round(3)])
    store.add_rounds(run.id, [(make.workload("vgg"), make.round(4))])
    store.put_evaluation(run.id, passed(workload=record.workload.key))
    store.finish_run(run.id, 1.8e9)
    return store.run(run.id)


@pytest.fixture
def content(store, run):
    return bundle_bytes(bundle_of(store, run.id))


@pytest.fixture
def other(tmp_path):
    with open_store(tmp_path / "other.db") as opened:
        yield opened


def take(store, content, **options):
    return store.merge(read_bundle(content, "x.bundle", **options))


def alike(one, other):
    """Whether two bundles hold the same, to the last bit."""
    assert bundle_bytes(one) == bundle_bytes(other)


def changed(content, number, change):
    """A bundle with one of its lines changed, and an end that fits: only a hand does that."""
    lines = [json.loads(line) for line in content.splitlines()[:-1]]
    lines[number] = change(lines[number]) or lines[number]
    return ended(lines)


def ended(lines):
    content = "".join(f"{json.dumps(line)}\n" for line in lines if line is not None).encode()
    count = content.count(b"\n")
    end = {"end": {"lines": count, "sha256": hashlib.sha256(content).hexdigest()}}
    return content + f"{json.dumps(end)}\n".encode()


def test_everything_arrives_as_it_was(store, run, content, other):
    found = take(other, content)
    assert (len(found.records), len(found.rounds), found.is_new) == (2, 5, True)
    assert replace(other.run(run.id), device=run.device) == run
    assert other.run(run.id).device == {**run.device, CARRIED: True}
    before, after = (one.records(run.id, with_rounds=True) for one in (store, other))
    assert after == before
    assert json_bytes(after) == json_bytes(before)
    assert other.all_rounds(run.id) == store.all_rounds(run.id)
    for key, one in store.evaluations(run.id).items():
        same(other.evaluations(run.id)[key], one)
    alike(bundle_of(other, run.id), bundle_of(store, run.id))


def test_again_there_is_nothing_new_there_and_back_at_home(store, run, content, other):
    take(other, content)
    assert take(other, content).is_nothing
    assert take(store, content).is_nothing
    assert CARRIED not in store.run(run.id).device
    alike(bundle_of(other, run.id), bundle_of(store, run.id))


def test_a_run_that_came_as_a_bundle_is_not_resumed_here(store, run, content, other):
    take(other, content)
    assert [one.id for one in store.runs_like(run.signature)] == [run.id]
    assert other.runs_like(run.signature) == []


def test_a_compressed_file_is_the_same_bundle_under_any_name(store, run, content, tmp_path):
    packed = bundle_bytes(bundle_of(store, run.id), compressed=True)
    assert gzip.decompress(packed) == content
    path = tmp_path / "odd.csv"
    path.write_bytes(packed)
    assert is_bundle(path)
    alike(read_bundle_file(path), read_bundle(content, "x"))
    path.write_bytes(b"model,latency_s\na,1\n")
    assert not is_bundle(path)
    assert not is_bundle(tmp_path / "none")


@pytest.mark.parametrize("packed", [False, True])
def test_what_was_cut_is_refused_and_taken_in_part_where_that_is_asked_for(
    run, content, other, packed
):
    lines = content.splitlines(keepends=True)
    ends = {0, 10, len(lines[0]), len(content) // 2, len(content) - len(lines[-1])}
    for end in sorted(ends):
        cut = content[:end]
        cut = gzip.compress(cut)[:-6] if packed else cut
        with pytest.raises(ImportFileError, match="cut"):
            read_bundle(cut, "x")
    with pytest.raises(ImportFileError, match="not even its first line"):
        read_bundle(b"", "x", partial=True)
    part = read_bundle(content[: len(b"".join(lines[:3])) + 7], "x", partial=True)
    assert (part.round_count, part.records, part.whole) == (2, (), False)
    assert part.run.finished_at is None
    other.merge(part)
    assert len(take(other, content).records) == 2
    assert other.run(run.id).finished_at == run.finished_at
    assert take(other, content).is_nothing
    assert other.merge(part).is_nothing  # the older state comes again, late


@settings(max_examples=150, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(data=st.data())
def test_no_changed_byte_goes_unnoticed(content, data):
    place = data.draw(st.integers(0, len(content) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda one: one != content[place]))
    bad = content[:place] + bytes([byte]) + content[place + 1 :]
    with pytest.raises(ImportFileError) as caught:
        read_bundle(bad, "x.bundle")
    assert str(caught.value).startswith("x.bundle:")
    assert "\n" not in str(caught.value)


def test_a_missing_line_and_a_checksum_that_is_off_are_told_apart(content):
    lines = content.splitlines(keepends=True)
    with pytest.raises(ImportFileError, match=r"holds 8 lines, and its end says 9"):
        read_bundle(b"".join([*lines[:3], *lines[4:]]), "x")
    with pytest.raises(ImportFileError, match="checksum"):
        read_bundle(content.replace(b'"settle":1', b'"settle":2', 1), "x")
    with pytest.raises(ImportFileError, match="more after its end"):
        read_bundle(content + lines[1], "x")


def test_a_newer_bundle_is_read_as_far_as_it_is_known_and_says_what_was_left_out(content, other):
    lines = [json.loads(line) for line in content.splitlines()[:-1]]
    lines[0] |= {"inferometer_bundle": 7, "needs": 1, "tool": "9.0", "colour": "red"}
    lines[1]["round"]["mood"] = 3
    lines[6]["record"]["figures"]["charm_per_s"] = 1.5
    found = read_bundle(ended([*lines, {"photograph": {"of": "it"}}]), "x")
    (note,) = found.notes
    for what in ("colour", "mood of round", "figure charm_per_s", "lines of photograph"):
        assert what in note
    other.merge(found)
    assert other.merge(read_bundle(content, "x")).is_nothing
    lines[0]["needs"] = 2
    with pytest.raises(ImportFileError, match=r"9\.0, which this version.*update inferometer"):
        read_bundle(ended(lines), "x")


def test_the_first_version_had_no_needs(content):
    lines = [json.loads(line) for line in content.splitlines()[:-1]]
    del lines[0]["needs"], lines[1]["round"]["pair"], lines[1]["round"]["signals"]
    assert read_bundle(ended(lines), "x").round_count == 5


def drop(part, key):
    def change(line):
        del line[part][key]

    return change


@pytest.mark.parametrize(
    ("number", "change", "sentence"),
    [
        (0, lambda one: {"a": 1}, "x:1: no bundle of inferometer"),
        (0, lambda one: {**one, "inferometer_bundle": "1"}, "x:1: text where a whole number"),
        (0, lambda one: {**one, "raw": 1}, "x:1: raw: neither true nor false"),
        (0, lambda one: {**one, "run": {**one["run"], "id": "latest"}}, "x:1: run: id: not eight"),
        (0, lambda one: {**one, "run": {**one["run"], "document": {}}}, "x:1: run: document"),
        (0, drop("run", "signature"), "x:1: run: signature: it is not there"),
        (1, drop("round", "values_s"), "x:2: round: values_s: it is not there"),
        (1, lambda one: one["round"].update(values_s=[1, "2"]), "x:2: round: values_s: something"),
        (1, lambda one: one["round"].update(values_s=[True, 1]), "x:2: round: values_s: something"),
        (1, lambda one: one["round"].update(values_s=[1]), "x:2: round: starts_s: not as many"),
        (1, lambda one: one["round"].update(starts_s=[1, 0]), "x:2: round: starts_s: they descend"),
        (1, lambda one: one["round"].update(workload="../x"), "x:2: round: workload: not the key"),
        (1, lambda one: one["round"].update(number=1), "x:3: round: number 1 of workload"),
        (1, lambda one: one["round"].update(phase="sleep"), "x:2: round: phase: none of"),
        (1, lambda one: [1], "x:2: a list where an object"),
        (6, lambda one: one["record"].update(status="ok", failure={"stage": "load"}), "x:7: record"),
        (6, lambda one: one["record"]["figures"].update(latency_mean_s="1"), "latency_mean_s: text"),
        (6, lambda one: one["record"]["workload"].update(batch_size=0), "batch_size: a number that"),
        (8, lambda one: one["evaluation"].update(rows="a!"), "x:9: evaluation: rows: not base64"),
    ],
)  # fmt: skip
def test_what_no_run_holds_is_refused_with_its_line(content, number, change, sentence):
    with pytest.raises(ImportFileError) as caught:
        read_bundle(changed(content, number, change), "x")
    assert sentence in str(caught.value)


def test_a_file_that_unpacks_to_too_much_is_refused_before_it_fills_the_memory(content):
    bomb = gzip.compress(content.splitlines(keepends=True)[0] + b" " * 50_000_000)
    with pytest.raises(ImportFileError, match="larger than 1 MiB"):
        read_bundle(bomb, "x", at_most=1 << 20)
    with pytest.raises(ImportFileError, match="not sound"):
        read_bundle(b"\x1f\x8b" + content[:100], "x")


@pytest.mark.parametrize(
    ("number", "change", "sentence"),
    [
        (1, lambda one: one["round"].update(values_s=[0.5, 0.5]), "round 0 of workload"),
        (6, lambda one: one["record"]["figures"].update(latency_mean_s=9.0), "with other figures"),
        (7, lambda one: one["record"]["failure"].update(message="x"), "unet 224/1 is in the store"),
        (0, lambda one: one["run"].update(created_at=5.0), "another created_at"),
        (0, lambda one: one["run"].update(study="other"), "another study"),
        (0, lambda one: one["run"]["device"].update(name="Pi 4"), "of another device (name"),
    ],
)  # fmt: skip
def test_other_content_under_the_same_key_is_refused_and_changes_nothing(
    store, content, number, change, sentence
):
    before = bundle_bytes(bundle_of(store, "latest"))
    with pytest.raises(ImportFileError, match="changed") as caught:
        take(store, changed(content, number, change))
    assert sentence in str(caught.value)
    assert bundle_bytes(bundle_of(store, "latest")) == before


def test_a_run_that_went_on_brings_its_later_state_and_an_older_one_changes_nothing(
    store, make, other
):
    run = store.create_run(make.study(), planned=1, device={"name": "Pi"}, software={})
    record = make.record(energy_reason="later", pending=["energy"])
    store.put_record(run.id, record, [make.round(0)])
    early = bundle_bytes(bundle_of(store, run.id))
    store.put_record(run.id, make.record(energy_per_inference_j=1.5), [make.round(1)])
    store.set_device(run.id, {"name": "Pi", "roofs": [{"at": 1}], "price": 35})
    store.finish_run(run.id, 1.8e9)
    late = bundle_bytes(bundle_of(store, run.id))
    take(other, early)
    found = take(other, late)
    assert (len(found.records), len(found.rounds), found.is_new) == (1, 1, False)
    assert other.run(run.id).device["roofs"] == [{"at": 1}]
    assert take(other, early).is_nothing
    alike(bundle_of(other, run.id), bundle_of(store, run.id))


def test_a_workload_that_was_measured_anew_loses_its_first_rounds_elsewhere_too(store, make, other):
    run = store.create_run(make.study(), planned=1, device={"name": "Pi"}, software={})
    store.put_record(run.id, make.record(), [make.round(0), make.round(1)])
    early = bundle_bytes(bundle_of(store, run.id))
    take(other, early)
    store.put_record(run.id, make.record(latency_mean_s=1.0), [make.round(2)], instead=True)
    take(other, bundle_bytes(bundle_of(store, run.id)))
    alike(bundle_of(other, run.id), bundle_of(store, run.id))
    assert take(other, early).is_nothing


def test_parts_of_a_run_add_up_to_it_in_any_order(store, run, content, other):
    whole = bundle_of(store, run.id)
    for record in reversed(whole.records):
        key = record.workload.key
        mine = {k: v for k, v in whole.rounds.items() if k == key}
        part = replace(
            whole,
            records=(record,),
            rounds=mine,
            evaluations={},
            run=replace(run, finished_at=None),
        )
        other.merge(read_bundle(bundle_bytes(part), "x"))
    take(other, content)
    mine, theirs = (bundle_bytes(bundle_of(one, run.id)).splitlines() for one in (store, other))
    # Records that no study plans stand as they came.
    assert sorted(mine[:-1]) == sorted(theirs[:-1])


def test_what_is_left_of_a_damaged_run_is_not_mixed_with_a_bundle(content, other):
    take(other, content)
    with closing(sqlite3.connect(other.path)) as connection:
        connection.execute("DELETE FROM runs")
        connection.commit()
    with pytest.raises(StoreError, match="whose own row is damaged"):
        take(other, content)


def test_the_same_run_gives_the_same_bytes(store, run, content):
    again = bundle_of(store, run.id)
    assert bundle_bytes(again) == content
    one, two = (bundle_bytes(again, compressed=True) for _ in range(2))
    assert one == two
