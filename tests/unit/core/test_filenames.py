"""Files that the user names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from inferometer.core.filenames import (
    MIB,
    FileProblemError,
    check_file,
    expanded,
    read_file,
    write_whole,
)
from inferometer.core.shown import shown, visible

LONG = "n" * 300


def refused(path: Path | str) -> str:
    with pytest.raises(FileProblemError) as read:
        read_file(path, at_most=MIB)
    with pytest.raises(FileProblemError) as checked:
        check_file(path, at_most=MIB)
    assert str(read.value) == str(checked.value)
    assert "\n" not in str(read.value)
    return read.value.reason


def test_an_ordinary_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"content")
    assert read_file(file, at_most=7) == b"content"
    assert check_file(file, at_most=7).st_size == 7


def test_what_is_no_ordinary_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "to-pipe").symlink_to(tmp_path / "pipe")
    (tmp_path / "file").write_bytes(b"")
    assert refused(tmp_path) == "a folder, not a file"
    assert refused(tmp_path / "pipe") == refused(tmp_path / "to-pipe")
    assert refused("/dev/zero") == "not an ordinary file; copy its content into one"
    assert refused(tmp_path / "none") == "there is no such file"
    assert "symbolic links" in refused(tmp_path / "loop")
    assert refused(tmp_path / "file" / "below") == "not a directory"
    assert refused(tmp_path / LONG) == "file name too long"
    assert "null" in refused("a\0b")


@pytest.mark.parametrize("file", ["/proc/kmsg", "/proc/self/status", "/proc/uptime"])
def test_files_of_the_kernel_are_refused(file: str) -> None:
    if not os.access(file, os.R_OK):
        pytest.skip("no such file of the kernel")
    assert refused(file).startswith("a file without a size, such as those of the kernel")


def test_files_of_the_kernel_whose_size_is_told_are_read() -> None:
    file = Path("/sys/devices/system/cpu/online")
    if not os.access(file, os.R_OK):
        pytest.skip("no such file of the kernel")
    assert read_file(file, at_most=MIB) == file.read_bytes()


def test_an_empty_file_is_read_as_one(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert read_file(tmp_path / "empty", at_most=1) == b""
    assert check_file(tmp_path / "empty").st_size == 0


def test_a_large_file_is_refused_unread(tmp_path: Path) -> None:
    file = tmp_path / "sparse"
    with file.open("wb") as stream:
        stream.truncate(1 << 40)
    assert refused(file) == "larger than 1.00 MiB, the most that such a file may be"


@pytest.mark.parametrize("name", ["~nosuchuser/x.pt", "~nosuchuser"])
def test_homes_that_do_not_exist(name: str) -> None:
    with pytest.raises(FileProblemError, match="no home folder for ~nosuchuser"):
        expanded(name)
    with pytest.raises(FileProblemError, match="no home folder for ~nosuchuser"):
        write_whole(b"", name)


def test_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/somewhere")
    assert expanded("~/x") == Path("/somewhere/x")


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    write_whole(b"first", tmp_path / "file")
    write_whole(b"second", tmp_path / "file")
    (tmp_path / "link").symlink_to("file")
    write_whole(b"third", tmp_path / "link")
    write_whole(b"long", tmp_path / ("n" * 255))
    assert (tmp_path / "file").read_bytes() == b"third"
    assert (tmp_path / "link").is_symlink()
    assert {path.name[:4] for path in tmp_path.iterdir()} == {"file", "link", "nnnn"}


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_whole(b"content", pipe)
    assert os.read(reader, 100) == b"content"
    os.close(reader)
    assert list(tmp_path.iterdir()) == [pipe]


@pytest.mark.parametrize("name", ["", ".", "none/file", "file/below", LONG, "loop", "a\0b", "fo"])
def test_what_cannot_be_written_is_one_sentence(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_bytes(b"kept")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "fo").mkdir()
    with pytest.raises(FileProblemError, match="it cannot be written: "):
        write_whole(b"new", name)
    assert (tmp_path / "file").read_bytes() == b"kept"
    assert {path.name for path in tmp_path.iterdir()} == {"file", "loop", "fo"}


def test_a_folder_that_takes_no_files_is_named_as_the_reason(tmp_path: Path) -> None:
    with pytest.raises(FileProblemError, match="its folder does not exist, or takes no files"):
        write_whole(b"content", tmp_path / "none" / "file")


def test_a_full_device_is_one_sentence() -> None:
    with pytest.raises(FileProblemError, match="no space left"):
        write_whole(b"content", "/dev/full")


def test_text_that_moves_the_cursor_is_escaped() -> None:
    assert visible("a\x1b[31mb\u202ec\udcffd") == r"a\x1b[31mb\u202ec\udcffd"
    assert visible("a\nb\u2028", keep="\n") == "a\nb\\u2028"
    assert (
        visible("größe 模型 \u200d 5\N{NO-BREAK SPACE}µs")
        == "größe 模型 \u200d 5\N{NO-BREAK SPACE}µs"
    )


def test_long_names_are_shortened_in_the_middle() -> None:
    text = shown("a" * 3000 + "b" * 2000)
    assert len(text) == 200
    assert text.startswith("aaa")
    assert text.endswith("bbb")
    assert "…" in text
