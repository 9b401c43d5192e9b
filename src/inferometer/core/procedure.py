"""How a study is measured: how often, how precisely, within which limits."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from inferometer.core.options import PRESET_FIELDS, PRESETS, PROCEDURE, Option, Takes
from inferometer.core.ranges import Range, value_text

_TABLE = {option.field: option for option in PROCEDURE}


Mode = Sequence[Sequence[str]]
"""Ways of which one may be taken at the most; of each, what asks for it, alone or together."""

WAYS: Mode = (("pair",), ("sustain",), ("find_cliff",))
"""Ways to measure beside the usual one, by their keys."""
NOT_BESIDE_A_CONTROL: Mode = (("control",), ("pair", "sustain"))
"""It is of use where its rounds lie between those of the others."""


def clash(mode: Mode, given: Collection[str]) -> str:
    """What of the things given asks for two ways, in a sentence; empty where nothing does."""
    asked = [[name for name in way if name in given] for way in mode]
    taken = [" and ".join(names) for names in asked if names]
    return f"{taken[0]} does not go with {taken[1]}" if len(taken) > 1 else ""


@dataclass(frozen=True, kw_only=True)
class Procedure:
    """The rules of measuring. Inert: it only holds its values, and checks that they make sense.

    Runs are kept that other versions measured; what users may ask for today is said by `checked`.

    Attributes:
        target: relative half-width of the median's interval at which a workload is done.
        confidence: nominal coverage of that interval.
        processes: fresh processes that measure each workload, one after the other; further ones
            follow, up to twice as many, where the target asks for them.
        min_calls: timed calls at the least, over all processes, never under 10.
        max_calls: timed calls at the most, over these processes.
        min_rounds: rounds at the least, over all processes.
        span_s: wall-clock seconds over which the rounds spread at the least, over all processes.
        round_s: about how long one round lasts, seconds; a round holds at least one call.
        max_time_s: once the least is there, no round begins after this many timed seconds.
        timeout_s: longest silence of a worker in a load, call or round, before it is taken to hang.
        memory_limit_bytes: most that a worker may use; None is all there is without swapping.
        control: measure `core.workload.CONTROL` as one more workload, interleaved with the others.
        skip_larger: skip what memory is not expected to hold, and after a batch ran out of memory
            or time, the larger ones of its size.
        budget_s: wall-clock time of the whole run; None is no limit.
        seed: seeds the order of the rounds, the random weights and the inputs.
        pair: measure two variants in A-B-B-A groups of short blocks, to compare them.
        sustain_s: seconds of continuous inference of each workload; None is interleaved rounds.
        energy: whether energy is measured where there is a power source.
        energy_window_s: least seconds of a window of energy; None is what the sensor needs.
        find_cliff: `batch`: after the study's workloads, measure further batch sizes until it is
            known where throughput collapses or memory runs out; None measures the study alone.
        roofline: whether a short probe before the run finds what the device attains at best.
        data: reference of the labelled data on which accuracy is judged; None judges none.
        metric: measure of accuracy; None is the usual one of the task.
        operator_times: whether each variant is profiled at one shape, after all latencies; no
            preset but `quick` leaves it out.
    """

    target: float = 0.05
    confidence: float = 0.95
    processes: int = 3
    min_calls: int = 12
    max_calls: int = 100_000
    min_rounds: int = 20
    span_s: float = 10.0
    round_s: float = 0.25
    max_time_s: float = 30.0
    timeout_s: float = 180.0
    memory_limit_bytes: int | None = None
    skip_larger: bool = True
    budget_s: float | None = None
    seed: int = 0
    pair: bool = False
    sustain_s: float | None = None
    energy: bool = True
    energy_window_s: float | None = None
    find_cliff: str | None = None
    roofline: bool = True
    data: str | None = None
    metric: str | None = None
    control: bool = False
    operator_times: bool = False

    def __post_init__(self) -> None:
        """Check that the values make sense.

        Raises:
            ValueError: one does not, or two do not go together; the message names them.
        """
        for name, option in _TABLE.items():
            value = getattr(self, name)
            if value is not None and not _makes_sense(option.takes, value):
                raise ValueError(f"{name} must be {option.words}, not {value_text(value)}")
        if self.max_calls < self.min_calls:
            raise ValueError("max_calls must not be less than min_calls")
        given = [one.key for one in PROCEDURE if getattr(self, one.field) not in (None, False)]
        for mode in (WAYS, NOT_BESIDE_A_CONTROL):
            if problem := clash(mode, given):
                raise ValueError(problem)


def _makes_sense(takes: Takes, value: Any) -> bool:  # noqa: ANN401 - of a run, maybe an old one
    """Whether a value may be measured with, be it more than users may ask for today."""
    if isinstance(takes, Range):
        return takes.reaches(value) and not (takes.below and value >= takes.high)
    return not isinstance(takes, tuple) or value in takes


def _check(option: Option, value: Any) -> Any:  # noqa: ANN401 - whatever the user gave
    takes = option.takes
    if isinstance(takes, Range):
        return takes.check(option.field, value)
    if takes == "text":
        fits = isinstance(value, str) and bool(value.strip()) and value.isprintable()
    else:
        fits = isinstance(value, bool) if takes == "truth" else value in takes
    if not fits:
        raise ValueError(f"{option.field} must be {option.words}, not {value_text(value)}")
    return value


def checked(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of fields of `Procedure`, each one that its option takes, as plain objects.

    Args:
        values: by field name; what is no option stays as it is.

    Raises:
        ValueError: one is not; the message names it.
    """
    may_lack = {name for name in _TABLE if getattr(Procedure, name) is None}
    return {
        name: value
        if name not in _TABLE or (value is None and name in may_lack)
        else _check(_TABLE[name], value)
        for name, value in values.items()
    }


def values_of_preset(name: str) -> dict[str, Any]:
    """What a preset says of every field that any preset decides.

    Raises:
        ValueError: no preset has this name.
    """
    if name not in PRESETS:
        raise ValueError(f"no preset is called {value_text(name)}; known: {', '.join(PRESETS)}")
    return {field: getattr(Procedure, field) for field in PRESET_FIELDS} | dict(PRESETS[name])
