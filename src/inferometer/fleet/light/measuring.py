"""A job into a file of results: the first line, the lease, the run, the end."""

import glob
import os
import re
import sys
import time
from typing import Any, Callable, Dict, Optional

from inferometer.fleet.light.apparatus import Apparatus
from inferometer.fleet.light.campaign import Campaign
from inferometer.fleet.light.device import Tables, conditions, identify, physical_cores, python_text
from inferometer.fleet.light.energy import SHARE
from inferometer.fleet.light.harness import Clock
from inferometer.fleet.light.power import find_sources, power_reason
from inferometer.fleet.light.results import Results, Trouble, digest, signature_of
from inferometer.fleet.light.windows import EnergyWindows

PACKAGES = (
    *("torch", "torchvision", "numpy", "onnxruntime", "onnxruntime_gpu"),
    *("tflite_runtime", "ai_edge_litert", "tensorflow"),
)

Job = Dict[str, Any]


def settled_job(job: Job, folders: Any) -> Job:
    """The job with the threads of this board filled in, as it is measured."""
    whole = dict(job, folders=list(folders))
    study = dict(job["study"], sweep=dict(job["study"]["sweep"]))
    threads = study["sweep"].get("threads") or physical_cores("/")
    study["sweep"]["threads"] = threads
    whole["study"] = study
    whole["workloads"] = [
        dict(one, threads=one.get("threads") or threads) for one in job["workloads"]
    ]
    return whole


def measure(
    agent: str,
    job: Job,
    path: str,
    *,
    tables: Tables,
    made: Dict[str, Any],
    tell: Callable[[str], None],
) -> Results:
    """Measure what a file of results lacks; it is ended properly, whatever happens.

    Args:
        agent: path of this program.
        job: settled.
        path: of the results.
        tables: of `device.identify`.
        made: `version` of the instrument that made this program, and `at`, Unix time.
        tell: told what happens.
    """
    results = Results(path)
    there = results.open()
    signature = signature_of(job["study"])
    if there and _is_another(results.header["run"], job, signature):
        raise Trouble(
            f"{path} holds the results of another study ({results.header['run'].get('study')}): "
            "give -o another name"
        )
    if results.finished:
        return results
    clock = _clock(results, made, tell)
    if not there:
        results.begin(_header(job, signature, tables, made, clock))
    finished_at: Optional[float] = None
    try:
        _run(agent, job, results, clock, tell)
        finished_at = clock.now()
    finally:
        error = sys.exc_info()[1]
        if not isinstance(error, Trouble):  # the file cannot be written any more
            results.close(finished_at)
    return results


def _run(agent: str, job: Job, results: Results, clock: Clock, tell: Callable[[str], None]) -> None:
    """Latencies, then energy; workers are gone when it returns or raises."""
    sources = find_sources("/") if wants_energy(job) else []
    asked = power_reason("/") if wants_energy(job) else "energy was not asked for"
    apparatus = Apparatus(agent, job, results, clock, tell, no_energy=None if sources else asked)
    windows = EnergyWindows(apparatus, sources)
    try:
        apparatus.within(1 - SHARE if sources else 1.0)
        Campaign(apparatus).run()
        apparatus.within(1.0)
        windows.run()
    finally:
        apparatus.close()
        windows.close()
        results.flush()


def wants_energy(job: Job) -> bool:
    """Whether the study asks for energy."""
    return bool(job["study"]["procedure"].get("energy", True) and job.get("energy", True))


def _is_another(run: Dict[str, Any], job: Job, signature: str) -> bool:
    other_id = job.get("id") is not None and job["id"] != run.get("id")
    return other_id or run.get("signature") != signature


def _clock(results: Results, made: Dict[str, Any], tell: Callable[[str], None]) -> Clock:
    """A clock that never goes back: not behind the results so far, nor before this program."""
    now, monotonic = time.time(), time.monotonic()
    least = max(results.last_at + 1.0 if results.last_at else 0.0, made["at"])
    if now < least:
        tell(
            f"The clock of this board is behind by at least {human_s(least - now)}: times are "
            "counted from what is known to be past. Latencies do not depend on it."
        )
    return Clock(max(now, least) - monotonic)


def human_s(seconds: float) -> str:
    """For people: `2 h`."""
    for unit, size in (("days", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _header(
    job: Job, signature: str, tables: Tables, made: Dict[str, Any], clock: Clock
) -> Dict[str, Any]:
    device = dict(identify("/", tables), before_the_run=conditions("/"))
    if job.get("device_name"):
        device.update(said=device["name"], name=job["device_name"])
    device.update({name: job[name] for name in ("class", "price") if job.get(name) is not None})
    run = {
        "id": job.get("id") or digest([os.urandom(16).hex(), clock.now()])[:8],
        "study": job["study"]["name"],
        "signature": signature,
        "document": job["study"],
        "device": device,
        "software": dict(software(), inferometer=made["version"]),
        "origin": "measured",
        "planned": len(job["workloads"]),
        "created_at": round(clock.now(), 3),
    }
    return {
        "inferometer_bundle": 1,
        "needs": 1,
        "tool": made["version"],
        "raw": True,
        "run": run,
    }


def software() -> Dict[str, str]:
    """Versions of Python and of packages, by the names of their folders: nothing is imported."""
    found = {"python": python_text()}
    for folder in sys.path:
        for name in PACKAGES:
            for place in glob.glob(
                os.path.join(folder or ".", name.replace("_", "[-_]") + "-*-info")
            ):
                match = re.match(r"[A-Za-z_-]+?-([0-9][^-]*)", os.path.basename(place))
                if match:
                    version = re.sub(r"\.dist$", "", match.group(1))
                    found.setdefault(name.replace("_", "-"), version)
    return found
