from __future__ import annotations

import time

import pytest

torch = pytest.importorskip("torch")

from inferometer.backends.torch import settings  # noqa: E402


@pytest.fixture
def changed():
    """What is said of a change, made by a function and undone by another."""

    def say(change, undo):
        before = settings.read()
        change()
        try:
            return settings.changes(before, settings.read())
        finally:
            undo()

    return say


def attribute(owner, name, value):
    """A change of an attribute, and what undoes it."""
    before = getattr(owner, name)
    return lambda: setattr(owner, name, value), lambda: setattr(owner, name, before)


def test_threads(changed):
    torch.set_num_threads(2)
    try:
        found = changed(lambda: torch.set_num_threads(1), lambda: torch.set_num_threads(2))
    finally:
        torch.set_num_threads(1)
    assert found == ["the model's code set the number of threads to 1; 2 were asked for"]


@pytest.mark.parametrize(
    ("change", "undo", "sentence"),
    [
        (
            lambda: torch.set_default_dtype(torch.float64),
            lambda: torch.set_default_dtype(torch.float32),
            "set the default dtype to float64; it was float32",
        ),
        (
            lambda: torch.set_default_device("meta"),
            lambda: torch.set_default_device(None),
            "set the default device to meta; it was cpu",
        ),
        (
            lambda: torch.use_deterministic_algorithms(True, warn_only=True),
            lambda: torch.use_deterministic_algorithms(False),
            "switched deterministic algorithms on",
        ),
        (
            lambda: torch.set_float32_matmul_precision("high"),
            lambda: torch.set_float32_matmul_precision("highest"),
            "set the precision of float32 matrix products to high; it was highest",
        ),
        (
            lambda: torch.set_flush_denormal(True),
            lambda: torch.set_flush_denormal(False),
            "switched the flushing of subnormal numbers to zero on",
        ),
        (
            lambda: torch.autograd.set_detect_anomaly(True),
            lambda: torch.autograd.set_detect_anomaly(False),
            "switched autograd's anomaly detection on",
        ),
        (
            lambda: torch.backends.cuda.enable_flash_sdp(False),
            lambda: torch.backends.cuda.enable_flash_sdp(True),
            "switched flash attention off",
        ),
        (
            lambda: torch.backends.mha.set_fastpath_enabled(False),
            lambda: torch.backends.mha.set_fastpath_enabled(True),
            "switched the fast path of attention layers off",
        ),
        (
            *attribute(torch.backends.cudnn, "benchmark", True),
            "switched cuDNN's search for the fastest algorithm on",
        ),
        (
            *attribute(torch.backends.cudnn, "deterministic", True),
            "switched cuDNN's deterministic algorithms on",
        ),
        (
            lambda: torch.backends.mkldnn.set_flags(_enabled=False),
            lambda: torch.backends.mkldnn.set_flags(_enabled=True),
            "switched oneDNN off",
        ),
    ],
)
def test_each_is_told_in_one_sentence(changed, change, undo, sentence):
    assert changed(change, undo) == [f"the model's code {sentence}"]


def test_autocast_that_was_left_on(changed):
    context = torch.autocast("cpu", torch.bfloat16)
    found = changed(context.__enter__, lambda: context.__exit__(None, None, None))
    assert found == ["the model's code left autocast on cpu switched on, in bfloat16"]


def test_nothing_changed():
    assert settings.changes(settings.read(), settings.read()) == []


def test_what_one_side_does_not_tell_is_no_change():
    known = settings.read()
    part = {name: value for name, value in known.items() if name != "default_dtype"}
    assert settings.changes(known, part) == settings.changes(part, known) == []


def test_a_release_without_a_setting():
    assert settings._value(torch, "backends.nowhere.at_all") is None
    assert {"threads", "default_dtype", "deterministic", "mkldnn_enabled"} <= set(settings.read())


def test_reading_is_cheap():
    settings.read()
    begin = time.perf_counter()
    for _ in range(50):
        settings.read()
    assert (time.perf_counter() - begin) / 50 < 5e-3  # about 50 µs; a loaded machine is slower
