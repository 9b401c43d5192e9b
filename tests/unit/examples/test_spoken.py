import numpy as np
import pytest


class Tone:
    """Says everything as one tone, with silence around it."""

    def say(self, text, voice, rate, pitch):
        tone = np.sin(np.arange(9000) * 0.2).astype(np.float32)
        return np.concatenate([np.zeros(700, np.float32), tone, np.zeros(5000, np.float32)])


@pytest.fixture
def spoken(example):
    return example("spoken")


def test_frames_are_where_an_utterance_is_without_the_silence_around_it(spoken, monkeypatch):
    monkeypatch.setattr(spoken, "SNR_DB", (90.0, 91.0))
    recording, frames = spoken.clip(Tone(), "en", np.random.default_rng(0))
    assert recording.shape == (spoken.CLIP_FRAMES * spoken.FRAME,)
    power = (recording.reshape(-1, spoken.FRAME) ** 2).mean(1)
    share = power / spoken.LOUDNESS**2  # of each frame that the tone fills
    assert 0.2 < frames.mean() < 0.8
    clear = (share < 0.4) | (share > 0.6)
    np.testing.assert_array_equal(share[clear] > 0.5, frames[clear] == 1)


def test_noise_is_as_far_below_speech_as_is_said(spoken, monkeypatch):
    monkeypatch.setattr(spoken, "SNR_DB", (20.0, 20.0))
    recording, frames = spoken.clip(Tone(), "en", np.random.default_rng(1))
    parts = recording.reshape(-1, spoken.FRAME)
    quiet = np.flatnonzero(np.convolve(frames, [1, 1, 1], "same") == 0)
    noise = np.sqrt((parts[quiet] ** 2).mean())
    assert 20 * np.log10(spoken.LOUDNESS / noise) == pytest.approx(20, abs=2)


def test_all_voices_speak_the_same_each_time(spoken):
    pytest.importorskip("espeakng_loader")
    first, again = (list(spoken.clips()) for _ in range(2))
    assert len({voice for _, _, voice in first}) == 24
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one[0], other[0])
