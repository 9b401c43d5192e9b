"""How far a figure can be trusted, and why: from the signals of its rounds and its own shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from inferometer.core.procedure import Procedure
from inferometer.core.record import Round, Value
from inferometer.figures.evidence import Evidence
from inferometer.figures.outliers import standouts
from inferometer.figures.symptoms import symptoms

ORDER = ("swapped", "throttled", "contended", "drifting", "unstable", "noisy")
"""The worst cause gives the verdict; all are told."""

NOT_OBSERVED = "the state of the device during the measurement was not observed"
ONE_PROCESS = "one process: how much a fresh process differs was not observed"
GROUPS = {
    "a reference kernel": ("canary_compute_s", "canary_loop_s"),
    "the wait for a processor": ("run_delay_s",),
    "other programs": ("other_cpu_s",),
    "swap": ("swap_in_pages", "swap_out_pages"),
    "pressure": ("pressure_cpu_s", "pressure_memory_s"),
    "stolen time": ("steal_s",),
    "clock frequency": ("frequency_min_hz",),
    "throttling": ("throttle_events", "throttled_bits", "gpu_clock_event_bits"),
    "temperature": ("temperature_c",),
}
"""What may be unobservable, and the signals of which one is enough to observe it."""
NEEDED = ("a reference kernel", "the wait for a processor", "swap")
"""Without these nothing is called trusted."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One word, and the sentences behind it.

    Attributes:
        verdict: `trusted`, one of `ORDER`, or `unknown`.
        causes: why, each with its figure; then calls that stood out, which alone change no
            verdict; then what could not be observed.
    """

    verdict: str
    causes: list[str]


def judge(
    rounds: Sequence[Round],
    *,
    procedure: Procedure,
    figures: Mapping[str, Value],
    steady: bool | None,
) -> Verdict:
    """Judge a workload.

    A cause that was found stands, however little else was observed. Without one, a figure is
    trusted only where a reference kernel, the wait for a processor and swap were observed.

    Args:
        rounds: those that count; warm-up rounds are left out.
        procedure: the target it had.
        figures: of its record, as far as they are known.
        steady: whether a steady state was found; None where nobody looked.
    """
    timed = [done for done in rounds if done.phase == "measure"]
    evidence = Evidence(timed)
    found = [*evidence.causes(), *symptoms(timed, procedure, figures, steady=steady)]
    found.sort(key=lambda cause: ORDER.index(cause.verdict))
    unseen = [name for name, names in GROUPS.items() if not evidence.has(names)]
    return Verdict(
        verdict=found[0].verdict if found else _without_cause(unseen),
        causes=[
            *(cause.sentence for cause in found),
            *filter(None, [standouts(timed)]),
            *_caveats(unseen, figures),
        ],
    )


def _without_cause(unseen: Sequence[str]) -> str:
    return "unknown" if any(name in unseen for name in NEEDED) else "trusted"


def _caveats(unseen: Sequence[str], figures: Mapping[str, Value]) -> list[str]:
    found = []
    if len(unseen) == len(GROUPS):
        found.append(NOT_OBSERVED)
    elif unseen:
        found.append(f"not observable: {', '.join(unseen)}")
    if figures.get("latency_processes") == 1:
        found.append(ONE_PROCESS)
    return found
