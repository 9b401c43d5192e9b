"""One runtime, called by its own interface as its manual has it, under a tool that is not ours.

    python runtime_calls.py RUNTIME MODEL THREADS SIZE SECONDS

MODEL is a file, or for torch a model of the catalogue. Torch's three ways are timed by its own
`torch.utils.benchmark.Timer`, all others by MLPerf LoadGen, single stream. Nothing of inferometer's
backends is used; the last line printed is the median.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from loadgen import single_stream_s

Call = Callable[[], Any]
WARMUP_S = 0.5
MIN_WARMUP_CALLS = 3


def torch_(how: str) -> Callable[[str, int, Any], Call]:
    """Eager, compiled or traced: what each backend does by itself."""

    def made(model: str, threads: int, image: Any) -> Call:  # noqa: ANN401 - an array
        import torch

        from inferometer.models import load

        torch.set_num_threads(threads)
        network, tensor = load(model, seed=0).network, torch.from_numpy(image)
        if how == "compile":
            network = torch.compile(network, dynamic=False)
        elif how == "script":
            network = torch.jit.freeze(torch.jit.trace(network, tensor))  # type: ignore[no-untyped-call]

        def call() -> object:
            with torch.no_grad() if how == "compile" else torch.inference_mode():
                return network(tensor)

        return call

    return made


def onnxruntime(file: str, threads: int, image: Any) -> Call:  # noqa: ANN401 - as above
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = ort.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    feed = {session.get_inputs()[0].name: image}
    return lambda: session.run(None, feed)


def ncnn(file: str, threads: int, image: Any) -> Call:  # noqa: ANN401 - as above
    """In fp32: by itself ncnn stores numbers in fp16."""
    import ncnn as runtime

    net = runtime.Net()
    net.opt.num_threads = threads
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
    net.load_param(file)
    net.load_model(str(Path(file).with_suffix(".bin")))
    picture = runtime.Mat(image[0])

    def call() -> object:
        with net.create_extractor() as extractor:
            extractor.input(net.input_names()[0], picture)
            return np.array(extractor.extract(net.output_names()[0])[1])

    return call


def mnn(file: str, threads: int, image: Any) -> Call:  # noqa: ANN401 - as above
    import MNN

    interpreter = MNN.Interpreter(file)
    session = interpreter.createSession(
        {"backend": "CPU", "numThread": threads, "precision": "high"}
    )
    tensor = interpreter.getSessionInput(session)
    interpreter.resizeTensor(tensor, image.shape)
    interpreter.resizeSession(session)
    kind = tensor.getDimensionType()
    host = MNN.Tensor(image.shape, MNN.Halide_Type_Float, image, kind)

    def call() -> object:
        tensor.copyFrom(host)
        interpreter.runSession(session)
        output = interpreter.getSessionOutput(session)
        shape = output.getShape()
        copy = MNN.Tensor(shape, MNN.Halide_Type_Float, np.empty(shape, "float32"), kind)
        output.copyToHostTensor(copy)
        return copy

    return call


def executorch(file: str, threads: int, image: Any) -> Call:  # noqa: ANN401 - as above
    import torch
    from executorch.extension.pybindings import portable_lib
    from executorch.runtime import Runtime

    portable_lib._unsafe_reset_threadpool(threads)  # noqa: SLF001 - there is no other way
    method = Runtime.get().load_program(file).load_method("forward")
    tensor = torch.from_numpy(image)
    return lambda: method.execute([tensor])


RUNTIMES: dict[str, Callable[[str, int, Any], Call]] = {
    "torch": torch_("eager"),
    "torch-compile": torch_("compile"),
    "torchscript": torch_("script"),
    "onnxruntime": onnxruntime,
    "ncnn": ncnn,
    "mnn": mnn,
    "executorch": executorch,
}


def warmed(call: Call) -> None:
    calls, end = 0, None
    while end is None or time.perf_counter() < end or calls <= MIN_WARMUP_CALLS:
        call()
        calls, end = calls + 1, end or time.perf_counter() + WARMUP_S


def timer_s(call: Call, threads: int, seconds_long: float) -> float:
    from torch.utils.benchmark import Timer

    timer = Timer(stmt="call()", globals={"call": call}, num_threads=threads)
    return float(timer.blocked_autorange(min_run_time=seconds_long).median)


def main(runtime: str, model: str, threads: int, size: int, seconds_long: float) -> None:
    image = np.random.default_rng(0).random((1, 3, size, size), "float32")
    call = RUNTIMES[runtime](model, threads, image)
    warmed(call)
    is_torch = runtime.startswith("torch")
    found = (
        timer_s(call, threads, seconds_long) if is_torch else single_stream_s(call, seconds_long)
    )
    print(json.dumps({"median_s": found}), flush=True)


if __name__ == "__main__":
    name, model, *numbers = sys.argv[1:]
    main(name, model, int(numbers[0]), int(numbers[1]), float(numbers[2]))
