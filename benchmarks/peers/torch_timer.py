"""torch.utils.benchmark: `Timer.blocked_autorange`, its median."""

from __future__ import annotations

from common import THREADS, WARMUP_CALLS, answer, call, left_s


def main() -> None:
    from torch.utils.benchmark import Timer

    forward = call()
    for _ in range(WARMUP_CALLS):
        forward()
    timer = Timer(stmt="forward()", globals={"forward": forward}, num_threads=THREADS)
    answer(timer.blocked_autorange(min_run_time=left_s()).median, "median of blocks")


if __name__ == "__main__":
    main()
