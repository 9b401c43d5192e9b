"""pytorch-benchmark: its mean seconds per batch.

It takes a number of runs, not a time: a few calls tell how many fit into the budget.
"""

from __future__ import annotations

import time

from common import WARMUP_CALLS, answer, left_s, network_and_image

RESERVE_S = 2.0
"""It counts operations and looks at the machine before and after."""


def main() -> None:
    import torch
    from pytorch_benchmark import benchmark  # type: ignore[import-not-found]

    network, image = network_and_image()
    with torch.inference_mode():
        begin = time.perf_counter()
        for _ in range(WARMUP_CALLS):
            network(image)
        call_s = (time.perf_counter() - begin) / WARMUP_CALLS
        runs = max(10, int((left_s() - RESERVE_S) / call_s / PASSES))
        results = benchmark(network, image, num_runs=runs)
    inference = results["timing"]["batch_size_1"]["on_device_inference"]
    answer(inference["metrics"]["seconds_per_batch_mean"], f"mean of {runs}")


PASSES = 1
"""How often it goes through the runs."""

if __name__ == "__main__":
    main()
