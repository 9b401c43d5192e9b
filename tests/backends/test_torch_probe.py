"""The probe of what torch attains: how it picks the best, and that it measures something."""

from __future__ import annotations

import itertools

import pytest

from inferometer.backends.torch import probe as module
from inferometer.backends.torch.probe import Probe, _Candidate
from inferometer.backends.torch.session import TorchBackend
from inferometer.core.errors import WorkloadError
from inferometer.core.roofline import ProbePlan, Roofline

torch = pytest.importorskip("torch")

KIB, MIB = 1 << 10, 1 << 20
SHORT = ProbePlan(cache_bytes=512 * KIB, room_bytes=64 * MIB, seconds=0.05)


@pytest.fixture(scope="module")
def roofline():
    return TorchBackend().probe(device="cpu", precision="fp32", threads=1, plan=SHORT)


class Clock:
    """Time that passes only in calls."""

    def __init__(self, monkeypatch):
        self.now_s = 100.0
        monkeypatch.setattr(module.time, "perf_counter", lambda: self.now_s)
        monkeypatch.setattr(module.time, "process_time", lambda: self.now_s / 2)

    def candidate(self, what, amount, *takes_s):
        durations = itertools.cycle(takes_s)

        def call():
            self.now_s += next(durations)

        return _Candidate(what=what, amount=amount, call=call)


def probe(seconds=1.0, **more):
    plan = ProbePlan(**{"cache_bytes": MIB, "room_bytes": 64 * MIB, **more}, seconds=seconds)
    return Probe(device="cpu", wait=None, plan=plan)


def test_the_best_repetition_of_the_best_candidate_counts(monkeypatch):
    clock = Clock(monkeypatch)
    found = probe()._attained(
        "flops",
        iter(
            [
                clock.candidate("small", 100, 0.001),
                clock.candidate("disturbed", 300, 0.002, 0.004, 0.004, 0.004),
                clock.candidate("slow", 100, 0.002),
            ]
        ),
    )
    assert found.what == "disturbed"
    assert found.best == pytest.approx(150_000)
    assert found.median == pytest.approx(75_000)
    assert found.repeats >= module.LEAST_REPEATS


def test_the_share_of_the_processor_is_that_of_the_repetitions(monkeypatch):
    clock = Clock(monkeypatch)
    one = probe()
    one._attained("flops", iter([clock.candidate("any", 100, 0.001)]))
    assert one.processor_s / one.wall_s == pytest.approx(0.5)


def test_more_threads_than_processors_are_no_other_programs(monkeypatch):
    monkeypatch.setattr(module, "logical_cores", lambda: 2)
    one = probe()
    one.wall_s, one.processor_s = 2.0, 3.9
    assert one._granted(2) == pytest.approx(0.975)
    assert one._granted(8) is None
    assert Probe(device="cuda", wait=None, plan=SHORT)._granted(2) is None


def test_what_would_take_too_long_is_left_out(monkeypatch):
    clock = Clock(monkeypatch)
    never = clock.candidate("never", 1e9, 1000.0)
    found = probe()._attained("flops", iter([clock.candidate("quick", 100, 0.001), never]))
    assert found.what == "quick"
    assert not never.rates
    assert clock.now_s < 101


def test_one_slow_call_is_repeated_as_often_as_it_must_be(monkeypatch):
    clock = Clock(monkeypatch)
    found = probe()._attained("flops", iter([clock.candidate("slow", 100, 2.0)]))
    assert found.best == pytest.approx(50)
    assert found.repeats == module.LEAST_REPEATS


@pytest.mark.parametrize(
    ("cache", "room", "size"),
    [
        (8 * MIB, 1 << 30, 32 * MIB),
        (MIB, 1 << 30, 16 * MIB),  # a cache that the kernel does not show may be behind it
        (None, 1 << 30, 64 * MIB),
        (384 * MIB, 1 << 40, 512 * MIB),
        (8 * MIB, 60 * MIB, 20 * MIB),
    ],
)
def test_arrays_are_larger_than_the_caches(cache, room, size):
    assert probe(cache_bytes=cache, room_bytes=room)._array_bytes() == size


def test_without_room_there_is_no_bandwidth_of_memory():
    with pytest.raises(WorkloadError, match="MiB do not hold find no room") as no:
        probe(cache_bytes=8 * MIB, room_bytes=9 * MIB)._array_bytes()
    assert no.value.kind == "out_of_memory"


def test_matrices_that_find_no_room_are_left_out():
    sides = [one.what for one in probe(room_bytes=13 * MIB)._arithmetic(torch.float32)]
    assert "matrix product 1024x1024" in sides
    assert "matrix product 2048x2048" not in sides


def test_it_measures_something(roofline):
    assert (roofline.device, roofline.precision, roofline.threads) == ("cpu", "fp32", 1)
    assert roofline.cache_bytes == SHORT.cache_bytes
    for part in (roofline.flops, roofline.memory, roofline.cache):
        assert 0 < part.median <= part.best
        assert part.repeats >= module.LEAST_REPEATS
    assert 0 < roofline.granted < 1.2
    assert 1e8 < roofline.flops.best < 1e15
    assert 1e8 < roofline.memory.best < 1e14
    assert 1e-8 < roofline.dispatch_s < 1e-3


def test_a_roofline_goes_through_json(roofline):
    assert Roofline.from_json(roofline.to_json()) == roofline
    old = roofline.to_json() | {"cache": None}
    del old["cache_bytes"], old["granted"]
    assert Roofline.from_json(old).cache_bytes is None


def test_half_precisions_move_the_same_bytes_as_single_ones(monkeypatch):
    """Converting elements would limit them, and a model's weights move faster."""
    moved = []

    def transfers(arrays, sizes):
        moved.extend(arrays)
        return made(arrays, sizes)

    made = module._transfers
    monkeypatch.setattr(module, "_transfers", transfers)
    found = TorchBackend().probe(device="cpu", precision="bf16", threads=1, plan=SHORT)
    assert found.precision == "bf16"
    assert {array.dtype for array in moved} == {torch.float32}


def test_every_byte_that_is_read_or_written_counts():
    arrays = [torch.full((1000,), float(value)) for value in (0, 3, 4)]
    triad, total = module._transfers(arrays, [4000])
    triad.call()
    assert arrays[0].tolist() == [5.0] * 1000
    assert triad.amount == 3 * 4000
    assert float(total.call()) == 3000
    assert total.amount == 4000


def test_operations_of_the_arithmetic_are_those_of_torchs_own_counter():
    from torch.utils.flop_counter import FlopCounterMode

    for one in probe(room_bytes=13 * MIB)._arithmetic(torch.float32):
        with FlopCounterMode(display=False) as counter:
            one.call()
        assert counter.get_total_flops() == one.amount


@pytest.mark.parametrize(("precision", "device"), [("int4", "cpu"), ("fp32", "nowhere")])
def test_what_torch_cannot_do_is_said(precision, device):
    with pytest.raises(WorkloadError) as no:
        TorchBackend().probe(device=device, precision=precision, threads=1, plan=SHORT)
    assert no.value.kind == "unsupported"


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_an_accelerator_is_waited_for(precision):
    if not torch.cuda.is_available():
        pytest.skip("no cuda here")
    plan = ProbePlan(cache_bytes=None, room_bytes=2 << 30)
    found = TorchBackend().probe(device="cuda", precision=precision, threads=1, plan=plan)
    assert found.memory.best < 2e13  # calls that only start would seem faster than any memory
    assert found.flops.best < 5e15
    assert found.dispatch_s < 1e-3
    assert found.cache_bytes  # the device tells its own
