"""Folders that took time to make: made once, whole or not at all, and checked when they are used."""

from __future__ import annotations

import json
import os
import signal
import threading

import pytest

from inferometer.host.artifacts import MANIFEST, ArtifactCache, read_kept


@pytest.fixture
def cache(tmp_path):
    return ArtifactCache(tmp_path / "artifacts")


class Maker:
    """Writes a file, and counts how often it was asked."""

    def __init__(self, text="weights", said=None):
        self.text, self.said, self.times = text, said or {"format": "ONNX"}, 0

    def __call__(self, into):
        assert list(into.iterdir()) == []
        self.times += 1
        (into / "model.onnx").write_text(self.text)
        (into / "deep").mkdir()
        (into / "deep" / "data.bin").write_bytes(b"x" * 100)
        return self.said


def test_what_was_made_is_found(cache):
    make = Maker()
    first, second = cache.obtain("a", make), cache.obtain("a", make)
    assert (first.made, second.made, make.times) == (True, False, 1)
    assert first.path == second.path
    assert second.said == {"format": "ONNX"}
    assert second.size_bytes == len("weights") + 100
    assert cache.obtain("b", make).made


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: (path / "model.onnx").write_text("w3ights"),
        lambda path: (path / "model.onnx").unlink(),
        lambda path: (path / "deep" / "data.bin").write_bytes(b""),
        lambda path: (path / MANIFEST).write_text("{"),
        lambda path: (path / MANIFEST).write_text("[]"),
        lambda path: (path / MANIFEST).write_text(json.dumps({"files": {}, "said": 5})),
        lambda path: (path / MANIFEST).write_bytes(b"\xff\xfe"),
        lambda path: (path / MANIFEST).unlink(),
    ],
)
def test_what_was_changed_is_made_anew(cache, damage):
    make = Maker()
    path = cache.obtain("a", make).path
    damage(path)
    assert read_kept(path) is None
    again = cache.obtain("a", make)
    assert (again.made, make.times) == (True, 2)
    assert (path / "model.onnx").read_text() == "weights"


def test_what_fails_leaves_nothing(cache):
    def fails(into):
        (into / "half").write_text("x")
        raise ValueError("no operator")

    with pytest.raises(ValueError, match="no operator"):
        cache.obtain("a", fails)
    assert cache.entries() == []
    assert [one.name for one in cache.folder.iterdir()] == ["locks"]
    assert cache.obtain("a", Maker()).made


def test_two_that_want_the_same_make_it_once(cache):
    begun, go = threading.Event(), threading.Event()
    make = Maker()

    def slowly(into):
        begun.set()
        assert go.wait(30)
        return make(into)

    found = []
    first = threading.Thread(target=lambda: found.append(cache.obtain("a", slowly)))
    first.start()
    assert begun.wait(30)
    second = threading.Thread(target=lambda: found.append(cache.obtain("a", make)))
    second.start()
    assert cache.obtain("b", Maker()).made  # another one does not wait
    go.set()
    first.join(30)
    second.join(30)
    assert sorted(one.made for one in found) == [False, True]
    assert make.times == 1


def test_what_was_killed_while_it_was_made_is_made_anew(cache):
    cache.obtain("other", Maker())
    child = os.fork()
    if child == 0:

        def dies(into):
            (into / "half").write_text("x")
            os.kill(os.getpid(), signal.SIGKILL)

        cache.obtain("a", dies)
    os.waitpid(child, 0)
    assert cache.obtain("a", Maker()).made
    left = [one for one in cache.folder.iterdir() if one.name.startswith(".making-")]
    assert len(left) == 1
    os.utime(left[0], (0, 0))
    cache.shrink(10**9)
    assert not left[0].exists()


def test_what_was_used_longest_ago_goes_first(cache):
    for number, key in enumerate("abc"):
        path = cache.obtain(key, Maker()).path
        os.utime(path / MANIFEST, (number, number))
    cache.obtain("a", Maker())  # used now
    assert [one.path.name for one in cache.entries()] == ["b", "c", "a"]
    assert [one.path.name for one in cache.shrink(250)] == ["b"]
    assert [one.path.name for one in cache.shrink(0)] == ["c", "a"]
    assert cache.entries() == []


def test_what_is_in_use_stays(cache):
    cache.obtain("a", Maker())
    with cache._locked("a"):
        assert cache.shrink(0) == []
    assert [one.path.name for one in cache.shrink(0)] == ["a"]


def test_strange_things_in_the_folder_are_left_alone(cache):
    cache.obtain("a", Maker())
    (cache.folder / "notes.txt").write_text("mine")
    (cache.folder / "odd").mkdir()
    (cache.folder / "odd" / MANIFEST).write_text("[]")
    assert [one.path.name for one in cache.entries()] == ["a"]
    cache.shrink(0)
    assert (cache.folder / "notes.txt").read_text() == "mine"


def test_a_folder_that_cannot_be_is_an_error_of_the_system(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError):
        ArtifactCache(tmp_path / "file" / "artifacts").obtain("a", Maker())


def test_an_empty_cache_is_empty(tmp_path):
    cache = ArtifactCache(tmp_path / "nothing")
    assert cache.entries() == []
    assert cache.shrink(0) == []
    assert not (tmp_path / "nothing").exists()
