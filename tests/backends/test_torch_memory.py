"""Memory of an accelerator: against a stand-in here, against torch's allocator where there is one."""

from __future__ import annotations

import pytest

from inferometer.backends.torch.memory import CudaMemory, MpsMemory

torch = pytest.importorskip("torch")
MIB = 1 << 20


class FakeAllocator:
    """Stands for `torch.cuda`: a mark that can be reset, and blocks that are kept."""

    def __init__(self):
        self.allocated = self.mark = self.reserved = 0
        self.waited = 0

    def take(self, size):
        self.allocated += size
        self.mark = max(self.mark, self.allocated)
        self.reserved = max(self.reserved, self.allocated)

    def synchronize(self, device=None):
        self.waited += 1

    def empty_cache(self):
        self.reserved = self.allocated

    def reset_peak_memory_stats(self, device):
        self.mark = self.allocated

    def max_memory_allocated(self, device):
        return self.mark

    def max_memory_reserved(self, device):
        return self.reserved

    def driver_allocated_memory(self):
        return self.reserved


def test_the_mark_of_an_earlier_shape_is_not_this_ones():
    cuda = FakeAllocator()
    cuda.take(100 * MIB)
    cuda.take(900 * MIB)
    cuda.take(-900 * MIB)
    meter = CudaMemory(cuda, "cuda:0")
    meter.begin()
    cuda.take(64 * MIB)
    cuda.take(-64 * MIB)
    assert meter.end() == {
        "device_memory_bytes": 164 * MIB,
        "memory_counter": "torch.cuda.max_memory_allocated (164 MiB reserved)",
    }
    assert cuda.waited == 2


def test_metal_tells_what_its_driver_gave():
    mps = FakeAllocator()
    meter = MpsMemory(mps)
    meter.begin()
    mps.take(32 * MIB)
    found = meter.end()
    assert found["device_memory_bytes"] == 32 * MIB
    assert "at the end" in found["memory_counter"]


def test_the_processor_has_no_memory_of_its_own():
    from inferometer.backends.torch.session import TorchBackend

    session, _ = TorchBackend().adopt(torch.nn.Linear(1, 1))
    assert session.device_memory() is None


@pytest.mark.gpu
@pytest.mark.parametrize("mib", [64, 256])
def test_tensors_of_a_known_size_are_seen(mib):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    meter = CudaMemory(torch.cuda, "cuda")
    meter.begin()
    before = meter.end()["device_memory_bytes"]
    meter.begin()
    block = torch.ones(mib << 18, device="cuda")
    del block
    assert meter.end()["device_memory_bytes"] - before == pytest.approx(mib * MIB, rel=0.05)
