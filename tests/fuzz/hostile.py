"""Values that a user, or somebody who means harm, might give."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.fuzz.checks import MARKER

TEXTS = (
    "", " ", "\t", "\n", "-", "--", "=", "0", "nan", "null", "true", "~", "~nosuch/x", ".", "..",
    "\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "\r\x1b[2K", "a\bb", "\x7f", "\x9b31m", "\x85",
    "\u202eexe.gnp", "\u2066x\u2069", "\u200f", "\u2028", "\ufeff", "\ufffe", "\ue000",
    "\udcff", "\ud800", "a\udc80b", "e\u0301\u0301\u0301", "\U0001f600", "中文", "é",
    "=cmd|'/c calc'!A0", "+1+1", "@SUM(1)", "-2+3", "\t=1", "\r=1", "\uff1d1", "'=1", "''",
    "<script>alert(1)</script>", '"><fuzzx onfuzz=1>', "</script><fuzzx>", "</style><fuzzx>",
    "<!--<fuzzx>", "&lt;fuzzx&gt;", "{{7*7}}", "{% raw %}", "${7*7}", "[x](javascript:alert(1))",
    "|", "a|b", "`x`", "*x*", "%s%n%d", "{0}", "\\", "\\u202e", "'", '"', "'; DROP TABLE runs;--",
    "../../etc/passwd", "/proc/version", "con", "aux.txt", "a:b", "a?b=c", "a&b", "a;b", "$(touch x)",
    "resnet18", "latest", "cpu", "fp32", "torch", "own",
)  # fmt: skip
NUMBERS = (
    "0", "-0", "1", "-1", "2", "7", "1.5", "-1.5", "1e3", "1e308", "1e309", "1e-320", "inf", "-inf",
    "nan", "NaN", "Infinity", "0x10", "0b1", "1_000", "1,000", "1 000", "\u0661", "\uff11\uff12", "²", "½", "+5",
    "2147483647", "2147483648", "4294967295", "4294967296", "9007199254740993",
    "9223372036854775807", "9223372036854775808", "18446744073709551616", "9" * 40, "9" * 400,
    "9" * 5000, "1" + "0" * 308, "0." + "0" * 400 + "1", "00", "1e", "e1", ".", "1.", ".5",
)  # fmt: skip
UNITS = ("s", "m", "h", "ms", "%", "GiB", "kB", "MB", "x", " s", "µs", "d", "10m", "1h30m", "B")


def text(rng: random.Random) -> str:
    """A text: one of the known bad ones, a made-up one, or several together."""
    kind = rng.random()
    if kind < 0.5:
        return rng.choice(TEXTS)
    if kind < 0.6:
        return number(rng)
    if kind < 0.7:
        return rng.choice(TEXTS) + rng.choice((":", "?", ",", " ", "/", "")) + rng.choice(TEXTS)
    if kind < 0.77:
        return (rng.choice(TEXTS) or "A") * rng.choice((2, 10, 100, 300, 5000))
    if kind < 0.8:
        return "A" * rng.choice((80, 81, 255, 256, 4096, 5000, 20_000))
    return "".join(_character(rng) for _ in range(rng.choice((1, 2, 5, 20, 60))))


def line(rng: random.Random) -> str:
    """A text without line breaks, and without bytes that are no text."""
    return "".join(text(rng).splitlines()).encode("utf-8", "replace").decode() or "x"


def argument(rng: random.Random) -> str:
    """A text as the system may hand it over: no zero byte; a lone surrogate is a byte over 127."""
    found = text(rng).replace("\x00", "")
    return os.fsdecode(found.encode("utf-8", "surrogateescape")) if _is_bytes(found) else "\udcfe"


def number(rng: random.Random) -> str:
    """What stands where a number is expected."""
    if rng.random() < 0.7:
        return rng.choice(NUMBERS)
    return rng.choice(("", "-", "+")) + str(rng.getrandbits(rng.choice((4, 8, 31, 63, 64, 200))))


def amount(rng: random.Random) -> str:
    """A number with a unit, more or less."""
    return number(rng) + rng.choice(UNITS)


def numbers(rng: random.Random) -> str:
    """A list of numbers."""
    count = rng.choice((1, 2, 3, 10, 1000))
    separator = rng.choice((",", ",,", ", ", " ", ";"))
    few = [number(rng) for _ in range(4)]
    return separator.join(rng.choice(few) for _ in range(count))[:100_000]


def source(rng: random.Random, folder: Path) -> str:
    """A path to read from, where something lies that is no ordinary file, or nothing."""
    return rng.choice(_READABLE)(rng, folder)


def target(rng: random.Random, folder: Path) -> str:
    """A path to write to, where nothing can be written, or only with care."""
    return rng.choice(_WRITABLE)(rng, folder)


def _character(rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.4:
        return chr(rng.randrange(0x20, 0x7F))
    if kind < 0.6:
        return chr(rng.randrange(1, 0x20))
    if kind < 0.8:
        return chr(rng.choice((0x7F, 0x80, 0x9F, 0x200B, 0x202E, 0x2066, 0xFEFF, 0xDC80, 0xDCFF)))
    return chr(rng.choice((rng.randrange(0xA0, 0xD800), rng.randrange(0xE000, 0x110000))))


def _is_bytes(text: str) -> bool:
    return not any(
        "\ud800" <= char <= "\udfff" and not "\udc80" <= char <= "\udcff" for char in text
    )


def _file(_: random.Random, folder: Path) -> str:
    (folder / "file").write_text("x")
    return "file"


def _child_of_file(rng: random.Random, folder: Path) -> str:
    return f"{_file(rng, folder)}/child"


def _folder(_: random.Random, folder: Path) -> str:
    (folder / "folder").mkdir(exist_ok=True)
    return "folder"


def _pipe(_: random.Random, folder: Path) -> str:
    if not (folder / "pipe").exists():
        os.mkfifo(folder / "pipe")
    return "pipe"


def _loop(_: random.Random, folder: Path) -> str:
    for name, other in (("loop", "pool"), ("pool", "loop")):
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(other)
    return "loop"


def _under_loop(rng: random.Random, folder: Path) -> str:
    return f"{_loop(rng, folder)}/x"


def _dangling(_: random.Random, folder: Path) -> str:
    if not (folder / "dangling").is_symlink():
        (folder / "dangling").symlink_to("nowhere/at/all")
    return "dangling"


def _device(rng: random.Random, _: Path) -> str:
    return rng.choice(("/dev/zero", "/dev/urandom", "/dev/null", "/dev/full", "/proc/kmsg"))


def _full(_: random.Random, __: Path) -> str:
    return "/dev/full"


def _long(rng: random.Random, _: Path) -> str:
    return rng.choice(("n" * 256, "n" * 5000, "d/" * 2100 + "x", "é" * 128, "d" * 250 + "/x"))


def _empty(_: random.Random, __: Path) -> str:
    return ""


def _nobody(rng: random.Random, _: Path) -> str:
    return rng.choice(("~nosuch/x", "~nosuch", "~/missing/x", "~\udcff/x", "~root\n/x"))


def _undecodable(_: random.Random, folder: Path) -> str:
    (folder / "\udcff.bin").write_bytes(b"x")
    return "\udcff.bin"


def _missing(rng: random.Random, _: Path) -> str:
    return rng.choice(("missing", "missing/x", "./missing", "missing/../x"))


def _odd(rng: random.Random, _: Path) -> str:
    found = argument(rng)
    return found if not found.startswith(("/", "-", "~")) and ".." not in found else "odd\nname"


_READABLE: tuple[Callable[[random.Random, Path], str], ...] = (
    _file, _child_of_file, _folder, _pipe, _loop, _under_loop, _dangling, _device, _long, _empty,
    _nobody, _undecodable, _missing, _odd,
)  # fmt: skip
_WRITABLE: tuple[Callable[[random.Random, Path], str], ...] = (
    _child_of_file, _folder, _pipe, _loop, _under_loop, _dangling, _full, _long, _empty, _nobody,
    _missing, _odd,
)  # fmt: skip


def exploit(rng: random.Random, folder: Path) -> str:
    """Python that leaves a mark when it runs."""
    place = str(folder / MARKER)
    return rng.choice((f"open({place!r},'w')", f"__import__('os').mkdir({place!r})"))


def damage(rng: random.Random, content: bytes) -> bytes:
    """Bytes with a few of them changed, cut, doubled or moved."""
    found = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 3, 8, 30))):
        if not found:
            return bytes(rng.getrandbits(8) for _ in range(rng.randrange(20)))
        at = rng.randrange(len(found))
        length = min(rng.choice((1, 1, 2, 4, 8, 64)), len(found) - at)
        action = rng.randrange(7)
        if action == 0:
            found[at] ^= 1 << rng.randrange(8)
        elif action == 1:
            found[at : at + length] = bytes(rng.getrandbits(8) for _ in range(length))
        elif action == 2:
            del found[at : at + length]
        elif action == 3:
            found[at:at] = found[at : at + length] * rng.choice((1, 2, 50))
        elif action == 4:
            found[at : at + length] = rng.choice((b"\xff", b"\x00", b"\x80", b"0")) * length
        elif action == 5 and rng.random() < 0.3:
            del found[at:]
        else:
            found[at:at] = rng.choice(
                (b"\x00", b'"', b",", b"\n", b"[", b"{", b"\xff\xfe", b"1e400")
            )
    return bytes(found)


def mixed(
    rng: random.Random,
    text: str,
    others: Mapping[str, str],
    other_cell: Callable[[random.Random, str], str],
) -> str:
    """Lines left out, doubled, moved, of another file, or with another cell."""
    lines = text.split("\n")
    for _ in range(rng.choice((1, 1, 2, 5))):
        at = rng.randrange(len(lines))
        action = rng.randrange(7)
        if action == 0:
            del lines[at:]
        elif action == 1:
            lines[at:at] = lines[at : at + rng.choice((1, 3))] * rng.choice((1, 5, 300))
        elif action == 2:
            rng.shuffle(lines)
        elif action == 3:
            lines[at:at] = others[rng.choice(sorted(others))].split("\n")[: rng.choice((1, 4))]
        else:
            lines[at] = other_cell(rng, lines[at])
        if not lines:
            return ""
    return rng.choice(("\n", "\n", "\n", "\r\n", "\r")).join(lines)
