"""Pictures of unknown origin as arrays: bounded before they are decoded, and refused in words.

What a picture is turned into: 8 bits of red, green and blue, upright as its EXIF data say, the
first frame where it has several. Of 16 bits the upper 8 are kept; transparency is left away; CMYK
is converted as Pillow does, without colour profiles.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inferometer.core.errors import in_one_line
from inferometer.core.filenames import MIB, FileProblemError, read_file
from inferometer.core.shown import visible

if TYPE_CHECKING:
    from PIL.Image import Image

Pixels = NDArray[np.uint8]

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
"""Formats that are read; those that run another program, such as EPS, are not among them."""
SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".pbm"}
)
MOST_BYTES = 256 * MIB
MOST_PIXELS = 64_000_000
LONGEST_RATIO = 200
"""Of the longer side to the shorter: resized to a given shorter side, others would fill memory."""
DEEP = ("I;16", "I;16B", "I;16L", "I;16N", "I")
BITS_16 = 65535


class PictureError(Exception):
    """A picture cannot be used; the message says why, in a few words."""


class UnreadableError(PictureError):
    """Its file cannot be read as things are; another time it may be."""


def is_picture(path: Path) -> bool:
    """Whether a file is called like a picture."""
    return path.suffix.lower() in SUFFIXES


def read_picture(path: Path) -> bytes:
    """The bytes of a picture's file.

    Raises:
        UnreadableError: it is no ordinary file, too large, or cannot be read.
        PictureError: it is empty.
    """
    try:
        content = read_file(path, at_most=MOST_BYTES)
    except FileProblemError as error:
        raise UnreadableError(error.reason) from error
    if not content:
        raise PictureError("an empty file")
    return content


def pixels_of(content: bytes) -> Pixels:
    """Height by width by 3 of a picture's file.

    Raises:
        PictureError: it cannot be used.
    """
    with _opened(content) as image:
        return as_pixels(image)


def mask_of(content: bytes) -> Pixels:
    """Height by width of a mask: its grey levels, or its indices in a palette.

    Raises:
        PictureError: it cannot be used, or is in colours.
    """
    with _opened(content) as image:
        if image.mode not in ("1", "L", "P"):
            raise PictureError(f"a mask has one number for each pixel, this has {image.mode}")
        return np.asarray(image, dtype=np.uint8)


def as_pixels(image: Image) -> Pixels:
    """Height by width by 3 of a picture of Pillow.

    Raises:
        PictureError: it cannot be used.
    """
    from PIL import ImageOps

    check_size(*image.size)
    upright = ImageOps.exif_transpose(image)
    if upright.mode in DEEP:
        levels = np.asarray(upright)
        if levels.min() < 0 or levels.max() > BITS_16:
            raise PictureError("more than 16 bits a pixel")
        return np.repeat((levels >> 8).astype(np.uint8)[..., None], 3, axis=2)
    if upright.mode == "F":
        raise PictureError("floating values, whose range nobody knows")
    if upright.mode == "P" and "transparency" in upright.info:
        upright = upright.convert("RGBA")
    return np.asarray(upright.convert("RGB"))


def check_size(width: int, height: int) -> None:
    """Refuse a size that would fill memory.

    Raises:
        PictureError: it is so.
    """
    if width * height > MOST_PIXELS:
        raise PictureError(f"{width}x{height} pixels, more than {MOST_PIXELS:,}")
    if max(width, height) > LONGEST_RATIO * max(min(width, height), 1):
        raise PictureError(f"{width}x{height}: longer than {LONGEST_RATIO} times its width")


@contextmanager
def _opened(content: bytes) -> Iterator[Image]:
    """A picture, of which only the header is read before its size is checked."""
    from PIL import Image, UnidentifiedImageError

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(content), formats=FORMATS) as image:
                check_size(*image.size)
                yield image
        except PictureError:
            raise
        except UnidentifiedImageError as error:
            raise PictureError("no picture, or of a format that is not read") from error
        except Image.DecompressionBombError as error:
            raise PictureError(f"more than {MOST_PIXELS:,} pixels") from error
        except MemoryError:
            raise
        except Exception as error:  # of a broken file Pillow raises whatever it meets
            raise PictureError(f"broken ({visible(in_one_line(error, 80))})") from error


def channels_of(array: NDArray[Any]) -> Pixels | None:
    """Height by width by 3 of an array that is a picture: uint8, grey or in colour, else None."""
    if array.dtype != np.uint8:
        return None
    if array.ndim == 3 and array.shape[2] == 1:  # noqa: PLR2004 - height, width, grey
        array = array[..., 0]
    if array.ndim == 2:  # noqa: PLR2004 - height, width
        return np.repeat(array[..., None], 3, axis=2)
    return array if array.ndim == 3 and array.shape[2] == 3 else None  # noqa: PLR2004 - as above
