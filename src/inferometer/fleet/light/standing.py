"""How far each workload is, and what it is called."""

import json
import sys
import time
from typing import Any, Dict, List, Optional

from inferometer.fleet.light.plan import TIMES, half_width
from inferometer.fleet.light.pool import Workload
from inferometer.fleet.light.results import key_of


class Standing:
    """How far one workload is.

    Attributes:
        figures: what its first warm-up showed.
        medians: of the rounds of each process that is over.
        calls: that count, in all processes.
        call_s: seconds of one call.
    """

    def __init__(self, workload: Workload) -> None:
        self.workload = workload
        self.key = key_of(workload)
        self.figures: Optional[Dict[str, Any]] = None
        self.medians: List[float] = []
        self.calls = 0
        self.call_s: Optional[float] = None

    def wants_more(self, procedure: Dict[str, Any]) -> bool:
        """Whether it gets another process: a planned one, or one that shortens its interval."""
        done, planned = len(self.medians), procedure["processes"]
        if done < planned:
            return True
        if planned == 1 or done >= TIMES * planned:
            return False
        return bool(half_width(self.medians, procedure["confidence"]) > procedure["target"])

    @property
    def work(self) -> float:
        """A number that grows with the cost of a call, among shapes of one model."""
        size = self.workload["input_size"] or 1
        return float(self.workload["batch_size"] * size**2)


def label_of(workload: Workload) -> str:
    """For people: `resnet18 224/8`."""
    size = workload["input_size"] or "own"
    usual = ("torch", "fp32", "cpu")
    named = [workload[name] for name in ("backend", "precision", "device")]
    extra = [value for value, one in zip(named, usual) if value != one]
    extra += [f"{name}={value}" for name, value in sorted(workload.get("options", {}).items())]
    return " ".join([workload["model"]] + extra + [f"{size}/{workload['batch_size']}"])


def iso(unix_s: float) -> str:
    """A time as the records have it."""
    return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(unix_s))


def to_stderr(line: str) -> None:
    """Tell a person, in characters that any terminal has."""
    sys.stderr.write(json.dumps(line)[1:-1].replace('\\"', '"') + "\n")
    sys.stderr.flush()
