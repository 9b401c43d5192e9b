"""Names of columns that people use, and the field that each means.

Underscores do not count. A name stands here without its unit and its statistic, which `names` takes
off: `avg_inference_time_ms` is `inference_time`.
"""

from __future__ import annotations

from inferometer.store.tables.units import Kind, Per

LATENCIES = "latency_*_s"
"""Field of every statistic of the latency."""

_LATENCY = """
latency lat latencies inference_time inference infer_time inference_latency infer_latency infer
step_time infer_step_time infer_step forward_time forward forward_pass forward_pass_time runtime
forward_latency execution_time exec_time run_time elapsed elapsed_time response_time compute_time
time time_inference inference_speed speed prediction_time pred_time test_time duration batch_latency
batch_time latency_batch inference_duration infer_ms invoke_time invocation_time
"""
_TOTAL = """
total_latency total_lat total_time e2e_latency end_to_end_latency e2e total end_to_end latency_total
"""
_OF_SAMPLE = """
time_per_image latency_per_image time_per_sample latency_per_sample time_per_frame latency_per_frame
image_latency sample_latency inference_time_per_image per_image_latency latency_per_img time_per_img
time_image frame_time
"""
_OF_CALL = """
time_per_batch latency_per_batch time_per_call latency_per_call time_per_iter per_batch_latency
"""
_RATE = """
throughput fps qps ips images_per_s imgs_per_s infer_fps inference_fps frame_rate inference_rate
rate samples infer_samples infer images imgs frames inference inferences speed performance
infer_throughput inference_speed
"""
_MEMORY = """
memory mem peak_memory peak_mem ram peak_ram memory_usage mem_usage peak_memory_usage memory_peak
memory_footprint rss peak_rss mem_peak used_memory memory_used memory_consumption ram_usage max_rss
peak_memory_footprint cpu_memory host_memory ram_peak process_memory
"""
_DEVICE_MEMORY = """
gpu_memory gpu_mem vram peak_vram peak_gpu_memory peak_gpu_mem cuda_memory gpu_memory_usage gpu_ram
device_memory peak_cuda_memory memory_gpu gpu_memory_peak vram_usage gpu_peak_memory
"""
_FILE_SIZE = "model_size file_size size weights_size disk_size size_on_disk"
_PARAMETERS = """
params param parameters parameter num_parameters n_parameters param_count parameter_count num_params
n_params total_params params_count total_parameters parameters_count weights_count
"""
_MACS = "macs mac madds mult_adds multiply_adds infer_macs"
_ENERGY = """
energy energy_consumption energy_per_inference energy_per_image energy_per_sample energy_per_frame
energy_inference energy_usage energy_image energy_consumed inference_energy
"""
_ENERGY_OF_CALL = "energy_per_batch energy_batch energy_per_call"
_POWER = """
power power_consumption power_draw gpu_power board_power total_power system_power power_usage
"""
_CALLS = """
calls num_runs n_runs num_calls num_iterations n_iterations num_iters iterations runs num_repeats
repeats
"""

QUANTITIES: tuple[tuple[str, Kind, int, Per, str], ...] = (
    (LATENCIES, "time", 3, "", _LATENCY),
    (LATENCIES, "time", 2, "", _TOTAL),
    (LATENCIES, "time", 3, "sample", _OF_SAMPLE),
    (LATENCIES, "time", 3, "call", _OF_CALL),
    ("throughput_per_s", "rate", 3, "", _RATE),
    ("peak_memory_bytes", "bytes", 3, "", _MEMORY),
    ("device_memory_bytes", "bytes", 3, "", _DEVICE_MEMORY),
    ("artifact_bytes", "bytes", 3, "", _FILE_SIZE),
    ("parameters", "count", 3, "", _PARAMETERS),
    ("trainable_parameters", "count", 3, "", "trainable_params trainable"),
    ("macs", "count", 3, "", _MACS),
    ("flops", "count", 3, "", "flops flop total_flops"),
    ("energy_per_inference_j", "energy", 3, "", _ENERGY),
    ("energy_per_inference_j", "energy", 3, "call", _ENERGY_OF_CALL),
    ("power_mean_w", "power", 3, "", _POWER),
    ("power_idle_w", "power", 3, "", "idle_power power_idle idle"),
    ("load_s", "time", 3, "", "load_time loading_time model_load_time model_load load"),
    ("first_call_s", "time", 3, "", "first_inference first_call first_inference_time first_run"),
    ("latency_calls", "other", 3, "", _CALLS),
)
"""Figures: field, kind, how surely the names mean it, of what it is, and the names."""

_MODEL = "model model_name network net network_name arch architecture backbone model_id"
_MACHINE = """
device_name board hardware platform machine host host_name soc gpu_name gpu cpu chip processor hw
accelerator
"""
_BATCH = "batch batch_size bs bsz infer_batch_size batch_sz mini_batch batches_size"
_SIDE = """
size resolution image_size imgsz img_size input_size infer_img_size image_resolution img
input_resolution res crop_size img_sz input_res image input seq_len sequence_length seq_length
input_length sequence_len infer_image_size seq
"""
_BACKEND = "backend runtime framework engine inference_engine backend_name library"
_THREADS = """
threads num_threads n_threads thread cpu_threads intra_op_threads thread_count threads_count
intra_op_num_threads omp_num_threads number_of_threads
"""

IDENTITIES: tuple[tuple[str, str], ...] = (
    ("model", _MODEL),
    ("device_name", _MACHINE),
    ("batch_size", _BATCH),
    ("input_size", _SIDE),
    ("backend", _BACKEND),
    ("precision", "precision dtype data_type torch_dtype weight_type"),
    ("threads", _THREADS),
    ("dataset", "dataset data_set"),
)
"""Fields that say what was measured, and their names."""

_TOP1 = """
top1 top1_acc top1_accuracy acc1 imagenet_top1 acc_top1 accuracy_top1 top1_val val_top1
"""
_ACCURACY = """
accuracy acc val_acc test_acc test_accuracy val_accuracy validation_accuracy eval_accuracy
imagenet_acc
"""
_MAP = """
map map50_95 map_val_50_95 map_val map50_95_b box_map map5095 coco_map metrics_map50_95
metrics_map50_95_b map_coco ap box_ap
"""

ACCURACIES: tuple[tuple[str, int, str], ...] = (
    ("top1", 6, _TOP1),
    ("accuracy", 5, _ACCURACY),
    ("mAP", 4, _MAP),
    ("mIoU", 4, "miou mean_iou iou"),
    ("dice", 3, "dice dice_score mean_dice"),
    ("F1", 2, "f1 f1_score f1_macro macro_f1"),
)
"""Metrics, of which the first that a table has is its accuracy, and their names."""

WEAK = frozenset(
    {
        *("time", "duration", "elapsed", "speed", "infer", "inference", "forward", "testtime"),
        *("inferstep", "batchtime", "runtime", "total", "e2e", "endtoend"),
    }
)
"""Names that mean a latency for sure only with a unit of time."""
RATES_WITHOUT_UNIT = frozenset(
    {
        *("throughput", "fps", "qps", "ips", "imagespers", "imgspers", "inferfps", "inferencefps"),
        *("framerate", "inferencerate", "inferthroughput"),
    }
)
"""Names that mean a rate without a unit."""
STATISTICS = {
    **dict.fromkeys(("mean", "avg", "average", "averaged"), "mean"),
    **dict.fromkeys(("median", "p50", "med"), "median"),
    **dict.fromkeys(("std", "stdev", "stddev", "sd", "deviation"), "std"),
    **dict.fromkeys(("min", "minimum", "fastest"), "min"),
    **dict.fromkeys(("max", "maximum", "slowest"), "max"),
    **{name: name for name in ("p10", "p90", "p95", "p99")},
}
"""Words for statistics, and how fields call them."""
