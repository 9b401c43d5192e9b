"""Speech and silence put together from a synthesiser, so that it is known which is where.

The voices are those of eSpeak NG (package `espeakng-loader`, GPL-3.0-or-later), loaded as a library
of a process of its own: what it says depends a little on all that it said before. They are
synthetic, and say numbers, each in its language.
"""

from __future__ import annotations

import ctypes
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from packages import shipped
from scipy.signal import resample_poly

Floats = NDArray[np.float32]

RATE = 16_000
"""Samples a second."""
FRAME = 512
"""Samples of a frame that is judged: 32 ms."""
CLIP_FRAMES = 250
LANGUAGES = ("en-us", "en-gb-scotland", "de", "es", "it", "pl", "ru", "cmn")
VARIANTS = ("", "+f2", "+m3")
CLIPS_EACH = 2
SILENCE_S = (0.4, 1.6)
SNR_DB = (10.0, 25.0)
LOUDNESS = 0.06
"""Root of the mean square of the speech; 1 is full scale."""
QUIETEST = 0.02
"""Of the loudest sample: what is below at either end of an utterance is no part of it."""

_SYNCHRONOUS, _UTF8 = 2, 1
_RATE_PARAMETER, _PITCH_PARAMETER = 1, 3
_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


def clips(seed: int = 0) -> Iterator[tuple[Floats, NDArray[np.int64], str]]:
    """Recordings, 1 for each frame with speech and 0 for the others, and the voice.

    Raises:
        MissingExtraError: the synthesiser is not installed.
    """
    shipped("espeakng_loader", "espeak-ng-data")
    folders = [str(Path(__file__).parent), *filter(None, sys.path)]  # a worker's child has neither
    found = subprocess.run(
        [sys.executable, __file__, str(seed)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(folders)},
        check=True,
    )
    with np.load(io.BytesIO(found.stdout)) as made:
        recordings, frames = made["recordings"], made["frames"]
    yield from zip(recordings, frames, _voices(), strict=True)


def _voices() -> list[str]:
    """The voice of each recording."""
    return [
        language + variant
        for language in LANGUAGES
        for variant in VARIANTS
        for _ in range(CLIPS_EACH)
    ]


def _synthesise(seed: int) -> None:
    """Write all recordings and their frames to standard output."""
    synthesiser = _Synthesiser()
    made = [
        clip(synthesiser, voice, np.random.default_rng((seed, number)))
        for number, voice in enumerate(_voices())
    ]
    recordings, frames = (np.stack(part) for part in zip(*made, strict=True))
    content = io.BytesIO()
    np.savez(content, recordings=recordings, frames=frames)
    sys.stdout.buffer.write(content.getvalue())


def clip(
    synthesiser: _Synthesiser, voice: str, random: np.random.Generator
) -> tuple[Floats, NDArray[np.int64]]:
    """Utterances of a voice with pauses between them, over noise; and where they are."""
    length = CLIP_FRAMES * FRAME
    speech, spoken = np.zeros(length, np.float32), np.zeros(length, bool)
    at = 0
    while True:
        at += round(random.uniform(*SILENCE_S) * RATE)
        said = _utterance(synthesiser, voice, random)
        if at + len(said) > length:
            break
        speech[at : at + len(said)] = said
        spoken[at : at + len(said)] = True
        at += len(said)
    noise = _pink_noise(length, random)
    loudness = np.sqrt(np.mean(noise**2)) * 10 ** (random.uniform(*SNR_DB) / 20) / LOUDNESS
    frames = spoken.reshape(-1, FRAME).mean(1) > 0.5  # noqa: PLR2004 - half
    return (speech + noise / loudness).astype(np.float32), frames.astype(np.int64)


def _utterance(synthesiser: _Synthesiser, voice: str, random: np.random.Generator) -> Floats:
    """One or two numbers, without the silence around them."""
    text = " ".join(str(number) for number in random.integers(11, 1000, random.integers(1, 3)))
    rate, pitch = int(random.integers(130, 190)), int(random.integers(35, 65))
    said = synthesiser.say(text, voice, rate, pitch)
    loud = np.flatnonzero(np.abs(said) > QUIETEST * np.abs(said).max())
    said = said[loud[0] : loud[-1] + 1]
    said *= LOUDNESS / np.sqrt(np.mean(said**2))
    return said


def _pink_noise(length: int, random: np.random.Generator) -> Floats:
    """Noise whose power falls with the frequency, as that of rooms and streets does."""
    spectrum = np.fft.rfft(random.normal(0, 1, length))
    spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 1))
    return np.fft.irfft(spectrum, length).astype(np.float32)


class _Synthesiser:
    """eSpeak NG in this process."""

    def __init__(self) -> None:
        data = shipped("espeakng_loader", "espeak-ng-data")
        names = ("libespeak-ng.so", "libespeak-ng.dylib")
        found = [data.parent / name for name in names if (data.parent / name).exists()]
        library = found[0] if found else shipped("espeakng_loader", names[0])
        self._library = ctypes.CDLL(str(library))
        self._parts: list[NDArray[np.int16]] = []
        self._callback = _Callback(self._take)  # kept: the library calls it later
        self._own_rate = self._library.espeak_Initialize(
            _SYNCHRONOUS, 0, str(data.parent).encode(), 0
        )
        self._library.espeak_ng_SetRandSeed(ctypes.c_long(1))  # else that of the clock
        self._library.espeak_SetSynthCallback(self._callback)

    def say(self, text: str, voice: str, rate: int, pitch: int) -> Floats:
        """A text in a voice, at `RATE` samples a second."""
        self._parts.clear()
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise ValueError(f"eSpeak NG has no voice {voice}")
        self._library.espeak_SetParameter(_RATE_PARAMETER, rate, 0)
        self._library.espeak_SetParameter(_PITCH_PARAMETER, pitch, 0)
        content = text.encode() + b"\0"
        self._library.espeak_Synth(content, len(content), 0, 1, 0, _UTF8, None, None)
        self._library.espeak_Synchronize()
        said = np.concatenate(self._parts) / np.float32(2**15)
        resampled: Floats = resample_poly(said, RATE, self._own_rate).astype(np.float32)
        return resampled

    def _take(self, samples: ctypes._Pointer[ctypes.c_short], count: int, _: object) -> int:
        if samples and count > 0:
            self._parts.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0


if __name__ == "__main__":
    _synthesise(int(sys.argv[1]))
