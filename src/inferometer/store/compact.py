"""Figures of a record in few bytes: JSON, deflated with a dictionary of the fields' names.

As text alone a record has some four thousand bytes, nearly all of it names and nulls, which are the
same in every other; what is left is a fifth of that. A checksum of the text is part of the format.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any

from inferometer.core.record import FIELDS

_NAMES = """
parameters parameters_with_duplicates trainable_parameters parameter_bytes buffer_bytes macs flops
latency_mean_s latency_std_s latency_median_s latency_p90_s latency_p95_s latency_p99_s
latency_min_s latency_max_s latency_ci_low_s latency_ci_high_s latency_confidence latency_calls
latency_rounds latency_processes latency_target_met warmup_calls first_call_s load_s steady
throughput_per_s peak_memory_bytes memory_counter energy_per_inference_j
energy_net_per_inference_j energy_uncertainty_j power_mean_w power_idle_w energy_source
energy_scope energy_method energy_reason accuracy accuracy_metric accuracy_examples dataset
verdict causes weights notes latency_ci_method latency_calls_per_value latency_timer_overhead_s
started_at latency_mean_ci_low_s latency_mean_ci_high_s latency_p10_s latency_tau_calls
latency_between_processes sustained_first_s sustained_last_s sustained_span_s
energy_net_uncertainty_j energy_net_below_j energy_latency_s energy_windows energy_interval
energy_others elementwise_flops activation_bytes activation_peak_bytes compulsory_bytes
operator_bytes operator_calls unknown_operators operations_method memory_baseline_bytes
memory_weights_bytes memory_activation_bytes memory_instrument_bytes memory_forecast_bytes
device_memory_bytes artifact_bytes cold_start_s arithmetic_intensity roof_latency_s roof_share
roof_limit operator_roof_latency_s memory_bound_share dispatch_latency_s gradient_mode pending
latency_relative_ci_low_s latency_relative_ci_high_s latency_relative_freedom
latency_state_half_width latency_undisturbed_s latency_undisturbed_ci_low_s
latency_undisturbed_ci_high_s usable_for accuracy_ci_low accuracy_ci_high accuracy_interval
accuracy_reason dataset_digest accuracy_batch_size data_latency_s data_latency_ci_low_s
data_latency_ci_high_s data_over_synthetic data_over_synthetic_ci_low data_over_synthetic_ci_high
data_load_s data_preprocess_s data_postprocess_s prepare_s prepare_log fidelity_relative_error
fidelity_max_abs fidelity_cosine fidelity_top1_agreement fidelity_samples fidelity_verdict
fidelity_snr_db fidelity_reference fidelity_reason
"""
_WORDS = (
    '"trusted" "contended" "throttled" "swapped" "drifting" "noisy" "unknown" "random" '
    '"joint fit of  rounds of  workloads" "comparison" "none" "code": "values":{" '
    ":true, :false, :[], :0.95, :0.0, "
)
DICTIONARY = (_WORDS + ":null,".join(f'"{name}"' for name in _NAMES.split()) + ":null}").encode()
"""Never changed, since stored figures cannot be read without it: a field that is added later costs
its name in each record. Another dictionary would be told from this by the checksum that each text
begins with."""

_PLACES = {name: place for place, name in enumerate(FIELDS)}


def compacted(figures: Mapping[str, Any]) -> bytes:
    """Figures, as JSON has them, to be stored.

    Raises:
        ValueError: a number is not finite.
    """
    ordered = sorted(figures.items(), key=lambda one: _PLACES.get(one[0], len(_PLACES)))
    text = json.dumps(dict(ordered), separators=(",", ":"), allow_nan=False)
    packer = zlib.compressobj(9, zdict=DICTIONARY)
    return packer.compress(text.encode()) + packer.flush()


def expanded(cell: object, longest: int) -> object:
    """The text of JSON that a cell holds; a cell that is no blob, as it is.

    Args:
        cell: as it is stored.
        longest: characters that a text may have.

    Raises:
        ValueError: it is no such blob, or would be too long.
    """
    if not isinstance(cell, bytes):
        return cell
    unpacker = zlib.decompressobj(zdict=DICTIONARY)
    try:
        text = unpacker.decompress(cell, longest)
        if not unpacker.eof or unpacker.unused_data:
            raise ValueError("a blob that was cut, or is far too long")
        return text.decode()
    except (zlib.error, UnicodeDecodeError):
        raise ValueError("a blob that holds no figures") from None
