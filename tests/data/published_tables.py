"""Tables as people publish them, and what benchmark tools write; every figure is invented."""

import json

TIMM = (
    "model,infer_img_size,infer_samples_per_sec,infer_step_time,infer_batch_size,param_count,infer_gmacs\n"
    "net_a,224,200.0,5.0,1,2.5,0.06\nnet_b,224,40.0,200.0,8,11.69,1.82\n"
)
AXIS = "device,model,num_threads,batch_size,img_size,latency_s\n" + "".join(
    f"pi,net,{threads},1,{size},{latency}\n"
    for size in (224, 384)
    for threads in (1, 4)
    for latency in ((10.0, 10.2) if size == 224 else (32.0, 32.4))
)
REPETITIONS = "RUN,ENC_LAT,TOTAL_LAT\n0,76.0,81.0\n1,77.9,82.0\n2,78.4,82.0\n3,80.5,83.0\n"
NO_UNIT = "model,batch,latency,fps\nresnet18,1,21.3,46.9\nresnet18,4,80.1,49.9\nunet,1,200.0,5.0\n"
PANDAS = ",model,batch,latency_ms\n0,resnet18,1,21.3\n1,resnet18,4,80.1\n"
CELLS = "model,batch,latency\nresnet18,1,21.3 ms\nresnet18,4,80.1 ms\n"
SHORT = "model,batch,latency_ms,params,memory\nresnet18,1,21.3,11.7M,358\n"
PER_IMAGE = (
    "Model,Accuracy,F1 Score (Macro),Inference Time (ms/img),Parameters (M)\n"
    "VIT,0.673,0.622,87.1,85.8\nRESNET,0.679,0.644,10.5,11.2\n"
)
OOM = "model,batch,latency_ms\nresnet18,1,21.3\nresnet18,64,OOM\nresnet18,128,N/A\n"
MARKDOWN = "| model | batch | latency_ms |\n| --- | ---: | ---: |\n| resnet18 | 1 | 21.3 |\n| resnet18 | 4 | 80.1 |\n"
LITERT = """\
INFO: STARTING!
INFO: Num threads: [4]
INFO: Graph: [/data/local/tmp/mobilenet_v1.tflite]
INFO: Loaded model /data/local/tmp/mobilenet_v1.tflite
INFO: Initialized session in 17.187ms.
INFO: count=1 curr=35123
INFO: Running benchmark for at least 50 iterations
INFO: count=50 first=29902 curr=29134 min=27275 max=31899 avg=2.95034e+04 std=1097 median=29400 p95=31000

INFO: Inference timings in us: Init: 17187, First inference: 35123, Warmup (avg): 35123, Inference (avg): 29503.4
INFO: Memory footprint delta from the start of the tool (MB): init=4.2 overall=46.0
INFO: Peak memory footprint (MB): init=4.9 overall=138.5
"""
NCNN = """\
$ ./benchncnn 8 2 0
loop_count = 8
num_threads = 2
powersave = 0
gpu_device = -1
cooling_down = 1
          squeezenet  min =   23.29  max =   24.65  avg =   23.95
     squeezenet_int8  min =   23.24  max =   61.55  avg =   31.20
num_threads = 4
gpu_device = 0
          squeezenet  min =   13.29  max =   14.65  avg =   13.95
"""
LOADGEN = """\
================================================
MLPerf Results Summary
================================================
SUT name : PySUT
Scenario : SingleStream
Mode     : PerformanceOnly
90th percentile latency (ns) : 24000000
Result is : INVALID
  Min duration satisfied : Yes

================================================
Additional Stats
================================================
QPS w/ loadgen overhead         : 46.1
QPS w/o loadgen overhead        : 46.9

Min latency (ns)                : 20000000
Max latency (ns)                : 30000000
Mean latency (ns)               : 21300000
50.00 percentile latency (ns)   : 21000000
90.00 percentile latency (ns)   : 24000000
99.00 percentile latency (ns)   : 29000000

================================================
Test Parameters Used
================================================
samples_per_query : 1
target_qps : 50
"""
APP = """\
Command line parameters
m;model/resnet18.xml
d;CPU

Configuration setup
topology;torch_jit
target device;CPU
batch size;4
number of parallel infer requests;2

Execution results
compile model time (ms);150.10
first inference time (ms);9.10
total number of iterations;8000
latency (ms);7.45
avg latency;7.50
min latency;7.10
max latency;12.00
throughput;1066.67

"""
TRTEXEC = """\
&&&& RUNNING TensorRT.trtexec [TensorRT v8502] # trtexec --onnx=dir/resnet18.onnx --fp16 --shapes=input:8x3x224x224
[04/01/2024-21:10:48] [I] === Performance summary ===
[04/01/2024-21:10:48] [I] Throughput: 100.0 qps
[04/01/2024-21:10:48] [I] Latency: min = 9.5 ms, max = 11.5 ms, mean = 10.5 ms, median = 10.25 ms, percentile(90%) = 11 ms, percentile(99%) = 11.25 ms
[04/01/2024-21:10:48] [I] Enqueue Time: min = 103.7 ms, max = 105.4 ms, mean = 104.4 ms, median = 104.2 ms
[04/01/2024-21:10:48] [I] H2D Latency: min = 0.4 ms, max = 0.8 ms, mean = 0.5 ms, median = 0.4 ms, percentile(90%) = 0.6 ms
"""
TIMES = json.dumps([{"startEnqMs": n, "computeMs": 9, "latencyMs": 10 + n} for n in range(5)])
_STATS = {"min": 0.01, "max": 0.02, "mean": 0.012, "stddev": 0.001, "rounds": 50, "median": 0.0119}
PYTEST = json.dumps(
    {
        "machine_info": {"cpu": {"brand_raw": "Some CPU"}},
        "benchmarks": [
            {
                "name": "t[a]",
                "params": {"model": "net", "batch_size": 8, "mode": "x"},
                "stats": _STATS,
            },
            {"name": "test_plain", "params": None, "stats": _STATS},
        ],
    }
)
OPTIMUM = json.dumps(
    {
        "config": {
            "backend": {"name": "pytorch", "model": "bert", "device": "cpu", "torch_dtype": "float32"},
            "scenario": {"input_shapes": {"batch_size": 64, "sequence_length": 128}},
            "environment": {"cpu": " Some CPU"},
        },
        "report": {
            "load": {"latency": {"unit": "s", "mean": 15}},
            "forward": {
                "latency": {
                    "unit": "s", "values": [11, 12], "count": 10, "mean": 11.5, "p50": 11.25, "stdev": 0.125
                },
                "throughput": {"unit": "samples/s", "value": 5.5},
                "memory": {"unit": "MB", "max_ram": 2000.5},
                "energy": {"unit": "kWh", "total": 1e-4},
            },
        },
    }
)  # fmt: skip
NVBENJO = (
    "model,batch_size,device,runtime_options,time_cpu_to_device,time_inference,time_total,gpu_memory_bytes\n"
    "m,1,cpu,a,0.001,0.1,0.102,1000000\nm,1,cpu,a,0.001,0.2,0.202,1000000\nm,1,cpu,b,0.001,0.3,0.3,1\n"
)
TIMM_ACCURACIES = (
    "model,top1,top1_err,top5,top5_err,param_count,img_size,crop_pct,interpolation\n"
    "resnet18,69.75,30.25,89.07,10.93,11.69,224,0.875,bilinear\n"
)
README = f"""\
# Results

| option | meaning |
|---|---|
| a | b |

| Model | Batch Size | Latency (ms) | FPS | Peak Mem (MB) | Power (W) | Energy (mJ) | GFLOPs | Top-1 (%) |
|---|--:|--:|--:|--:|--:|--:|--:|--:|
| **[resnet18](https://x.y)** | 1 | 21.3 ± 0.4 | 46.9 | 358 | 7.1 | 151 | 1.8 | 69.8 |
| `unet` | 1 | OOM | - | - | - | - | 10.1 | N/A |

{MARKDOWN}
"""
EUROPE = "model;batch;latency (ms);memory (MB)\nresnet18;1;21,3;1.234,5\nresnet18;4;80,1;358,0\n"
TWO_LINES = ",latency,latency,memory\n,mean (ms),std (ms),peak (MB)\nresnet18,21.3,0.3,358\nunet,200.1,2.3,658\n"
SCENARIOS = "model,scenario,batch,latency_ms\nnet,cold,1,30\nnet,warm,1,20\nnet,cold,8,130\nnet,warm,8,120\n"
STATES = (
    "model,batch,latency_ms,status,error\na,1,10,success,\n"
    "a,2,,failed,CUDA out of memory. Tried to allocate 2 GiB\na,4,,FAIL,\n"
)
RUNS = "model,run 1 (ms),run 2 (ms),run 3 (ms)\nnet,10,11,12\nunet,20,,22\n"
NESTED = json.dumps(
    {"results": [{"model": "a", "latency": {"mean_ms": 10, "all_ms": [9, 11]}, "batch": 2}]}
)
LINES = '{"model":"a","latencies_ms":[10,11]}\n{"model":"b","latencies_ms":[20,21]}\n'
FRAMED = (
    "+----------+-------+------------+\n|  model   | batch | latency_ms |\n+==========+=======+====+\n"
    "| resnet18 |   1   |    21.3    |\n+----------+-------+------------+\n| resnet18 |   4   |   80.1  |\n+---+\n"
)

ALL: dict[str, str] = {
    name.lower(): text
    for name, text in list(globals().items())
    if name.isupper() and isinstance(text, str)
}
"""All of them, by name."""
