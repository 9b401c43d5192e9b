"""What follows `input=` in a reference."""

from __future__ import annotations

import pytest

from inferometer.core.errors import ModelReferenceError
from inferometer.models import check
from inferometer.models.inputs.given import Given, only_shape, read_given, rejoined


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("3x224x224", [Given(shape=(3, 224, 224))]),
        ("10", [Given(shape=(10,))]),
        ("x:1x512,sr=16000", [Given(name="x", shape=(1, 512)), Given(name="sr", numbers=(16e3, 16e3))]),
        ("a:0:128:int64=0..9", [Given(name="a:0", shape=(128,), dtype="int64", numbers=(0, 9))]),
        ("h:2xbatchx64,x:3x48xsize", [Given(name="h", shape=(2, "batch", 64)), Given(name="x", shape=(3, 48, "size"))]),
        ("k:scalar:int32=-1", [Given(name="k", shape=(), dtype="int32", numbers=(-1, -1))]),
        ("3x8x8:uint8=0..255", [Given(shape=(3, 8, 8), dtype="uint8", numbers=(0, 255))]),
        ("x=-0.5..5e-1", [Given(name="x", numbers=(-0.5, 0.5))]),
        ("flag=true", [Given(name="flag", numbers=(1, 1))]),
        ("size=3", [Given(name="size", numbers=(3, 3))]),
    ],
)  # fmt: skip
def test_entries(text, said):
    assert list(read_given(text)) == said


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("x", "is not a shape; write the shape of one sample"),
        ("x:3x", "is not a shape; write"),
        ("x:float32", "is not a shape; write"),
        ("a:3,b", "is not a shape: b; write"),
        ("3,4", "gives two shapes; put NAME: before each"),
        ("x:3,x:4", "gives the input x twice"),
        ("x=high", "high in input= is neither a number nor a range of them"),
        ("x=5..1", "5..1 in input= begins after it ends"),
        ("x=1e99", "1e99 in input= is too large a number"),
        ("x:batchxbatch", "has two axes for the batch"),
        ("x:" + "1" * 10, "is too large: 16 axes of 9 digits at the most"),
    ],
)
def test_what_is_none(text, problem):
    with pytest.raises(ModelReferenceError, match=problem):
        read_given(text)


def test_other_models_take_a_shape_alone():
    assert only_shape(read_given("3x8x8")) == (3, 8, 8)
    assert only_shape(()) is None
    for text in ("x:3x8x8", "x=1", "3xsize", "3x8:int64"):
        with pytest.raises(ModelReferenceError, match="are for model files; this model takes"):
            check(f"resnet18?input={text}")


def test_commas_of_a_list_and_of_an_entry():
    assert rejoined(["m.onnx?input=x:1x512", "sr=16000", "h:2xbatchx8:float32=0..1"]) == [
        "m.onnx?input=x:1x512,sr=16000,h:2xbatchx8:float32=0..1"
    ]
    assert rejoined(["a.onnx?input=x:3", "s=1&pickle=yes", "s=2"]) == [
        "a.onnx?input=x:3,s=1&pickle=yes",
        "s=2",
    ]
    apart = ["a.onnx?input=3x8x8", "resnet18", "torchvision:vit_b_16", "u.py:f?width=2", "b.onnx"]
    assert rejoined(apart) == apart
