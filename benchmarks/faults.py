"""How often injected faults are found, and how often there is a false alarm.

    python benchmarks/faults.py [--episodes N] [--rounds N] [--threads N] [--only FAULT]

One episode is a workload of short rounds, watched and judged as a run does. Stressors are real
processes that compute, as many as there are CPUs; a stop is a real SIGSTOP of 200 ms; swapping and
throttling are counters of a recorded tree that move in one round of six. The workload hashes with
SHA-256, whose duration hardly depends on what else the host of a virtual machine does: so a quiet
episode is quiet. A fault counts as found where the verdict is the expected one, and a cause says so
in the words below (a busy machine is `contended` with or without an injected stop); anything but
`trusted` is a false alarm in a quiet episode. Where other programs used more than 5 % of a core
meanwhile, by the system's own count, an episode was not quiet: it is counted apart, and repeated,
up to four times as many in all. What was not found is listed with its causes.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import psutil
from scipy.stats import binomtest

from inferometer.core.procedure import Procedure
from inferometer.core.record import Round
from inferometer.core.sections import Latency, Verdict
from inferometer.figures.verdict import judge
from inferometer.host.files import LIVE
from inferometer.host.signals import Watch

ROUND_S = 0.1
STOP_S = 0.2
OTHERS = 0.05
PATIENCE = 4
RECORDED_ROUNDS = 6
BLOCK = bytes(1 << 20)
TREE = {
    "proc/vmstat": "pswpin {}\npswpout 0\n",
    "sys/devices/system/cpu/online": "0\n",
    "sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count": "{}\n",
    "sys/devices/platform/soc/soc:firmware/get_throttled": "0x0\n",
    "sys/class/hwmon/hwmon0/oc1_event_cnt": "{}\n",
}
SWAP = "proc/vmstat"
X86 = "sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count"
JETSON = "sys/class/hwmon/hwmon0/oc1_event_cnt"
PI = "sys/devices/platform/soc/soc:firmware/get_throttled"

Between = Callable[[int], None]


def measured(watch: Watch, index: int, during: Between) -> Round:
    """One round of hashing."""
    watch.begin()
    begun, started = time.perf_counter(), time.time()
    starts: list[float] = []
    values: list[float] = []
    during(index)
    while time.perf_counter() - begun < ROUND_S:
        start = time.perf_counter()
        sha256(BLOCK)
        values.append(time.perf_counter() - start)
        starts.append(start - begun)
    return Round(
        index=index,
        process=0,
        phase="measure",
        started_at=started,
        calls_per_value=1,
        settle=0,
        starts_s=tuple(starts),
        values_s=tuple(values),
        signals=watch.end(),
    )


def episode(
    rounds: int, threads: int, *, root: Path = LIVE, during: Between = lambda _: None
) -> Verdict:
    """Some rounds, and what is made of them."""
    watch = Watch(root, threads=threads)
    done = [measured(watch, index, during) for index in range(rounds)]
    return judge(done, procedure=Procedure(), latency=Latency(), steady=None)


@contextmanager
def stressed(cores: int) -> Iterator[None]:
    """Other processes that compute without end."""
    busy = "while True: pass"
    others = [subprocess.Popen([sys.executable, "-c", busy]) for _ in range(cores)]
    try:
        time.sleep(0.2)
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def stop_once(index: int) -> None:
    """Have a shell stop this process in its fourth round, and let it go on after a while."""
    if index == 3:
        me = os.getpid()
        script = f"sleep 0.02; kill -STOP {me}; sleep {STOP_S}; kill -CONT {me}"
        subprocess.Popen(["/bin/sh", "-c", script])


@contextmanager
def recorded(moving: str, after: str) -> Iterator[tuple[Path, Between]]:
    """A device tree in which one file changes in the fourth round."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for path, text in TREE.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text.format(7))

        def change(index: int) -> None:
            if index == 3:
                (root / moving).write_text(after)

        yield root, change


def outcome(fault: str, rounds: int, threads: int) -> Verdict:
    """One episode with a fault."""
    if fault == "quiet":
        return episode(rounds, threads)
    if fault.startswith("stressor"):
        with stressed(int(fault.rpartition(" ")[2])):
            return episode(rounds, threads)
    if fault == "stopped 0.2 s":
        return episode(rounds, threads, during=stop_once)
    with recorded(*RECORDED[fault]) as (root, change):
        return episode(min(rounds, RECORDED_ROUNDS), threads, root=root, during=change)


RECORDED = {
    "swap": (SWAP, "pswpin 19\npswpout 0\n"),
    "throttled x86": (X86, "9\n"),
    "throttled Jetson": (JETSON, "8\n"),
    "throttled Raspberry Pi": (PI, "0x50005\n"),
}
FAULTS = {
    "quiet": "trusted",
    "stressor on 1": "contended",
    f"stressor on {os.cpu_count()}": "contended",
    "stopped 0.2 s": "contended",
    "swap": "swapped",
    **{name: "throttled" for name in RECORDED if name.startswith("throttled")},
}


CAUSES = {"stopped 0.2 s": "stood_still", "stressor": "other_programs"}
"""Beginning of a fault's name → code that one of the causes must have."""


def found_it(fault: str, verdict: Verdict) -> bool:
    """Whether the verdict is the one that a fault asks for, for its reason."""
    wanted = {code for name, code in CAUSES.items() if fault.startswith(name)}
    return verdict.verdict == FAULTS[fault] and wanted <= {cause.code for cause in verdict.causes}


def quiet_episodes(wanted: int, rounds: int, threads: int) -> tuple[list[Verdict], list[Verdict]]:
    """Quiet episodes, and those that other programs disturbed."""
    quiet: list[Verdict] = []
    disturbed: list[Verdict] = []
    while len(quiet) < wanted and len(quiet) + len(disturbed) < PATIENCE * wanted:
        begin, before = time.perf_counter(), others_cpu_s()
        verdict = outcome("quiet", rounds, threads)
        share = (others_cpu_s() - before) / (time.perf_counter() - begin)
        (quiet if share <= OTHERS else disturbed).append(verdict)
    return quiet, disturbed


def others_cpu_s() -> float:
    """Processor seconds that all but this process have used."""
    every, mine = psutil.cpu_times(), psutil.Process().cpu_times()
    idle = every.idle + getattr(every, "iowait", 0.0)
    busy = sum(every) - idle - getattr(every, "guest", 0.0) - getattr(every, "guest_nice", 0.0)
    return float(busy - mine.user - mine.system)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--episodes", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", default="", help="faults whose name begins so")
    options = parser.parse_args()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    print(f"{'episode':<24} {'expected':<10} found (95 % interval)     target")
    alarms: list[str] = []
    for fault, expected in FAULTS.items():
        if not fault.startswith(options.only):
            continue
        found: list[Verdict] = []
        if fault == "quiet":
            found, disturbed = quiet_episodes(options.episodes, options.rounds, options.threads)
            words = ", ".join(verdict.verdict for verdict in disturbed) or "none"
            print(f"not quiet: {len(disturbed)} ({words})")
        else:
            for _ in range(options.episodes):
                found.append(outcome(fault, options.rounds, options.threads))
        if not found:
            print(f"{fault}: no episode was quiet")
            continue
        right = sum(found_it(fault, verdict) for verdict in found)
        ci = binomtest(right, len(found)).proportion_ci()
        share = f"{right} of {len(found)} [{ci.low:.1%}, {ci.high:.1%}]"
        target = "≥ 98 %" if fault == "quiet" else "≥ 95 %"
        print(f"{fault:<24} {expected:<10} {share:<25} {target}", flush=True)
        alarms += [
            f"{fault}: {verdict.verdict}: {'; '.join(map(str, verdict.causes))}"
            for verdict in found
            if not found_it(fault, verdict)
        ]
    print("\n".join(alarms))


if __name__ == "__main__":
    main()
