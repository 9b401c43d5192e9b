"""What benchmark tools write, in their own forms; every figure is invented."""

from __future__ import annotations

import json

import pytest
from tests.data.published_tables import (
    APP,
    LITERT,
    LOADGEN,
    NCNN,
    NVBENJO,
    OPTIMUM,
    PYTEST,
    TIMES,
    TIMM_ACCURACIES,
    TRTEXEC,
)

from inferometer.core.errors import ImportFileError
from inferometer.store.tables.readers import READERS


def test_benchmark_model(records):
    (record,) = records(LITERT, "log.txt")
    assert (record["model"], record["backend"], record["device"]) == (
        "mobilenet_v1",
        "litert",
        "cpu",
    )
    assert (record["threads"], record["latency_calls"]) == (4, 50)
    assert record["latency_mean_s"] == pytest.approx(0.0295034)
    assert (record["latency_median_s"], record["latency_min_s"]) == (0.0294, 0.027275)
    assert (record["first_call_s"], record["load_s"]) == (0.035123, 0.017187)
    assert record["peak_memory_bytes"] == round(138.5 * 2**20)


def test_several_runs_of_benchmark_model_as_logcat_keeps_them(records):
    second = (
        LITERT.replace("mobilenet_v1", "unet")
        .replace("29503.4", "60000")
        .replace("INFO:", "I tflite  :")
    )
    assert [(r["model"], round(r["latency_mean_s"], 3)) for r in records(LITERT + second, "x")] == [
        ("mobilenet_v1", 0.03),
        ("unet", 0.03),
    ]


def test_a_run_of_benchmark_model_that_names_no_model(read, records):
    line = "Inference timings in us: Init: 1, First inference: 2, Warmup (avg): 3, Inference (avg): 21300\n"
    with pytest.raises(ImportFileError, match="--constant model=NAME"):
        read(line)
    (record,) = records(line, constant=["model=net"])
    assert record["latency_mean_s"] == 0.0213


def test_benchncnn(records):
    found = records(NCNN, "x")
    assert [(r["model"], r["device"], r["threads"]) for r in found] == [
        ("squeezenet", "cpu", 2),
        ("squeezenet_int8", "cpu", 2),
        ("squeezenet", "gpu:0", 4),
    ]
    assert [r["latency_mean_s"] for r in found] == [0.02395, 0.0312, 0.01395]
    assert (found[0]["latency_calls"], found[0]["backend"]) == (8, "ncnn")


def test_loadgen(records, said):
    (record,) = records(LOADGEN, "x", constant=["model=resnet50"])
    assert (record["latency_mean_s"], record["latency_p90_s"]) == (0.0213, 0.024)
    assert (record["throughput_per_s"], record["batch_size"]) == (46.9, 1)
    assert "INVALID" in said(LOADGEN, "x", constant=["model=resnet50"])


def test_latencies_that_wait_for_others_are_left_out(records, said):
    offline = LOADGEN.replace("SingleStream", "Offline").replace(
        "Result is", "Samples per second: 812.5\nResult is"
    )
    (record,) = records(offline, "x", constant=["model=resnet50"])
    assert (record["throughput_per_s"], record["latency_mean_s"]) == (812.5, None)
    assert "latencies of Offline are not those of calls" in said(offline, "x", constant=["model=m"])


def test_scenarios_of_loadgen_are_an_axis(records):
    both = LOADGEN + LOADGEN.replace("SingleStream", "Server").replace(
        "QPS w/o loadgen", "Completed samples per second : 9\nx"
    )
    found = records(both, "x", constant=["model=resnet50"])
    assert [r["options"] for r in found] == ["scenario=SingleStream", "scenario=Server"]


def test_benchmark_app(records):
    (record,) = records(APP)
    assert (record["model"], record["backend"], record["device"]) == ("resnet18", "openvino", "CPU")
    assert (record["batch_size"], record["latency_calls"]) == (4, 8000)
    assert (record["latency_median_s"], record["latency_mean_s"]) == (0.00745, 0.0075)
    assert (record["throughput_per_s"], record["load_s"]) == (1066.67, 0.1501)


def test_benchmark_app_as_json_and_as_it_prints(records):
    (record,) = records(
        json.dumps(
            {
                "cmd_options": {"m": "unet.xml"},
                "configuration_setup": {"batch_size": "1", "target_device": "GPU"},
                "execution_results": {
                    "latency_median": "7.5",
                    "latency_avg": "7.6",
                    "throughput": "130",
                },
            }
        )
    )
    assert (record["model"], record["device"], record["latency_median_s"]) == (
        "unet",
        "GPU",
        0.0075,
    )
    printed = (
        "[Step 5/11] Resizing\n[ INFO ] Model batch size: 2\n[Step 11/11] Dumping statistics report\n"
        "[ INFO ] Count:            1000 iterations\n[ INFO ] Latency:\n[ INFO ]    Median:        9.86 ms\n"
        "[ INFO ]    Average:       9.9 ms\n[ INFO ] Throughput:   202.00 FPS\n"
    )
    (record,) = records(printed, constant=["model=net"])
    assert (record["latency_mean_s"], record["batch_size"]) == (0.0099, 2)


def test_trtexec(records):
    (record,) = records(TRTEXEC, "x")
    assert (record["model"], record["precision"], record["batch_size"]) == (
        "resnet18.onnx",
        "fp16",
        8,
    )
    assert (record["latency_mean_s"], record["latency_median_s"]) == (0.0105, 0.01025)
    assert (record["latency_p99_s"], record["throughput_per_s"]) == (0.01125, 800.0)


def test_times_that_trtexec_exports(records):
    (record,) = records(TIMES, "times.json", constant=["model=net"])
    assert (record["latency_mean_s"], record["latency_calls"]) == (0.012, 5)


def test_pytest_benchmark(read):
    (run,) = read(PYTEST, "x.json").runs
    first, second = run.records
    assert run.run.device_name == "Some CPU"
    assert (first["model"], first["batch_size"], first["latency_calls"]) == ("net", 8, 50)
    assert (second["model"], second["batch_size"]) == ("test_plain", 1)
    assert (first["latency_mean_s"], first["latency_std_s"]) == (0.012, 0.001)


def test_optimum_benchmark(read):
    (run,) = read(OPTIMUM, "benchmark.json").runs
    (record,) = run.records
    assert run.run.device_name == "Some CPU"
    assert (record["model"], record.workload.shape.label) == ("bert", "128/64")
    assert (record["latency_mean_s"], record["latency_calls"]) == (11.5, 10)
    assert record["energy_per_inference_j"] == pytest.approx(360 / 64)
    assert record["peak_memory_bytes"] == 2_000_500_000
    with pytest.raises(ImportFileError, match="--constant model=NAME"):
        read(json.dumps(json.loads(OPTIMUM)["report"]), "benchmark_report.json")


def test_nvbenjo(records):
    assert [(r["options"], r["latency_mean_s"]) for r in records(NVBENJO)] == [
        ("runtime_options=a", 0.15),
        ("runtime_options=b", 0.3),
    ]


def test_timms_accuracies(records):
    (record,) = records(TIMM_ACCURACIES)
    assert (record["accuracy"], record["accuracy_metric"]) == (0.6975, "top1")
    assert (record["parameters"], record["input_size"]) == (11_690_000, 224)


@pytest.mark.parametrize("reader", [reader.name for reader in READERS])
@pytest.mark.parametrize(
    "content", ["", "x", "{}", "[]", '{"a": 1}', "a,b\n1,2\n", '[{"a": {"b": []}}]']
)
def test_a_reader_that_is_named_refuses_what_it_cannot_read(read, reader, content):
    with pytest.raises(ImportFileError):
        read(content, reader=reader)


@pytest.mark.parametrize("peak", [".", "0", "0.0"])
def test_a_memory_that_was_not_watched_is_none(records, peak):
    (record,) = records(LITERT.replace("overall=138.5", f"overall={peak}"))
    assert record["peak_memory_bytes"] is None
