"""References and paths that no model has: one sentence each, and nothing raw on the terminal."""

from __future__ import annotations

import os

import pytest

from inferometer.core.errors import InputError, WorkloadError
from inferometer.models import check, load

LONG = "a" * 5000
NAMES = [
    "~nosuch/x.pt",
    "~nosuch/x.py:build",
    "hub:~nosuch/x:entry",
    "transformers:~nosuch/x",
    "unet?weights=~nosuch/x.pt",
    f"{'a' * 300}.pt",
    f"{'a' * 300}.py:build",
    f"unet?weights={'a' * 300}",
    f"hub:./{'a' * 300}:entry",
    f"transformers:./{'a' * 300}",
    f"{LONG}",
    f"{LONG}.pt",
    f"{LONG}:x",
    f"./{LONG}/x.py",
    f"unet?{LONG}=1",
    f"unet?{LONG}",
    f"unet?input={'9' * 5000}",
    "unet?input=99999999999999999999",
    "a\0b.pt",
    "unet?weights=a\0b",
    "a\0b.py:build",
    "hub:a\0b/:x",
    "\udcff.pt",
    "\ud800.pt",
    "unet?weights=\ud800",
    "\x1b[2J.pt",
    "\x1b[31m",
    "\u202egnp.pt",
    "x\u202e:y",
    "unet?weights=\x1b]0;title\x07",
    "hub:\x1b[2J/:x",
    "timm?\x1b",
    "/dev/zero",
    "/dev/stdin.pt",
    "unet?weights=/dev/zero",
    "/",
    "./x.onnx?\x1b=1",
]


@pytest.mark.parametrize("reference", NAMES, ids=range(len(NAMES)))
def test_one_sentence(reference, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        check(reference)
    said = str(caught.value)
    assert said.isprintable()
    assert len(said) < 900


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for form in ("{}", "{}.pt", "unet?weights={}", "{}.py:build"):
        path = tmp_path / "pipe"
        name = form.format(path)
        for suffix in (".pt", ".py"):
            if suffix in form and not (tmp_path / f"pipe{suffix}").exists():
                os.mkfifo(tmp_path / f"pipe{suffix}")
        with pytest.raises(InputError, match="not an ordinary file"):
            check(name)


def test_a_name_in_a_file_is_shown_escaped(tmp_path):
    torch = pytest.importorskip("torch")
    torch.save({"\x1b[2J\u202e": torch.zeros(1)}, tmp_path / "\x1b[31m.pt")
    for reference in (f"{tmp_path}/\x1b[31m.pt", f"unet?weights={tmp_path}/\x1b[31m.pt"):
        with pytest.raises(WorkloadError) as caught:
            load(reference, seed=0)
        assert str(caught.value).isprintable()
