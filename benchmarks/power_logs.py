"""How long logs of power meters take to read, a megabyte of each format, and of what does harm.

    python benchmarks/power_logs.py            each format, then lines made to be slow
    python benchmarks/power_logs.py --mib 4

Each must take less than a second of the processor for each megabyte. That no damaged log ends in a
traceback is tried by `benchmarks/fuzz.py --kind log-file`. The exit status is 1 where one is
slower.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.data.power_logs import ALL  # noqa: E402

from inferometer.core.errors import InputError  # noqa: E402
from inferometer.meters.energy.logs.reading import describe_log  # noqa: E402

MOST_S = 1.0
LINE = 60_000
SLOW = {
    "one letter": "A" * LINE,
    "small letters": "a" * LINE,
    "words": "ab " * (LINE // 3),
    "blanks": "1" + " " * LINE + "x",
    "a time and blanks": "2026-11-26 10:00:00" + " " * LINE + "x,1",
    "brackets": "[" * LINE,
    "brackets with blanks": "x " + "[ " * (LINE // 2),
    "parentheses": "(" * LINE,
    "tags": "<" * LINE,
    "digits": "time,watts\n1," + "9" * LINE,
    "thousands": "time;watts\n1;" + "1,234" * (LINE // 5),
    "commas": "," * LINE,
    "names": ",".join(f"n{at}" for at in range(8000)),
    "units": ",".join("powerW" for _ in range(8000)),
    "quotes": '"' * LINE,
    "an open quote": 'time,watts\n1,"' + "x" * (LINE - 20),
    "zero bytes": "\0" * LINE,
    "braces": "{" * LINE,
    "an object that grows": '{"ENERGY":{},\n' + '"y":{},\n' * 6000,
    "objects": "{}" * (LINE // 2),
    "deep objects": '{"a":' * (LINE // 6) + '"apower": 1}',
    "rails": "RAM 1/2MB CPU [ " + "VDD_IN 1/ " * 6000,
    "colons": "1:" * (LINE // 2),
    "samples": "*** Sampled system activity (" * 2000,
    "ptdaemon": "Time,11-26-2026 10:00:00.334," + "Watts," * 9000,
    "equal signs": "RDTSC,Elapsed Time\n" + "a = " * 10_000,
    "short lines": "\n1,2" * (LINE // 4),
    "blank lines": "\n" * LINE,
}


def repeated(text: str, size: int) -> str:
    """A log made as long as asked, its rows again and again."""
    lines = text.split("\n")
    body = "\n".join(lines[1:])
    count = max(1, size // max(1, len(body)))
    return "\n".join([lines[0], *[body] * count])


def seconds(text: str, folder: Path) -> tuple[float, str]:
    """Of the processor, and what came of it."""
    file = folder / "log"
    file.write_text(text)
    begun = time.process_time()
    try:
        said = describe_log(str(file), interval_s=1.0).format
    except InputError as error:
        said = re.sub(r"^\S*log(:\d+)?: ", "", str(error))[:60]
    return time.process_time() - begun, said


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--mib", type=float, default=1.0)
    size = int(parser.parse_args().mib * 2**20)
    slower = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (*ALL.items(), *SLOW.items()):
            plain = name in SLOW
            whole = (text + "\n") * max(1, size // len(text)) if plain else repeated(text, size)
            took, said = seconds(whole, Path(folder))
            rate = took / (len(whole) / 2**20)
            slower += rate > MOST_S
            print(
                f"{rate:7.3f} s/MiB  {'SLOW ' if rate > MOST_S else ''}{name}: {said}", flush=True
            )
    return 1 if slower else 0


if __name__ == "__main__":
    sys.exit(main())
