"""Labelled samples to judge models on: `inferometer run … --data examples/data.py:NAME`.

Nothing is downloaded: the samples are simulated, synthesised, or shipped by packages of the extra
`examples`. Each function says which.
"""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any

import numpy as np
from microscopy import fields
from numpy.typing import NDArray
from packages import TEXT_ENCODER, TOKENS, shipped
from spoken import FRAME, RATE, clips

from inferometer.core.dataset import Role
from inferometer.core.errors import DatasetError, MissingExtraError

Given = dict[str, Any]
"""Inputs, labels, and what is said of them."""

CELL_FIELDS: dict[Role, range] = {
    "training": range(160),
    "validation": range(160, 190),
    "calibration": range(190, 220),
    "test": range(220, 340),
}
SCIKIT_IMAGE = {"chelsea.png": 281, "coffee.png": 967, "rocket.jpg": 657, "camera.png": 872}
"""Pictures of one thing that is a class of ImageNet: tabby cat, espresso, missile, tripod."""
IMAGENET_CLASSES = tuple(map(str, range(1000)))
PIECE_FRAMES = 156
"""Frames of a piece of the dialogue: five seconds, as a detector needs some to find its feet."""


def cells(role: Role, seed: int = 0) -> Given:
    """Simulated, not recorded: a fluorescence microscope's fields, and masks of nuclei in focus."""
    pairs = fields(CELL_FIELDS[role], seed)
    return {
        "inputs": [picture for picture, _ in pairs],
        "labels": [mask for _, mask in pairs],
        "task": "segmentation",
        "classes": ("background", "nucleus"),
        "source": "simulated fluorescence microscopy (examples/microscopy.py)",
    }


def photographs(role: Role) -> Given:
    """Recorded: 20 pictures of ImageNet that foolbox ships, and 4 of scikit-image; all judged.

    So few tell whether weights and preprocessing belong together, and little more: 20 right of 24
    is anything from 64 to 93 %.
    """
    labelled = _labelled_photographs() if role == "test" else {}
    return {
        "inputs": [_pixels(path) for path in labelled],
        "labels": list(labelled.values()),
        "classes": IMAGENET_CLASSES,
        "source": "photographs of ImageNet's validation set in foolbox (for research) and of "
        "scikit-image (public domain or CC0)",
    }


def speech(seed: int = 0) -> Given:
    """Synthesised: numbers in 24 voices over noise, and the frames in which one speaks."""
    recordings, frames, voices = zip(*clips(seed), strict=True)
    return {
        "inputs": list(recordings),
        "labels": list(frames),
        "units": list(voices),
        "task": "frames",
        "source": "synthesised with eSpeak NG (examples/spoken.py)",
    }


def dialogue(role: Role) -> Given:
    """Recorded: half a minute of a telephone call, and when people say that one speaks.

    It is in pieces, all of one call: what it says of other calls is another matter.

    Raises:
        DatasetError: the package that ships it is not installed.
    """
    pieces = _dialogue() if role == "test" else []
    return {
        "inputs": [recording for recording, _ in pieces],
        "labels": [frames for _, frames in pieces],
        "task": "frames",
        "source": "the sample of pyannote.audio (MIT): a recorded call, labelled by people",
    }


def wordsim353() -> Given:
    """From people: how related two words are, 0 to 10, the mean of 13 or 16 of them."""
    return _pairs("wordsim353.tsv", "WordSimilarity-353 (Finkelstein et al. 2002), in gensim")


def simlex999() -> Given:
    """From people: how alike two words are, 0 to 10, which is not how related."""
    return _pairs("simlex999.txt", "SimLex-999 (Hill, Reichart and Korhonen 2015), in gensim")


def _pairs(name: str, source: str) -> Given:
    """Pairs of words as the text encoder takes them, and what people said."""
    tokenizer_file = shipped(TEXT_ENCODER, "model/tokenizer.json")
    words_file = shipped("gensim", f"test/test_data/{name}")
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    tokenizer.enable_padding(length=TOKENS)
    tokenizer.enable_truncation(TOKENS)
    lines = words_file.read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    found = [tokenizer.encode_batch([first, second]) for first, second, _ in rows]
    return {
        "inputs": {
            "input_ids": _table([[one.ids for one in pair] for pair in found]),
            "attention_mask": _table([[one.attention_mask for one in pair] for pair in found]),
        },
        "labels": [float(score) for _, _, score in rows],
        "task": "similarity",
        "source": source,
    }


def _table(numbers: list[list[list[int]]]) -> NDArray[np.int64]:
    return np.array(numbers, np.int64)


def _labelled_photographs() -> dict[Path, int]:
    folder = shipped("foolbox", "data")
    labelled = {path: int(path.stem[12:]) for path in sorted(folder.glob("imagenet_*.jpg"))}
    chosen = {shipped("skimage", f"data/{name}"): label for name, label in SCIKIT_IMAGE.items()}
    return {**labelled, **chosen}


def _pixels(path: Path) -> NDArray[np.uint8]:
    from PIL import Image

    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def _dialogue() -> list[tuple[NDArray[np.float32], NDArray[np.int64]]]:
    """Pieces of the call, and 1 for each frame in which somebody speaks.

    Raises:
        DatasetError: the package that ships it is not installed.
    """
    try:
        path = shipped("pyannote", "audio/sample/sample.wav")
    except MissingExtraError as error:
        # its dependencies are many, and not needed here, so that it is in no extra
        raise DatasetError(
            "dialogue needs the recording of pyannote-audio: run pip install --no-deps "
            "pyannote-audio"
        ) from error
    with wave.open(str(path)) as file:
        content = file.readframes(file.getnframes())
    recording = (np.frombuffer(content, np.int16) / 2**15).astype(np.float32)
    spoken = np.zeros(len(recording), bool)
    for line in path.with_suffix(".rttm").read_text(encoding="utf-8").splitlines():
        start, seconds = (float(value) for value in line.split()[3:5])
        spoken[round(start * RATE) : round((start + seconds) * RATE)] = True
    piece = PIECE_FRAMES * FRAME
    starts = range(0, len(recording) - piece + 1, piece)
    shares = [spoken[at : at + piece].reshape(-1, FRAME).mean(1) for at in starts]
    return [
        (recording[at : at + piece], (share > 0.5).astype(np.int64))  # noqa: PLR2004 - half
        for at, share in zip(starts, shares, strict=True)
    ]
