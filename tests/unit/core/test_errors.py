from __future__ import annotations

import pytest

from inferometer.core.errors import WorkloadError, in_one_line, is_out_of_memory
from inferometer.models.failures import building


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("std::bad_alloc"),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("[enforce fail at alloc.cpp] DefaultCPUAllocator: not enough memory"),
        OSError(12, "Cannot allocate memory"),
    ],
)
def test_running_out_of_memory_is_known_and_is_no_fault_of_a_model(error):
    assert is_out_of_memory(error)
    with pytest.raises(type(error)), building("a model"):
        raise error


@pytest.mark.parametrize("error", [RuntimeError("boom"), ValueError("memory_format"), KeyError(1)])
def test_other_errors_are_not_taken_for_it(error):
    assert not is_out_of_memory(error)
    with pytest.raises(WorkloadError), building("a model"):
        raise error


def test_an_error_in_one_line_has_its_type_and_fits():
    assert in_one_line(ValueError("a\n  b")) == "ValueError: a b"
    assert in_one_line(KeyboardInterrupt()) == "KeyboardInterrupt"
    assert in_one_line(ValueError("x" * 50), longest=10) == "ValueError: " + "x" * 9 + "…"
