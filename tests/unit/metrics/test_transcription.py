"""Word and character error rate, against torchmetrics and the textbook's table."""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inferometer.core.errors import MissingExtraError, WorkloadError
from inferometer.metrics import metric_for

texts = st.text(alphabet="abc ", max_size=12)


def judge(name, outputs, labels, classes=(), **options):
    metric = metric_for("transcription", name, classes, **options)
    kept = metric.keep(outputs, labels)
    return metric.value(kept), kept


def edits(truth, text):
    """Least edits, by the table of Wagner and Fischer."""
    table = list(range(len(text) + 1))
    for i, one in enumerate(truth, start=1):
        before, table[0] = table[0], i
        for j, other in enumerate(text, start=1):
            step = min(table[j] + 1, table[j - 1] + 1, before + (one != other))
            before, table[j] = table[j], step
    return table[-1]


@settings(deadline=None)
@given(pairs=st.lists(st.tuples(texts, texts), min_size=1, max_size=6))
def test_each_sample_and_all_together_are_as_in_the_table(pairs):
    given, labels = [one for one, _ in pairs], [one for _, one in pairs]
    for name, pieces in (("wer", str.split), ("cer", lambda text: list(text.strip()))):
        value, kept = judge(name, given, labels)
        rows = [[edits(pieces(b), pieces(a)), len(pieces(b))] for a, b in pairs]
        assert kept.rows.tolist() == rows
        wrong, length = np.sum(rows, axis=0)
        assert value == (
            pytest.approx(wrong / length) if length else pytest.approx(math.nan, nan_ok=True)
        )


def test_values_are_those_of_torchmetrics():
    pytest.importorskip("torch")
    oracle = pytest.importorskip("torchmetrics.functional.text")
    given = ["the cat sat on mat", "Hello, world", "", "ein Zug fährt ab"]
    labels = ["the cat sat on the mat", "hello world", "silence", "ein Zug fuhr ab"]
    assert judge("wer", given, labels)[0] == pytest.approx(
        float(oracle.word_error_rate(given, labels))
    )
    assert judge("cer", given, labels)[0] == pytest.approx(
        float(oracle.char_error_rate(given, labels))
    )


def test_words_where_there_are_none_are_errors():
    assert judge("wer", ["a b", "c"], ["", "c"])[0] == 2.0
    assert math.isnan(judge("wer", ["a b"], [""])[0])


@pytest.mark.parametrize(
    "outputs",
    [
        ["a b", "c"],
        ("a b", "c"),
        np.array(["a b", "c"]),
        {"text": ["a b", "c"], "scores": np.ones(2)},
        [{"text": "a b", "chunks": np.ones(3)}, {"text": "c", "chunks": np.ones(1)}],
    ],
)
def test_the_texts_are_found_wherever_they_are(outputs):
    assert judge("wer", outputs, ["a b", "c"])[0] == 0.0


def test_a_single_text_is_that_of_a_single_sample():
    assert judge("wer", "a b", ["a c"])[0] == 0.5


@pytest.mark.parametrize(
    ("outputs", "labels", "says"),
    [
        (["a"], ["a", "b"], "1 texts for 2 samples"),
        (np.zeros((1, 4), int), ["a"], "needs a decoder"),
        ({"a": ["a"], "b": ["b"]}, ["a"], "several lists"),
        (["a"], [3], "must be strings"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(outputs, labels, says):
    with pytest.raises(WorkloadError, match=says):
        judge("wer", outputs, labels)


def test_a_decoder_of_the_user_makes_texts_of_numbers(tmp_path):
    letters = {1: "a", 2: "b"}

    def decode(outputs):
        return ["".join(letters.get(one, "") for one in row) for row in outputs.tolist()]

    assert judge("cer", np.array([[1, 0, 2], [2, 2, 0]]), ["ab", "bb"], decode=decode)[0] == 0.0
    file = tmp_path / "mine.py"
    file.write_text("def decode(outputs):\n    return ['ab' for _ in outputs]\n", encoding="utf-8")
    assert judge("cer", np.zeros(2), ["ab", "ab"], decode=f"{file}:decode")[0] == 0.0


@pytest.mark.parametrize("blank", ["", "<blank>", "<pad>"])
def test_an_alphabet_decodes_scores_in_time(blank):
    alphabet = (blank, "a", "b", "|")
    steps = [[1, 1, 0, 1, 3, 2], [0, 2, 2, 2, 0, 0]]
    scores = np.eye(4)[steps]
    assert judge("cer", (scores, np.zeros((2, 6))), ["aa b", "b"], alphabet)[0] == 0.0
    with pytest.raises(WorkloadError, match="scores of 4 characters"):
        judge("cer", np.zeros((2, 6, 5)), ["aa b", "b"], alphabet)


def test_the_extra_is_named_where_the_package_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "rapidfuzz", None)
    with pytest.raises(MissingExtraError, match=r"metric wer needs rapidfuzz.*inferometer\[data\]"):
        metric_for("transcription", "wer")
