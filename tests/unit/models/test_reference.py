from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.core.errors import ModelReferenceError
from inferometer.models.reference import literal, parse

names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,12}", fullmatch=True)
values = st.one_of(
    st.booleans(),
    st.none(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    names.filter(lambda text: text.lower() not in ("true", "false", "null")),
)


def written(value: object) -> str:
    return "null" if value is None else str(value)


@given(
    source=st.sampled_from(["torchvision", "timm", "transformers"]),
    target=names,
    options=st.dictionaries(names, values, max_size=4),
)
def test_what_was_written_is_read_back(source, target, options):
    query = "&".join(f"{name}={written(value)}" for name, value in options.items())
    text = f"{source}:{target}" + (f"?{query}" if query else "")
    reference = parse(text)
    assert reference.text == text
    assert (reference.source, reference.target) == (source, target)
    assert dict(reference.options) == options


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_in_a_sentence(text):
    with suppress(ModelReferenceError):
        assert parse(text).text == text


@pytest.mark.parametrize(
    ("text", "source", "target"),
    [
        ("resnet18", "catalogue", "resnet18"),
        ("torchvision:resnet50", "torchvision", "resnet50"),
        ("hub:owner/repo:entry", "hub", "owner/repo:entry"),
        ("hub:./here:entry?a=1", "hub", "./here:entry"),
        ("nets/mine.py:build", "python", "nets/mine.py:build"),
        ("mine.py:build?width=3", "python", "mine.py:build"),
        ("./weights.pt", "file", "./weights.pt"),
        ("model.pt2", "file", "model.pt2"),
        ("/data/a:b.pt", "file", "/data/a:b.pt"),
    ],
)
def test_short_forms(text, source, target):
    reference = parse(text)
    assert (reference.source, reference.target) == (source, target)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "has no name"),
        ("?a=1", "has no name"),
        (" resnet18", "spaces around"),
        ("torchvision:", "names no model after torchvision:"),
        ("torchvison:resnet18", "did you mean 'torchvision'?"),
        ("mine.py", "write mine.py:FUNCTION"),
        ("resnet18?", "malformed option ''"),
        ("resnet18?weights", "malformed option 'weights'"),
        ("resnet18?=3", "malformed option '=3'"),
        ("resnet18?a=1&&b=2", "malformed option ''"),
        ("resnet18?a-b=1", "malformed option 'a-b=1'"),
        ("resnet18?a=1&a=2", "gives a twice"),
    ],
)
def test_what_cannot_be_read_is_refused(text, problem):
    with pytest.raises(ModelReferenceError) as caught:
        parse(text)
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("True", True),
        ("false", False),
        ("null", None),
        ("-3", -3),
        ("1e-3", 1e-3),
        ("2.", 2.0),
        (".5", 0.5),
        ("'10'", "10"),
        ("3x224x224", "3x224x224"),
        ("a=b", "a=b"),
        ("9" * 5000, "9" * 5000),
        ("", ""),
    ],
)
def test_values_are_literals(text, value):
    found = literal(text)
    assert found == value
    assert type(found) is type(value)
