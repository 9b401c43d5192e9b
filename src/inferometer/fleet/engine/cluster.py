"""Dask's own scheduler and a worker in this process, which listen nowhere.

Their messages go through memory (`inproc://`), and the pages on their state are not served: no
socket is opened. The worker has a thread and a resource for each device, so that Dask gives a
device one piece of work at a time.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import dask
from distributed import Client, Scheduler, SpecCluster, Worker

CONFIG = {
    "distributed.worker.profile.enabled": False,
    "distributed.scheduler.work-stealing": False,
    "distributed.scheduler.idle-timeout": None,
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.tick.limit": "1h",
    "distributed.admin.system-monitor.interval": "1h",
}
"""Nothing that looks at memory or time: boards are what works here, and for hours."""


class _Scheduler(Scheduler):  # type: ignore[misc, unused-ignore]
    def start_http_server(self, *_: object, **__: object) -> None:
        """Nothing is served."""


class _Worker(Worker):  # type: ignore[misc, unused-ignore]
    def start_http_server(self, *_: object, **__: object) -> None:
        """Nothing is served."""

    async def close(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - as Dask has it
        """End without waiting for tasks that talk to a board that is silent."""
        return await super().close(*args, **{**options, "executor_wait": False})


@contextmanager
def engine(resources: Mapping[str, int], threads: int) -> Iterator[Client]:
    """A client of a cluster of this process, for as long as the context lasts.

    Args:
        resources: how many tasks may have each of them at a time.
        threads: tasks at a time.
    """
    inside = {"protocol": "inproc://", "dashboard": False, "dashboard_address": None}
    with (
        dask.config.set(CONFIG),
        tempfile.TemporaryDirectory(prefix="inferometer-fleet-") as folder,
    ):
        worker = {
            **inside,
            "nthreads": threads,
            "resources": dict(resources),
            "memory_limit": 0,
            "local_directory": folder,
        }
        cluster = SpecCluster(
            scheduler={"cls": _Scheduler, "options": inside},
            workers={"boards": {"cls": _Worker, "options": worker}},
            silence_logs=logging.CRITICAL,
        )
        with cluster, Client(cluster) as client:
            yield client
