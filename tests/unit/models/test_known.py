"""The known workloads keep honest accounts of themselves."""

from __future__ import annotations

import time
import tracemalloc

import pytest

from inferometer.models.cost import count_parameters
from inferometer.models.zoo import known


@pytest.fixture
def path(tmp_path):
    return tmp_path / "account"


def test_every_call_is_written_down_with_its_beginning_and_its_end(path):
    call = known.spin(0.0002, str(path))
    before, begin = time.time(), time.perf_counter_ns()
    for _ in range(7):
        call()
    end, after = time.perf_counter_ns(), time.time()
    account = known.read_account(path)
    assert account.count == len(account.calls) == 7
    instants = [instant for one in account.calls[:-1] for instant in (one.start_ns, one.end_ns)]
    assert instants == sorted(instants)
    assert begin <= instants[0] <= instants[-1] <= end
    assert all(before <= one.at_s <= after for one in account.calls)
    assert account.calls[-1].elapsed_s is None


def test_no_call_ends_before_its_deadline(path):
    call = known.spin(0.0003, str(path))
    for _ in range(20):
        call()
    elapsed_s = [one.elapsed_s for one in known.read_account(path).calls[:-1]]
    assert min(elapsed_s) >= 0.0003


def test_the_calls_of_the_bare_loop_are_not_in_the_account(path):
    known.spin(0.0001, str(path))
    account = known.read_account(path)
    assert account.count == 0
    assert account.calls == ()
    assert account.bare_gap_s > 0


def test_calls_past_the_end_of_the_account_are_still_counted(path, monkeypatch):
    monkeypatch.setattr(known, "MAX_CALLS", 30)
    call = known.spin(0.01, str(path))
    for _ in range(33):
        call()
    account = known.read_account(path)
    assert account.count == 33
    assert len(account.calls) == 30
    assert account.calls[-1].elapsed_s is not None


def test_a_missing_account_is_an_error(path):
    with pytest.raises(OSError, match="account"):
        known.read_account(path)


@pytest.mark.parametrize("mib", [0, 8])
def test_a_call_takes_what_it_says_and_gives_it_back(mib):
    call = known.memory(mib)
    tracemalloc.start()
    try:
        call()
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert mib << 20 <= peak < (mib << 20) + 100_000
    assert kept < 100_000


def test_the_arithmetic_of_the_network_is_that_of_torch():
    pytest.importorskip("torch")
    network = known.network()
    assert count_parameters(network).parameters == known.NETWORK_PARAMETERS == 65 * 32 + 33 * 16
    assert known.NETWORK_MACS == 64 * 32 + 32 * 16
