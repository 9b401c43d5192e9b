from __future__ import annotations

import subprocess
import sys

import pytest

from inferometer.meters.memory import Held, Peak
from inferometer.runner.workers import memory_layers
from inferometer.runner.workers.memory_layers import (
    MemoryLayers,
    Start,
    at_start,
    own_bytes,
    peaks_apart,
    without_instrument,
)

MIB = 1 << 20


def held(own, file=50):
    return Held(resident=(own + file) * MIB, file=file * MIB)


def layers_of(monkeypatch, *moments):
    """Layers of a process that holds so much at each moment it is asked."""
    answers = iter(moments)
    monkeypatch.setattr(memory_layers, "held", lambda: next(answers))
    layers = MemoryLayers()
    layers.before_load()
    layers.after_load()
    return layers


def test_loading_raises_what_is_held_by_the_weights(monkeypatch):
    layers = layers_of(monkeypatch, held(200), held(245))
    assert layers.facts() == {
        "memory_baseline_bytes": 250 * MIB,
        "memory_weights_bytes": 45 * MIB,
    }


def test_what_other_shapes_left_is_not_this_ones(monkeypatch):
    layers = layers_of(monkeypatch, held(200), held(245))
    idle = held(265)  # 20 more are caches of another shape
    peak = Peak(before=held(275), after=held(275, file=60), resident=435 * MIB, counter="VmHWM")
    assert layers.figures(idle, peak) == {
        "peak_memory_bytes": (435 - 20) * MIB,
        "memory_activation_bytes": 100 * MIB,
        "memory_instrument_bytes": 0,
        "memory_counter": "VmHWM",
    }


def test_null_where_nothing_is_observable(monkeypatch):
    layers = layers_of(monkeypatch, None, None)
    assert layers.facts() == {}
    assert layers.figures(None, None) == {}


def test_in_a_process_that_loaded_nothing_the_peak_is_as_it_is():
    peak = Peak(before=held(340), after=held(340), resident=500 * MIB, counter="VmHWM")
    found = MemoryLayers().figures(held(330), peak)
    assert found["peak_memory_bytes"] == 500 * MIB
    assert found["memory_instrument_bytes"] is None  # nothing was taken off


def test_our_own_code_is_taken_off_and_added_to_the_instrument():
    seen = {
        "peak_memory_bytes": 400 * MIB,
        "memory_activation_bytes": 9 * MIB,
        "memory_instrument_bytes": 65 * MIB,
    }
    assert without_instrument(seen, 2 * MIB) == {
        "peak_memory_bytes": 398 * MIB,
        "memory_activation_bytes": 9 * MIB,
        "memory_instrument_bytes": 67 * MIB,
    }
    assert without_instrument({"memory_baseline_bytes": 9}, 2) == {"memory_baseline_bytes": 7}


def test_where_our_share_is_unknown_it_is_null_and_nothing_is_taken_off():
    seen = {"peak_memory_bytes": 400 * MIB, "memory_instrument_bytes": 65 * MIB}
    assert without_instrument(seen, None) == {
        "peak_memory_bytes": 400 * MIB,
        "memory_instrument_bytes": None,
    }
    assert own_bytes(Start(resident=None, modules=("json",))) is None


def test_what_a_process_has_imported_of_others():
    assert {"subprocess", "json"} <= set(at_start().modules)
    assert not [name for name in at_start().modules if name.split(".")[0] == "inferometer"]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_process_without_us_owes_us_nothing():
    """A second look at a bare interpreter, in which nothing of ours is."""
    modules = ("json", "socket", "statistics")
    command = [sys.executable, "-c", memory_layers.BARE, *modules]
    status = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    resident = next(int(line.split()[1]) for line in status.splitlines() if "VmRSS" in line) << 10
    assert own_bytes(Start(resident=resident, modules=modules)) < MIB
    assert own_bytes(Start(resident=resident + 9 * MIB, modules=modules)) == pytest.approx(
        9 * MIB, abs=MIB
    )


def test_null_where_no_interpreter_can_be_asked(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert own_bytes(Start(resident=MIB, modules=("never asked before",))) is None


def test_processes_that_did_not_peak_alike_are_a_note():
    assert peaks_apart([]) == []
    assert peaks_apart([600 * MIB]) == []
    assert peaks_apart([600 * MIB, 620 * MIB, 610 * MIB]) == []
    (note,) = peaks_apart([600 * MIB, 710 * MIB, 637 * MIB])
    assert "first of 3 processes: 600 MiB to 710 MiB" in str(note)
