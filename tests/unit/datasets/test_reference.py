from __future__ import annotations

import pytest

from inferometer.core.errors import InputError
from inferometer.core.preprocessing import Preprocessing
from inferometer.datasets import check_reference
from inferometer.datasets.reference import parse


@pytest.mark.parametrize(
    ("text", "source", "target", "name"),
    [
        ("digits", "builtin", "digits", "digits"),
        ("./pics", "folder", "./pics", "folder:pics"),
        ("folder:pics", "folder", "pics", "folder:pics"),
        ("/a/b/", "folder", "/a/b/", "folder:b"),
        ("a/b.npz", "npz", "a/b.npz", "b.npz"),
        ("b.TSV", "csv", "b.TSV", "b.TSV"),
        ("torchvision:CIFAR10", "torchvision", "CIFAR10", "torchvision:CIFAR10"),
        ("hf:owner/name", "hf", "owner/name", "hf:owner/name"),
        ("hf:./here/name", "hf", "./here/name", "hf:name"),
        ("a/make.py:data", "python", "a/make.py:data", "make.py:data"),
    ],
)
def test_forms(text, source, target, name):
    found = parse(text)
    assert (found.source, found.target, found.name) == (source, target, name)


def test_options():
    found = parse(
        "x.npz?limit=5&task=other&kind=array&metric=my.py:f&calibration=20%&test=.5&classes=9"
        "&skip=30%&preprocess=squash&inputs=a=b"
    )
    assert (found.limit, found.task, found.kind, found.metric) == (5, "other", "array", "my.py:f")
    assert found.shares == {"calibration": 0.2, "test": 0.5}
    assert (found.classes, found.skip, found.preprocess) == ("9", 0.3, "squash")
    assert found.rest == {"inputs": "a=b"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "has no name"),
        (" digits", "spaces around it"),
        ("digit", "did you mean 'digits'"),
        ("hff:x", "did you mean 'hf'"),
        ("hf:", "names nothing after hf:"),
        ("make.py", "write make.py:FUNCTION"),
        ("digits?limit", "malformed option 'limit'"),
        ("digits?limit=0", "limit=0 must be a whole number from 1"),
        ("digits?limit=1e3", "limit=1e3 must be a whole number"),
        ("digits?limit=1&limit=2", "gives limit twice"),
        ("digits?task=classify", "task=classify is not known"),
        ("digits?test=150%", "is not a share"),
        ("digits?test=x", "is not a share"),
        ("digits?test=60%&training=60%", "not 1 together"),
        ("digits?prepocess=squash", "did you mean 'preprocess'"),
        ("digits?preprocess=squish", "'squish' is not known"),
        ("digits?preprocess=mean=1/2", "'mean=1/2' is not known"),
        ("digits?preprocess=std=0", "'std=0' is not known"),
        ("digits?preprocess=mean=nan", "'mean=nan' is not known"),
        ("digits?preprocess=channels=2", "'channels=2' is not known"),
        ("digits?classes=nowhere.txt", "classes=nowhere.txt: nowhere.txt: there is no such file"),
        ("digits?classes=a,b,a", "names 'a' twice"),
        ("digits?classes=0", "must be from 1"),
        ("./nowhere-at-all", "there is no such folder"),
        ("nowhere.npz", "there is no such file"),
        ("nowhere.csv", "there is no such file"),
        ("nowhere.py:f", "there is no such file"),
    ],
)
def test_wrong_ones_are_one_sentence(text, told):
    with pytest.raises(InputError) as caught:
        check_reference(text)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_for_hugging_face_that_is_not_there():
    pytest.importorskip("datasets")
    with pytest.raises(InputError, match="there is no such folder or file"):
        check_reference("hf:./nowhere")


OWN = Preprocessing(size=224, interpolation="bicubic", channels=3, source="its source")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("squash", {"fit": "squash"}),
        ("natural,interpolation=nearest", {"fit": "natural", "interpolation": "nearest"}),
        ("mean=0.5,std=0.25", {"mean": (0.5,), "std": (0.25,)}),
        ("mean=0.1/0.2/0.3", {"mean": (0.1, 0.2, 0.3)}),
        ("crop=1,channels=1", {"crop_share": 1.0, "channels": 1}),
        ("none", {"fit": "natural", "mean": (0.0,), "std": (1.0,)}),
    ],
)
def test_preprocessing_overrides_the_models_own(text, expected):
    found = parse(f"digits?preprocess={text}").preprocessing(OWN)
    assert {name: getattr(found, name) for name in expected} == expected
    assert found.source == "the user"
    assert found.size == 224


def test_without_an_override_the_models_own_preprocessing_holds():
    assert parse("digits").preprocessing(OWN) == OWN
    assert parse("digits").preprocessing(None) == Preprocessing()
