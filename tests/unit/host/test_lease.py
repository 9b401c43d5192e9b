"""The lease of a board: one holder, who is named, and whose death ends it."""

from __future__ import annotations

import os
import stat
import subprocess
import sys

import pytest

from inferometer.core.errors import FleetError
from inferometer.host import lease
from inferometer.host.lease import (
    Holder,
    LeaseHeldError,
    held_words,
    holder_now,
    holding,
    lease_path,
    take,
)

ADA = Holder(user="ada", host="desk", job="0a1b2c3d")


@pytest.fixture
def file(tmp_path):
    return tmp_path / "lease"


def test_nobody_holds_a_lease_that_was_never_taken(file):
    assert holder_now(file) is None
    assert not file.exists()


def test_the_second_is_told_who_holds_it(file):
    descriptor = take(ADA, file)
    with pytest.raises(LeaseHeldError, match="ada from desk measures here since 20") as caught:
        take(Holder(user="ben", host="lab"), file, wait_s=0.0)
    assert (caught.value.holder.user, caught.value.holder.job) == ("ada", "0a1b2c3d")
    assert holder_now(file).host == "desk"
    os.close(descriptor)
    assert holder_now(file) is None
    os.close(take(Holder(user="ben", host="lab"), file, wait_s=0.0))


def test_it_ends_with_the_block_that_holds_it(file):
    with holding(ADA, file):
        assert holder_now(file).user == "ada"
    assert holder_now(file) is None


def test_it_dies_with_the_process_that_inherited_it(file):
    descriptor = take(ADA, file)
    code = "import sys; print(flush=True); sys.stdin.read()"
    child = subprocess.Popen(
        [sys.executable, "-S", "-c", code],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=(descriptor,),
    )  # fmt: skip
    child.stdout.readline()
    os.close(descriptor)
    assert holder_now(file).user == "ada"
    child.kill()
    child.communicate()
    assert holder_now(file) is None


def test_other_programs_do_not_inherit_it(file):
    descriptor = take(ADA, file)
    assert not os.get_inheritable(descriptor)
    os.close(descriptor)


def test_looking_does_not_take_it(file):
    descriptor = take(ADA, file)
    assert holder_now(file).user == "ada"
    assert holder_now(file).user == "ada"
    os.close(descriptor)


def test_everybody_may_use_the_file(file):
    os.close(take(ADA, file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o666


@pytest.mark.parametrize(
    "content", [b"", b"not json", b"[1]", b'{"user": 5}', b"\xff\xfe", b"[" * 5000, b"x" * 99999]
)
def test_what_the_file_says_is_not_believed(file, content):
    file.write_bytes(content)
    descriptor = os.open(file, os.O_RDWR)
    lease.fcntl.flock(descriptor, lease.fcntl.LOCK_EX)
    found = holder_now(file)
    assert isinstance(found.user, str)
    assert "measures here" in held_words(found)
    os.close(descriptor)


def test_a_hostile_holder_is_shown_without_its_tricks():
    said = held_words(Holder(user="\x1b[2Jx", host="\u202ey", since=1e308, job="<script>" * 99))
    assert "\x1b" not in said
    assert "\u202e" not in said
    assert len(said) < 300


def test_a_link_or_a_folder_is_no_lease(file, tmp_path):
    (tmp_path / "elsewhere").write_text("mine")
    file.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FleetError, match="the lease of this board cannot be used"):
        take(ADA, file)
    assert (tmp_path / "elsewhere").read_text() == "mine"
    with pytest.raises(FleetError, match="cannot be used"):
        take(ADA, tmp_path)


def test_the_file_can_be_named(monkeypatch):
    monkeypatch.setenv(lease.VARIABLE, "/x/y")
    assert str(lease_path()) == "/x/y"
    monkeypatch.delenv(lease.VARIABLE)
    assert lease_path().name == "inferometer.lease"
