from __future__ import annotations

import gc
import os
from dataclasses import replace

import pytest

from inferometer.host import settings

PLAIN = settings.HostSettings(
    environment={"OMP_NUM_THREADS": "2", "HF_TOKEN": "s3cret", "HOME": "/home/ada"},
    folder="/home/ada",
    cpus=(0, 1, 2, 3, 8),
    niceness=0,
    collects_garbage=True,
    is_traced=False,
)


def after(**changed):
    return settings.changes(PLAIN, replace(PLAIN, **changed))


def environment(**changed):
    both = {**PLAIN.environment, **changed}
    return after(environment={name: value for name, value in both.items() if value is not None})


def test_nothing_changed():
    assert after() == []


class TestEnvironment:
    def test_values_that_may_be_secrets_are_not_shown(self):
        (sentence,) = environment(HF_TOKEN="other", AWS_KEY="x", HOME=None)
        assert sentence == (
            "the model's code changed environment variables: AWS_KEY, HF_TOKEN, HOME"
        )
        assert "s3cret" not in repr(PLAIN)

    def test_threads_and_backends_are_shown(self):
        assert environment(OMP_NUM_THREADS="1", CUDA_VISIBLE_DEVICES="") == [
            "the model's code set CUDA_VISIBLE_DEVICES to ",
            "the model's code set OMP_NUM_THREADS to 1; it was 2",
        ]
        assert environment(OMP_NUM_THREADS=None) == ["the model's code unset OMP_NUM_THREADS"]

    def test_long_values_are_cut(self):
        (sentence,) = environment(MKL_VERBOSE="a\n" * 100)
        assert len(sentence) < 110
        assert sentence.endswith("…")

    def test_many_names_are_cut(self):
        (sentence,) = environment(**{f"NAME_{number}": "1" for number in range(10)})
        assert sentence.endswith(
            ": NAME_0, NAME_1, NAME_2, NAME_3, NAME_4, NAME_5, NAME_6, NAME_7 and 2 more"
        )

    def test_what_compilers_set_for_themselves(self):
        assert environment(TORCHINDUCTOR_CACHE_DIR="/tmp/x") == []


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"folder": "/"}, "set the current folder to /; it was /home/ada"),
        ({"folder": None}, "removed the current folder, /home/ada"),
        ({"cpus": (1,)}, "set the CPUs that it may run on to 1; they were 0-3,8"),
        ({"niceness": 5}, "set its niceness to 5; it was 0"),
        ({"is_traced": True}, "switched the tracing of Python's steps on"),
        ({"collects_garbage": False}, "switched Python's garbage collection off"),
    ],
)
def test_other_settings(changed, sentence):
    assert after(**changed) == [f"the model's code {sentence}"]


def test_what_a_system_does_not_tell_is_no_change():
    assert after(cpus=None, niceness=None) == []


class TestThisProcess:
    def test_each_is_read(self, monkeypatch, tmp_path):
        before = settings.read()
        monkeypatch.setenv("OMP_NUM_THREADS", "77")
        monkeypatch.chdir(tmp_path)
        gc.disable()
        try:
            found = settings.changes(before, settings.read())
        finally:
            gc.enable()
        assert [word for word in ("OMP", "folder", "garbage") if word in " ".join(found)] == [
            "OMP",
            "folder",
            "garbage",
        ]
        assert len(found) == 3

    @pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system keeps none")
    def test_the_cpus(self):
        before, cpus = settings.read(), os.sched_getaffinity(0)
        if len(cpus) < 2:
            pytest.skip("a single CPU")
        try:
            os.sched_setaffinity(0, {min(cpus)})
            (found,) = settings.changes(before, settings.read())
        finally:
            os.sched_setaffinity(0, cpus)
        assert f"may run on to {min(cpus)}; they were" in found

    def test_a_folder_that_is_gone(self, monkeypatch, tmp_path):
        gone = tmp_path / "gone"
        gone.mkdir()
        monkeypatch.chdir(gone)
        gone.rmdir()
        assert settings.read().folder is None
