"""How far a figure can be trusted, and why: from the signals of its rounds and its own shape."""

from __future__ import annotations

from collections.abc import Sequence

from inferometer.core.procedure import Procedure
from inferometer.core.record import Round
from inferometer.core.sections import Latency, Verdict
from inferometer.core.statement import Statement
from inferometer.figures.evidence import Evidence
from inferometer.figures.outliers import outlier_remark
from inferometer.figures.symptoms import symptoms

ORDER = ("swapped", "throttled", "contended", "drifting", "unstable", "noisy")
"""The worst cause gives the verdict; all are told."""

GROUPS = {
    "reference_kernel": ("canary_compute_s", "canary_loop_s"),
    "run_delay": ("run_delay_s",),
    "other_programs": ("other_cpu_s",),
    "swap": ("swap_in_pages", "swap_out_pages"),
    "pressure": ("pressure_cpu_s", "pressure_memory_s"),
    "steal": ("steal_s",),
    "clock": ("frequency_min_hz",),
    "throttling": ("throttle_events", "throttled_bits", "gpu_clock_event_bits"),
    "temperature": ("temperature_c",),
}
"""What may be unobservable, and the signals of which one is enough to observe it."""
NEEDED = ("reference_kernel", "run_delay", "swap")
"""Without these nothing is called trusted."""


def judge(
    rounds: Sequence[Round],
    *,
    procedure: Procedure,
    latency: Latency,
    steady: bool | None,
) -> Verdict:
    """Judge a workload.

    A cause that was found stands, however little else was observed. Without one, a figure is
    trusted only where a reference kernel, the wait for a processor and swap were observed.

    Args:
        rounds: those that count; warm-up rounds are left out.
        procedure: the target it had.
        latency: what follows from the rounds.
        steady: whether a steady state was found; None where nobody looked.
    """
    timed = [done for done in rounds if done.phase == "measure"]
    evidence = Evidence(timed)
    found = [*evidence.causes(), *symptoms(timed, procedure, latency, steady=steady)]
    found.sort(key=lambda cause: ORDER.index(cause.verdict))
    unseen = [name for name, names in GROUPS.items() if not evidence.has(names)]
    return Verdict(
        verdict=found[0].verdict if found else _without_cause(unseen),
        causes=(
            *(cause.statement for cause in found),
            *filter(None, [outlier_remark(timed)]),
            *_caveats(unseen, latency),
        ),
    )


def _without_cause(unseen: Sequence[str]) -> str:
    return "unknown" if any(name in unseen for name in NEEDED) else "trusted"


def _caveats(unseen: Sequence[str], latency: Latency) -> list[Statement]:
    found = []
    if len(unseen) == len(GROUPS):
        found.append(Statement("not_observed"))
    elif unseen:
        found.append(Statement("not_observable", {"groups": " ".join(unseen)}))
    if latency.latency_processes == 1:
        found.append(Statement("one_process"))
    return found
