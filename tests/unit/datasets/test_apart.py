"""Samples that calibrate are never judged, through whatever way they come in."""

from __future__ import annotations

import numpy as np
import pytest

from inferometer.core.dataset import ROLES
from inferometer.core.errors import DatasetError
from inferometer.datasets import assert_apart, open_dataset, overlap

SIDE = 14


@pytest.fixture
def ways(tmp_path, pictures):
    """The same pictures in many ways; references by name."""
    from PIL import Image

    pixels = pictures(120, height=SIDE, width=SIDE)
    labels = np.arange(120) % 2
    for ending in ("png", "bmp"):
        for number, one in enumerate(pixels):
            folder = tmp_path / ending / ("a", "b")[number % 2]
            folder.mkdir(parents=True, exist_ok=True)
            name = number if ending == "png" else 1000 - number
            Image.fromarray(one).save(folder / f"{name}.{ending}")
    np.savez(tmp_path / "bytes.npz", x=pixels[::-1], y=labels[::-1])
    np.savez(tmp_path / "floats.npz", x=pixels.transpose(0, 3, 1, 2) / 255, y=labels)
    rows = [f"png/{'ab'[n % 2]}/{n}.png,{n % 2}" for n in range(120)]
    (tmp_path / "x.csv").write_text("\n".join(["path,label", *rows]))
    (tmp_path / "make.py").write_text(
        "import numpy as np\nfrom pathlib import Path\n"
        "def data():\n"
        "    found = np.load(Path(__file__).with_name('bytes.npz'))\n"
        "    return list(zip(found['x'].astype('float32'), found['y']))\n"
    )
    names = ("png/", "bmp/", "bytes.npz", "floats.npz", "x.csv", "make.py:data")
    return [f"{tmp_path}/{name}" for name in names]


def test_whatever_way_a_content_comes_in_it_has_one_role(ways):
    first = {role: open_dataset(ways[0], role) for role in ROLES if role != "training"}
    for way in ways[1:]:
        for role, one in first.items():
            other = open_dataset(way, role)
            assert set(other.contents) == set(one.contents), way
            assert_apart(other, *(found for name, found in first.items() if name != role))


def test_other_shares_are_found_out(ways):
    calibrating = open_dataset(f"{ways[0]}?calibration=50%", "calibration")
    for way in ways:
        judged = open_dataset(way, "test")
        assert overlap(calibrating, judged)
        with pytest.raises(DatasetError, match=r"samples are in folder:png \(calibration\) and in"):
            assert_apart(calibrating, judged)


def test_a_test_split_of_its_own_is_found_out(ways, tmp_path):
    pixels = np.load(tmp_path / "bytes.npz")
    path = tmp_path / "split.npz"
    parts = {"train": slice(0, 10), "test": slice(10, 120)}
    np.savez(path, **{f"{k}_{p}": pixels[k][s] for k in "xy" for p, s in parts.items()})
    judged = open_dataset(str(path))
    with pytest.raises(DatasetError, match=r"must have been used for nothing else"):
        assert_apart(judged, open_dataset(ways[0], "calibration"))


def test_one_role_may_have_contents_in_common(ways):
    assert_apart(open_dataset(ways[0]), open_dataset(ways[1]))
