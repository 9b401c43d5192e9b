import numpy as np
import pytest


@pytest.fixture
def microscopy(example):
    return example("microscopy")


def test_a_field_is_the_same_each_time_and_no_two_are_alike(microscopy):
    first, again = microscopy.fields([3, 4]), microscopy.fields([4])
    np.testing.assert_array_equal(first[1][0], again[0][0])
    np.testing.assert_array_equal(first[1][1], again[0][1])
    assert not np.array_equal(first[0][0], first[1][0])
    assert not np.array_equal(first[1][0], microscopy.fields([4], seed=1)[0][0])


def test_the_mask_is_where_the_light_is(microscopy):
    for picture, mask in microscopy.fields(range(8)):
        assert picture.shape == (1, 64, 64)
        assert picture.dtype == np.float32
        assert set(np.unique(mask)) == {0, 1}
        assert picture[0][mask == 1].mean() > 2 * picture[0][mask == 0].mean()


def test_a_point_of_light_spreads_to_the_first_dark_ring_of_airy(microscopy):
    pattern = microscopy.airy_pattern()
    assert pattern.sum() == pytest.approx(1)
    middle = len(pattern) // 2
    finest = microscopy.PIXEL_UM / microscopy.FINER
    profile = pattern[middle, middle:]
    dark = int(np.argmax(np.diff(profile) > 0)) * finest
    ring = 0.61 * microscopy.WAVELENGTH_UM / microscopy.APERTURE
    assert dark == pytest.approx(ring, abs=finest)


def test_noise_without_nuclei_is_that_of_photons_and_electronics(microscopy, monkeypatch):
    monkeypatch.setattr(microscopy, "IN_FOCUS", (0, 0))
    monkeypatch.setattr(microscopy, "OUT_OF_FOCUS", (0, 0))
    seen = np.stack([picture for picture, _ in microscopy.fields(range(20))]) * microscopy.SCALE
    expected = microscopy.BACKGROUND_PHOTONS + microscopy.READ_NOISE**2
    assert seen.mean() == pytest.approx(microscopy.BACKGROUND_PHOTONS, rel=0.02)
    assert seen.var() == pytest.approx(expected, rel=0.03)
