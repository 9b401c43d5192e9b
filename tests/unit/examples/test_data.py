from itertools import combinations

import numpy as np
import pytest

from inferometer.core.dataset import ROLES
from inferometer.core.errors import DatasetError, MissingExtraError


@pytest.fixture
def data(example):
    return example("data")


def test_no_simulated_field_is_in_two_roles(data):
    for one, other in combinations(ROLES, 2):
        assert not set(data.CELL_FIELDS[one]) & set(data.CELL_FIELDS[other])
    made = data.cells("validation")
    assert len(made["inputs"]) == len(made["labels"]) == len(data.CELL_FIELDS["validation"])


def test_a_missing_package_is_named_with_the_command_that_installs_it(data, monkeypatch):
    monkeypatch.setattr(example_packages(data), "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"foolbox.*inferometer\[examples\]"):
        data.photographs("test")
    with pytest.raises(DatasetError, match="pip install --no-deps pyannote-audio"):
        data.dialogue("test")


def test_what_is_only_judged_has_no_samples_for_other_roles(data):
    assert data.photographs("calibration")["inputs"] == []
    assert data.dialogue("training")["inputs"] == []


def test_frames_of_the_dialogue_are_those_that_people_marked(data, tmp_path, monkeypatch):
    import wave

    samples = np.arange(480_000, dtype=np.int16)
    path = tmp_path / "sample.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    path.with_suffix(".rttm").write_text(
        "SPEAKER sample 1 1.024 0.960 <NA> <NA> one <NA> <NA>\n"
        "SPEAKER sample 1 1.500 0.960 <NA> <NA> two <NA> <NA>\n"
    )
    monkeypatch.setattr(data, "shipped", lambda *_: path)
    made = data.dialogue("test")
    assert len(made["inputs"]) == 6
    np.testing.assert_allclose(made["inputs"][1][:3] * 2**15, samples[156 * 512 :][:3])
    marked = np.flatnonzero(made["labels"][0])
    assert (marked[0], marked[-1]) == (32, 76)  # 1.024 s / 32 ms; the last that is more than half
    assert len(marked) == 45
    assert not np.any(made["labels"][1:])


def test_words_are_pairs_of_tokens_with_what_people_said(data, tmp_path, monkeypatch):
    tokenizers = pytest.importorskip("tokenizers")
    words = tokenizers.Tokenizer(tokenizers.models.WordLevel({"[PAD]": 0, "cat": 1, "dog": 2}))
    words.save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "wordsim353.tsv").write_text("# words\ncat\tdog\t7.5\ndog\tdog\t10\n")
    monkeypatch.setattr(data, "shipped", lambda _, path: tmp_path / path.split("/")[-1])
    made = data.wordsim353()
    ids, mask = made["inputs"]["input_ids"], made["inputs"]["attention_mask"]
    assert ids.shape == mask.shape == (2, 2, 8)
    assert ids[:, :, 0].tolist() == [[1, 2], [2, 2]]
    assert mask.sum() == 4
    assert made["labels"] == [7.5, 10.0]


def example_packages(data):
    import sys

    return sys.modules["packages"]
