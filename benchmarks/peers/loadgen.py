"""MLPerf LoadGen, single stream: its median latency, from its summary."""

from __future__ import annotations

import array
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from common import WARMUP_CALLS, answer, call, left_s

RESERVE_S = 0.5


def main() -> None:
    forward = call()
    for _ in range(WARMUP_CALLS):
        forward()
    answer(single_stream_s(forward, left_s() - RESERVE_S), "median")


def single_stream_s(forward: Callable[[], object], seconds_long: float) -> float:
    """The median latency of a call, in seconds."""
    import mlperf_loadgen as lg  # type: ignore[import-not-found]

    def issue(samples: list[Any]) -> None:
        for sample in samples:
            forward()
            kept = array.array("f", [0.0])
            lg.QuerySamplesComplete([lg.QuerySampleResponse(sample.id, kept.buffer_info()[0], 4)])

    def nothing(*_: object) -> None:
        """The input is in memory, and nothing waits to be flushed."""

    settings = lg.TestSettings()
    settings.scenario = lg.TestScenario.SingleStream
    settings.mode = lg.TestMode.PerformanceOnly
    settings.min_duration_ms = int(seconds_long * 1000)
    settings.min_query_count = 10
    with tempfile.TemporaryDirectory() as folder:
        log = lg.LogSettings()
        log.log_output.outdir = folder
        log.log_output.copy_summary_to_stdout = False
        log.enable_trace = False
        sut, qsl = lg.ConstructSUT(issue, nothing), lg.ConstructQSL(1, 1, nothing, nothing)
        lg.StartTestWithLogSettings(sut, qsl, settings, log)
        lg.DestroyQSL(qsl)
        lg.DestroySUT(sut)
        summary = (Path(folder) / "mlperf_log_summary.txt").read_text()
    found = re.search(r"50\.00 percentile latency \(ns\)\s*:\s*(\d+)", summary)
    assert found is not None, summary
    return int(found[1]) / 1e9


if __name__ == "__main__":
    main()
