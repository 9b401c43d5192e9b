from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.store.rows import pack, unpack

numbers = st.lists(st.floats(allow_nan=True, allow_infinity=True, width=64))


def bits(values):
    return [struct.pack("<d", value) for value in values]


@given(numbers)
def test_numbers_come_back_to_the_last_bit(values):
    assert bits(unpack(pack(values))) == bits(values)


@given(numbers)
def test_numbers_are_little_endian_doubles_on_every_machine(values):
    assert pack(values) == b"".join(bits(values))


def test_a_blob_that_was_cut_is_refused():
    with pytest.raises(ValueError):
        unpack(b"\0" * 12)
