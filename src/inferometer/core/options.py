"""One table of what a user may say of a study, wherever it is said.

Study files and their schema, the flags of `run` and the checks of the Python API follow from it.
Types and defaults stand in `core.procedure.Procedure` and `core.sweep.Sweep`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from inferometer.core.ranges import TEN_YEARS_S, Range

Takes = Range | tuple[str, ...] | Literal["names", "device", "truth", "text"]
"""A number within a range, one of some words, names, a device, true or false, or a text."""

_SUFFIXES = {"seconds": "_s", "bytes": "_bytes"}
_WORDS = {
    "truth": "true or false",
    "device": "a device such as cpu, cuda or cuda:1",
    "names": "a text of one line, or a list of such texts",
    "text": "a text of one line",
}


@dataclass(frozen=True, kw_only=True)
class Option:
    """Something that a user may say of a study.

    Attributes:
        key: its name in study files.
        takes: its values.
        many: whether it takes a list of them, and one alone too.
        own: whether one of them may be `own`, what is each model's own; None in Python.
        says: what it means, for study files.
        help: what its flag does, for the command line; empty where it has none.
        sets: what the flag sets where it takes no value.
        flag: its name on the command line where that is not the key.
    """

    key: str
    takes: Takes
    many: bool = False
    own: bool = False
    says: str
    help: str = ""
    sets: bool | None = None
    flag: str = ""

    @property
    def field(self) -> str:
        """Its name in Python: the key, with the unit; of a list of numbers the plural."""
        if not isinstance(self.takes, Range):
            return self.key
        if self.many:
            return f"{self.key}{'es' if self.key.endswith('ch') else 's'}"
        return self.key + _SUFFIXES.get(self.takes.kind, "")

    @property
    def words(self) -> str:
        """For messages, what one of its values is."""
        if isinstance(self.takes, Range):
            return self.takes.words + ", or own" * self.own
        if isinstance(self.takes, tuple):
            return " or ".join(filter(None, (", ".join(self.takes[:-1]), self.takes[-1])))
        return _WORDS[self.takes]


PRESETS: Mapping[str, Mapping[str, float | int | bool]] = {
    "quick": {
        "target": 0.10,
        "processes": 1,
        "min_calls": 10,
        "min_rounds": 5,
        "span_s": 1.0,
        "round_s": 0.1,
        "max_time_s": 5.0,
        "energy": False,
        "roofline": False,
    },
    "standard": {"operator_times": True},
    "publish": {
        "operator_times": True,
        "target": 0.02,
        "processes": 5,
        "min_calls": 60,
        "max_calls": 500_000,
        "min_rounds": 60,
        "span_s": 30.0,
        "max_time_s": 120.0,
        "energy_window_s": 60.0,
    },
}
"""What `--preset` changes in the default `Procedure`."""

PRESET_FIELDS = frozenset(name for preset in PRESETS.values() for name in preset)
"""Fields of `Procedure` that a preset decides, be it by leaving the default."""

_COUNT = Range(kind="whole", low=10, high=10**9)
_DURATION = Range(kind="seconds", low=0, high=TEN_YEARS_S, above=True)

PROCEDURE = (
    Option(
        key="target",
        takes=Range(kind="share", low=0, high=1, above=True, below=True),
        says="Half-width of the median's interval, relative to it, at which a workload is done.",
        help="Half-width of the confidence interval at which a workload is done, such as 2% of its "
        "latency [default: 5%; with --preset quick 10%, publish 2%].",
    ),
    Option(
        key="confidence",
        takes=Range(kind="share", low=0.5, high=1, below=True),
        says="Nominal coverage of that interval.",
    ),
    Option(
        key="processes",
        takes=Range(kind="whole", low=1, high=100),
        says="Fresh processes that measure each workload, one after the other.",
        help="Fresh processes that measure each workload, one after the other [default: 3; with "
        "--preset quick 1, publish 5].",
    ),
    Option(key="min_calls", takes=_COUNT, says="Timed calls of each workload, at the least."),
    Option(key="max_calls", takes=_COUNT, says="Timed calls of each workload, at the most."),
    Option(
        key="min_rounds",
        takes=Range(kind="whole", low=2, high=10**9),
        says="Rounds of each workload, at the least: short blocks of calls, apart from each other.",
    ),
    Option(
        key="span",
        takes=Range(kind="seconds", low=0, high=TEN_YEARS_S),
        says="Time over which the rounds of a workload spread, at the least.",
    ),
    Option(key="round", takes=_DURATION, says="About how long one round lasts."),
    Option(
        key="max_time",
        takes=_DURATION,
        says="Once min_calls are there, no round of a workload begins after so much timed work.",
    ),
    Option(
        key="pair",
        takes="truth",
        says="Measure two variants in A-B-B-A groups of short blocks, to compare them.",
        help="Compare two variants closely: measure them in alternating short blocks, in the order "
        "A-B-B-A.",
        sets=True,
    ),
    Option(
        key="sustain",
        takes=_DURATION,
        says="Run each workload without a pause for so long, one after the other.",
        help="Run each workload without a pause for this long, such as 10m, to see whether it "
        "slows down.",
    ),
    Option(
        key="budget",
        takes=_DURATION,
        says="Wall-clock time of the whole run. Without it: no limit.",
        help="Time limit of the whole run, such as 10m [default: none].",
    ),
    Option(
        key="timeout",
        takes=_DURATION,
        says="Longest silence of a worker, in a load, call or round, before it is taken to hang.",
        help="Time without an answer after which a model counts as hung, such as 5m [default: 3m].",
    ),
    Option(
        key="memory_limit",
        takes=Range(kind="bytes", low=1, high=2**50),
        says="Most memory of a worker. Without it: what the machine can give without swapping.",
        help="Most memory that a model may use, such as 2GiB [default: all that is free without "
        "swapping].",
    ),
    Option(
        key="skip_larger",
        takes="truth",
        says="Skip batches that memory or time are not expected to allow.",
        flag="--try-larger",
        help="Also measure batch sizes that are likely to run out of memory or time [default: skip "
        "them].",
        sets=False,
    ),
    Option(
        key="control",
        takes="truth",
        says="Measure builtin:control-v1 too: fixed work that shows how fast the machine is.",
        help="Also measure a fixed control model, by which `inferometer history` tells a slower "
        "machine from a slower model.",
        sets=True,
    ),
    Option(
        key="find_cliff",
        takes=("batch",),
        says="Measure more batch sizes until throughput collapses or memory runs out.",
        help="Afterwards try more batch sizes, until throughput collapses or memory runs out.",
    ),
    Option(
        key="seed",
        takes=Range(kind="whole", low=0, high=2**32 - 1),  # what every generator takes
        says="Seeds the order of the rounds, the random weights and the inputs.",
        help="Seed of the order, the random weights and the inputs [default: 0].",
    ),
    Option(
        key="roofline",
        takes="truth",
        says="Find what the device attains at best, by a probe of a few seconds.",
        flag="--no-roofline",
        help="Skip the probe of the device's best rates, which takes a few seconds.",
        sets=False,
    ),
    # `--no-energy` is about a run, and belongs to no study.
    Option(key="energy", takes="truth", says="Measure energy where there is a power source."),
    Option(
        key="energy_window",
        takes=_DURATION,
        says="Least length of a window of energy. Without it: what the sensor needs.",
        flag="--window",
        help="How long a workload runs without a pause while its power is read, such as 60s "
        "[default: what the sensor needs].",
    ),
    Option(
        key="data",
        takes="text",
        says="Labelled data on which accuracy is judged, as `inferometer datasets` explains it.",
        help="Labelled dataset on which to judge accuracy; see `inferometer datasets`.",
    ),
    Option(
        key="metric",
        takes="text",
        says="Measure of accuracy. Without it: the usual one of the task.",
        help="Measure of accuracy, such as f1 [default: the usual one of the task].",
    ),
    Option(
        key="operator_times",
        takes="truth",
        says="Profile each model at one shape, after all latencies, to tell where its time goes.",
    ),
)
"""Keys of `procedure`, each a field of `Procedure`, in the order of `run --help`."""

AXES = (
    Option(
        key="models",
        takes="names",
        says="Model references, as `inferometer models` explains them. One alone needs no list.",
        help="Models, by name, reference or file; see `inferometer models`.",
    ),
    Option(
        key="backends",
        takes="names",
        says="Runtimes, as `inferometer backends` lists them.",
        help="Runtimes; see `inferometer backends`.",
    ),
    Option(
        key="precisions",
        takes="names",
        says="Precisions: fp32, bf16, fp16 …",
        help="Number formats: fp32, bf16, fp16, int8; see `inferometer backends`.",
    ),
    Option(
        key="options",
        takes="names",
        says="Options of the runtimes, such as torch.memory_format=channels_last; several values "
        "of one are measured beside each other, `default` leaves it out.",
        help="Options of runtimes, such as torch.memory_format=channels_last.",
    ),
    Option(
        key="batch",
        takes=Range(kind="whole", low=1, high=1_000_000),
        many=True,
        says="Batch sizes: samples per call. One alone needs no list.",
        help="Batch sizes: samples in one call.",
    ),
    Option(
        key="size",
        takes=Range(kind="whole", low=1, high=1_000_000),
        many=True,
        own=True,
        says="Input sizes: height and width of images, or length of sequences; own: the model's.",
        help="Input sizes: height and width of images, or length of sequences; `own` is each "
        "model's own.",
    ),
    Option(
        key="threads",
        takes=Range(kind="whole", low=1, high=4096),
        says="Threads of each worker. Without it: one for each physical core that may be used.",
        help="Threads that a model runs on [default: one for each physical core].",
    ),
    Option(
        key="device",
        takes="device",
        says="Where the models run: cpu, cuda, cuda:1, mps.",
        help="Device to run on: cpu, cuda, cuda:1, mps.",
    ),
    Option(
        key="preset",
        takes=tuple(PRESETS),
        says="How precisely; what the procedure says itself wins over it.",
        help="How thorough: quick times each workload for about 5 s, standard for up to 30 s, "
        "publish for up to 2 min [default: standard].",
    ),
)
"""What a study says beside its procedure, in the order of `run --help`."""

RANGES: Mapping[str, Range] = {
    **{one.key: one.takes for one in AXES if isinstance(one.takes, Range)},
    **{one.field: one.takes for one in PROCEDURE if isinstance(one.takes, Range)},
    "depth": Range(kind="whole", low=0, high=1000),
    "samples": Range(kind="whole", low=2, high=100_000),
    "cosine": Range(kind="share", low=0, high=1),
    "seconds": _DURATION,
    "duration": Range(kind="seconds", low=0, high=TEN_YEARS_S),
    "zone": Range(kind="share", low=0, high=1),
    "fail_slower": Range(kind="share", low=0, high=100),
    "table": Range(kind="whole", low=1, high=100_000),
    "last": Range(kind="whole", low=1, high=1_000_000),
    "margin": Range(kind="share", low=0, high=100),
    "gain": Range(kind="share", low=0, high=1),
    "log_interval": Range(kind="seconds", low=0, high=86_400, above=True),
    "cache_bytes": Range(kind="bytes", low=1, high=2**50),
}
"""Every number that a user gives: of a study, and of what other commands ask for."""
