"""The words of every statement: what a code means in plain English, with places for its values.

Codes are stored and exported: none is ever renamed. A template is one text, or several of which
those after the first are left out where a value of theirs is not there. How a value is shown
stands after its colon: as Python formats numbers, or by a name of `statement.FORMS`.
"""

from __future__ import annotations

Template = str | tuple[str, ...]

CAUSES: dict[str, Template] = {
    # What the device showed
    "swapped": "memory was short: {pages:n page} went to swap or came back",
    "major_faults": ("{pages:n page} had to be read from a disk in {rounds} rounds (major faults)"),
    "clock_lowered": "the device lowered its clock {events:n time}: heat or current",
    "firmware_throttled": (
        "the firmware reported throttling or too low a voltage (bits {bits:#x})"
    ),
    "gpu_slowed": "the GPU slowed down because of heat or power (bits {bits:#x})",
    "gpu_power_limit": "the GPU ran into its power limit",
    "clock_fell": (
        "the clock fell from {highest_hz:GHz} to {lowest_hz:GHz} GHz; in {lower} of {rounds} "
        "rounds it was lower, and they were {slower:.0%} slower"
    ),
    "kernel_slow": (
        (
            "a reference kernel ({kernel:words}) ran more than {above:.0%} slower than its best in "
            "{slow} of {rounds} rounds, and the latency rose by as much in {risen}"
        ),
        " (in the other {calm} a call took {calm_s:seconds})",
    ),
    "other_programs": "other programs used {share:.0%} of a core (other_cpu_s)",
    "run_delay": "its threads waited for a processor {share:.1%} of the time (run_delay_s)",
    "cpu_pressure": (
        "some program waited for a processor {share:.1%} of the time (pressure_cpu_s)"
    ),
    "memory_pressure": "some program waited for memory {share:.1%} of the time (pressure_memory_s)",
    "io_pressure": "some program waited for a disk {share:.1%} of the time (pressure_io_s)",
    "stolen": "the host gave {share:.1%} of the processor time to others (steal_s)",
    "switched": "it was made to give up a processor {switches:.0f} times in {calls} calls",
    "stood_still": (
        "the process stood still for {still_s:.2f} s in {long} of {rounds} rounds: it neither ran "
        "nor waited for a processor"
    ),
    # What the latencies say
    "unsteady": "no steady state: the latency kept changing while it was timed",
    "drift": "the latency moved by {change:+.1%} from beginning to end",
    "spells": (
        "calls resemble their neighbours over {tau_calls:.0f} calls: there are slow and fast spells"
    ),
    "two_levels": (
        "calls take either about {low_s:seconds} or about {high_s:seconds}: two levels, and the "
        "median is of both"
    ),
    "moved_alone": (
        "from {begin_s:.0f} to {end_s:.0f} s of the run it alone was {change:+.0%} off while the "
        "other workloads were not: something was wrong with this one"
    ),
    "no_interval": "there is too little to make an interval",
    "wide_interval": "the interval is ± {reached:half}, the target ± {target:.1%}",
    # Remarks, which alone change no verdict
    "outliers": (
        "{outliers} of {total} {unit:words} were outliers among their neighbours, with no signal "
        "to explain them"
    ),
    "outliers_with_signal": (
        "{outliers} of {total} {unit:words} were outliers among their neighbours, {among} of them "
        "in rounds in which {signal:words} more than usual ({signal})"
    ),
    "not_observed": "the state of the device during the measurement was not observed",
    "not_observable": "not observable: {groups:words}",
    "one_process": "one process: how much a fresh process differs was not observed",
}

NOTES: dict[str, Template] = {
    "not_counted": "operations not counted: {reason}",
    "forecast_lower_bound": (
        "the memory forecast is a lower bound: no smaller shape of this model was measured before"
    ),
    "may_not_fit": (
        "about {needed_bytes:bytes} of memory were expected, near or above the limit of "
        "{limit_bytes:bytes}"
    ),
    "faster_than_roofline": (
        "it was faster than the roofline bound that was measured before ({share:percent} of it), "
        "so the bound does not hold: other programs slowed its probe down, or the runtime does "
        "less work than is counted, or computes with fewer bits (TF32)"
    ),
    "operators_unknown": (
        "operations of {operators} are not known: MACs and FLOPs are lower bounds, and arithmetic "
        "intensity and roofline bounds are null"
    ),
    "peaks_apart": (
        "peak memory is that of the first of {processes} processes: {lowest_bytes:bytes} to "
        "{highest_bytes:bytes}"
    ),
    "part_of_models": (
        "measured in a group of {models} of {total} models: memory did not hold all of them side "
        "by side"
    ),
    "few_calls": (
        "the budget left time for {calls} timed calls in place of at least {wanted}: the figure is "
        "of these"
    ),
    "part_of_workloads": (
        "measured in a group of {workloads} workloads: the run had been interrupted before all "
        "were warm"
    ),
    "own_shape": "the inputs have a shape of their own, which the input size did not change",
    "own_batch": (
        "the inputs hold no array that the batch size could change, so there is no throughput; a "
        "factory that takes batch_size can make such inputs"
    ),
    "changes_inputs": (
        "the model changes its inputs: each call gets fresh ones, made outside the timing"
    ),
    "late_promise": ("a call returns before its work is done; the timing goes on until it is"),
    "late_refusal": "measured under no_grad: under inference_mode a shape fails",
    "same_process": "measured in the caller's own process, which held other things too",
    "imported": "imported from {file}; no observations",
    "rows_joined": (
        (
            "{rows:n row} of the table are of this workload: mean, deviation and interval are "
            "between them"
        ),
        "; {failed} more failed",
    ),
    "rows_failed": "{failed} of {rows:n row} of the table failed",
    "unit_deduced": "the unit of {column} is not told in the table; {unit} was taken: {why}",
    "flops_as_told": (
        "the table calls {column} FLOPs; many count multiply-accumulates under that name, which "
        "would be half as many operations"
    ),
}

ENERGY: dict[str, Template] = {
    "energy_not_reached": "energy was not reached: the run ended before its windows",
    "energy_no_source": "{text}",
    "energy_off": "energy was switched off (--no-energy)",
    "energy_not_in_procedure": (
        "energy is not part of this procedure (preset quick, or energy: false in the study), since "
        "its windows take minutes: name a meter with --meter"
    ),
    "energy_not_in_mode": "energy is not measured in a {mode} run",
    "energy_replayed": (
        "the device tree is a recording (--root): {sources} would be read, but does not move there"
    ),
    "energy_no_time": (
        "energy was not measured: its windows take about {needed_s:duration}, more than the budget "
        "had left"
    ),
    "energy_fit": (
        "energy: {fit} of {planned} workloads fit into the {left_s:duration} that are left; each "
        "takes at least {each_s:duration}"
    ),
    "energy_most_fit": (
        "energy: at most {fit} of {planned} workloads fit into the {left_s:duration} of the budget "
        "that are kept for it; {source} needs at least {each_s:duration} for each"
    ),
    "energy_takes": (
        "energy takes at least {total_s:duration} more for {planned} workloads: {source} needs "
        "{each_s:duration} for each (--budget limits it)"
    ),
    "energy_lengthened": (
        "energy: windows of work last {window_s:duration} instead of the {asked_s:duration} that "
        "were asked for, since {source} gives a new value only every {every_s:seconds}"
    ),
    "energy_log_rate": (
        "energy: windows of {window_s:duration} are made for a meter that logs at least once a "
        "second; for a slower one let it log before the run begins and name its file "
        "(--power-log FILE), or its interval (--power-log 'log://FILE?interval=5s')"
    ),
    "energy_failed": "energy was not measured: {message} ({kind})",
    "energy_later": (
        "the windows were marked for a meter whose log is joined later: inferometer energy attach",
        " {run_id}",  # without it the latest run is meant
        " --power-log FILE",
    ),
    "energy_withheld": "{source}: withheld: {reason}",
    "net_withheld": "no net figure: {reason}",
    "other_source": (
        "{source} ({scope}, {method}): {gross_j±gross_half_j} per sample",
        ", {net_j±net_half_j} above idle",
        ", {mean_w:watts}",
    ),
    "other_source_withheld": "{source} ({scope}, {method}): withheld: {reason}",
}

ACCURACY: dict[str, Template] = {
    "accuracy_not_reached": "accuracy was not reached: the run ended before its samples",
    "accuracy_no_time": "accuracy was not judged: the budget left no time for it",
    "accuracy_failed": "accuracy was not judged: {message} ({kind})",
    "accuracy_undefined": "the metric {metric} has no value over {samples} samples",
    "accuracy_no_interval": "no interval of the accuracy: {why}",
    "accuracy_cut": (
        "the budget left time for {judged} of the {samples} samples of the data: accuracy is of "
        "the first of them, which are in random order"
    ),
    "samples_skipped": ("{skipped:n sample} of the data could not be used, such as {name}: {why}"),
}

OPERATORS: dict[str, Template] = {
    "operators_not_reached": "operators were not timed: the run ended before them",
    "operators_no_time": "operators were not timed: the budget left no time for it",
    "operators_no_profiler": "operators were not timed: {backend} has no profiler",
    "operators_failed": "operators were not timed: {message} ({kind})",
}

FIDELITY: dict[str, Template] = {
    "fidelity_not_reached": "fidelity was not reached: the run ended before its samples",
    "fidelity_no_time": "fidelity was not judged: the budget left no time for it",
    "fidelity_failed": "fidelity was not judged: {message} ({kind})",
    "fidelity_no_reference": "fidelity was not judged: the reference {reference} failed: {message}",
    "fidelity_no_samples": "no sample was compared in the time",
    "fidelity_other_outputs": (
        "it gives another number of outputs: {found}, where the reference gives {expected}"
    ),
    "fidelity_other_shapes": (
        "its output {output} is of shape {found}, where that of the reference is of {expected}"
    ),
    "fidelity_nan": "{nan} of {of} values of its output {output} are NaN",
    "fidelity_infinite": (
        "{infinite} of {of} values of its output {output} are infinite where the reference's are "
        "not, or the other way round"
    ),
    "fidelity_nan_in_reference": (
        "{nan} of {of} values of output {output} of the reference are NaN: it cannot judge"
    ),
    "fidelity_vanishing": (
        "the outputs vanish (random weights do that), so that equal ones show nothing; take "
        "trained weights (?weights=FILE) or ?weights=calibrated"
    ),
    "fidelity_no_signal": (
        "the reference's outputs hardly depend on the sample: a constant answer is off by "
        "{signal:percent}, and this one by {error:percent}; take trained weights "
        "(?weights=FILE), ?weights=calibrated, or real data (--data)"
    ),
}

TEMPLATES: dict[str, Template] = CAUSES | NOTES | ENERGY | ACCURACY | FIDELITY | OPERATORS

UNSEEN = frozenset({"not_observed", "not_observable", "one_process"})
"""Causes that say what nobody could see, and not what was seen."""

WORDS = {
    # Reference kernels
    "canary_compute_s": "hashing",
    "canary_loop_s": "a plain loop",
    # What was timed
    "calls": "calls",
    "values": "values, means of several calls,",
    # What an unusual signal means
    "swap_in_pages": "memory came back from swap",
    "major_faults": "memory was read from a disk",
    "run_delay_s": "its threads waited for a processor",
    "involuntary_switches": "it had to give up a processor",
    "steal_s": "the host gave time to others",
    # What can be observed
    "reference_kernel": "a reference kernel",
    "run_delay": "the wait for a processor",
    "other_programs": "other programs",
    "swap": "swap",
    "pressure": "pressure",
    "steal": "stolen time",
    "clock": "clock frequency",
    "throttling": "throttling",
    "temperature": "temperature",
}
"""Words of values that are names; several names are separated by spaces."""

EARLIER = {
    "not observable: ": "not_observable",
    "the state of the device during the measurement was not observed": "not_observed",
    "one process: how much a fresh process differs was not observed": "one_process",
    "the interval is ±": "wide_interval",
    "there is too little to make an interval": "no_interval",
    "the memory forecast is a lower bound": "forecast_lower_bound",
    "energy was not reached: the run ended before its windows": "energy_not_reached",
}
"""How sentences begin that earlier versions stored and this one decides by → their codes."""
