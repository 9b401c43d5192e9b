"""Figures in few bytes: they come back, and what is no such blob is refused."""

from __future__ import annotations

import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.core.record import FIELDS
from inferometer.store.compact import DICTIONARY, compacted, expanded

LONGEST = 10_000
CELLS = st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text()


@given(st.dictionaries(st.sampled_from(sorted(FIELDS)) | st.text(), CELLS, max_size=20))
def test_figures_come_back_as_they_were(figures):
    text = expanded(compacted(figures), 1 << 20)
    assert json.loads(text) == figures


def test_the_dictionary_never_changes():
    """Stored figures cannot be read with another; a new one must stand beside it."""
    assert zlib.adler32(DICTIONARY) == 0x6BF29C85


def test_a_record_that_is_half_unknown_has_a_fraction_of_its_text():
    figures = {name: 1 / (3 + n) if n % 2 else None for n, name in enumerate(FIELDS)}
    assert len(compacted(figures)) < len(json.dumps(figures)) / 3


def test_text_of_an_earlier_version_stays_as_it_is():
    assert expanded('{"macs": 1}', LONGEST) == '{"macs": 1}'


@pytest.mark.parametrize(
    "cell",
    [
        b"",
        b"{}",
        compacted({"macs": 1})[:-1],
        compacted({"macs": 1}) + b"x",
        zlib.compress(b"{}")[:-2],
        compacted({"notes": "x" * LONGEST}),
    ],
)
def test_a_blob_that_is_none_of_ours_or_far_too_long_is_refused(cell):
    with pytest.raises(ValueError, match="a blob that"):
        expanded(cell, LONGEST)


@pytest.mark.parametrize("at", range(0, 40, 3))
def test_a_bit_that_flipped_is_noticed(at):
    cell = bytearray(compacted(dict.fromkeys(sorted(FIELDS)[:30], 1.5)))
    cell[at] ^= 1
    with pytest.raises(ValueError, match="a blob that"):
        expanded(bytes(cell), LONGEST)
