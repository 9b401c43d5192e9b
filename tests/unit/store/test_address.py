"""Addresses of stores: what they are, and that nothing shows their password."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.core.errors import StoreError
from inferometer.store.address import Address, place_from


@pytest.mark.parametrize(
    "name", ["x.db", "C:x", "a/b://c", "50%20 a?mode=ro#x é.db", "postgresql:/x", "://x"]
)
def test_what_is_no_address_is_a_file(name):
    assert place_from(name) == Path(name)


@pytest.mark.parametrize("scheme", ["mysql", "sqlite", "http", "postgresql+psycopg"])
def test_an_address_of_something_else_is_refused_without_its_rest(scheme):
    with pytest.raises(StoreError, match=r"PostgreSQL: postgresql://USER@HOST") as caught:
        place_from(f"{scheme}://me:s3cret@host/x")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql://", "postgresql://"),
        ("postgres:///lab", "postgres:///lab"),
        ("postgresql://me@host:5433/lab", "postgresql://me@host:5433/lab"),
        ("postgresql://me:s3cret@host/lab", "postgresql://me@host/lab"),
        ("postgresql://me:s3cret@a:1,b:2/lab", "postgresql://me@a:1,b:2/lab"),
        ("postgresql://me@[::1]:5432/lab", "postgresql://me@[::1]:5432/lab"),
        ("postgresql:///lab?host=/tmp/x", "postgresql:///lab?host=/tmp/x"),
        ("postgresql://h/d?password=s3cret&sslmode=require", "postgresql://h/d?sslmode=require"),
        ("postgresql://h/d?p%61ssword=s3cret", "postgresql://h/d"),
        ("postgresql://me:s3/cret@host/lab", "postgresql://…"),
        ("postgresql://me:s3?cret@host/lab", "postgresql://…"),
        ("postgresql://me:s3@cret@host/lab", "postgresql://…"),
        ("postgresql://host/lab?password=s3@cret", "postgresql://…"),
    ],
)
def test_it_is_shown_without_its_password(url, told):
    assert str(place_from(url)) == told
    assert "cret" not in repr(place_from(url))


@given(st.text(max_size=30), st.text(max_size=30), st.booleans())
def test_no_password_is_ever_shown(before, after, escaped):
    password = f"{before}s3cret{after}"
    kept = quote(password, safe="") if escaped else password
    assert "s3cret" not in str(Address(f"postgresql://me:{kept}@host/lab"))
    if escaped:
        assert str(Address(f"postgresql://me:{kept}@host/lab")) == "postgresql://me@host/lab"
