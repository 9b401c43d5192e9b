"""Load a model by its reference into a harness, in this process."""

from __future__ import annotations

import gc
import time
from collections.abc import Sequence
from pathlib import Path

from inferometer.core.errors import WorkloadError
from inferometer.core.protocols import ChoosesGradientMode, Session, SupportsGpuIdentity
from inferometer.core.registry import lacking
from inferometer.core.workload import Variant
from inferometer.host.files import LIVE
from inferometer.host.gpu import clock_events
from inferometer.host.signals import Watch
from inferometer.runner.formats import refusal
from inferometer.runner.workers.harness import Harness
from inferometer.runner.workers.memory_layers import MemoryLayers
from inferometer.runner.workers.messages import PreparedAt
from inferometer.runner.workers.prepared import load_prepared
from inferometer.runner.workers.settings import Settings


def load_harness(
    variant: Variant,
    *,
    device: str,
    threads: int,
    seed: int,
    root: Path = LIVE,
    started_at: float | None = None,
    gradient_mode: str | None = None,
    prepared: Sequence[PreparedAt] = (),
) -> Harness:
    """Load a model by its reference into its backend, in this process.

    Args:
        variant: the variant to load.
        device: where it runs.
        threads: how many it may use.
        seed: of random weights.
        root: where the signals of the device are read.
        started_at: reading of `time.monotonic` at which the process was started, which on Linux
            and macOS is one clock for all processes; None where it did other things too.
        gradient_mode: what an earlier process of the variant settled on; None is found out.
        prepared: what was prepared of it, which is loaded in its place.

    Raises:
        InputError: the reference or the backend is not known, or a package is missing.
        WorkloadError: the model or the backend refuses; (bad_model) the backend does not take
            models of its format; (unsupported) what the backend gives is no session.
    """
    from inferometer.backends import backend as backend_called
    from inferometer.models import import_packages, load
    from inferometer.models.guards import LOOKS

    backend = backend_called(variant.backend)
    backend.start(threads=threads)
    if not prepared:
        import_packages(variant.model)
    settings = Settings(backend)
    imported_at = time.monotonic()
    layers = MemoryLayers()
    layers.before_load()
    begin, looked_s = time.perf_counter(), LOOKS.seconds
    if prepared:
        model, session, facts = load_prepared(prepared, backend, variant, device=device)
    else:
        model, facts = load(variant.model, seed=seed), {}
        if model.format not in backend.accepts:
            refused = refusal(variant.model, model.format, [variant.backend])
            raise WorkloadError("bad_model", refused)
        session = backend.load(model, variant, device=device)
    _check(session, variant.backend)
    if gradient_mode is not None and isinstance(session, ChoosesGradientMode):
        session.settle_gradient_mode(gradient_mode)
    load_s = time.perf_counter() - begin - (LOOKS.seconds - looked_s)
    gc.collect()
    gc.freeze()  # what is alive now stays alive: later collections need not look at it
    layers.after_load()
    return Harness(
        model,
        session,
        load_s=load_s,
        watch=watch_of(session, root, threads=threads),
        layers=layers,
        ready_s=None if started_at is None else imported_at - started_at + load_s,
        settings=settings,
        seed=seed,
        facts=facts,
    )


def _check(session: Session, backend: str) -> None:
    """Refuse what is no session, as a third party's backend may give.

    Raises:
        WorkloadError: (unsupported) members of the protocol are missing.
    """
    lacks = lacking(session, Session)
    if lacks:
        raise WorkloadError(
            "unsupported",
            f"what the backend {backend} loads a model into lacks {' and '.join(lacks)}, which "
            f"{Session.__module__}.{Session.__name__} asks for",
        )


def watch_of(session: Session, root: Path = LIVE, *, threads: int) -> Watch:
    """What watches the device of a session: its GPU too, where it tells which that is."""
    gpu = None
    if session.device.startswith("cuda"):
        gpu = clock_events(session.gpu_uuid() if isinstance(session, SupportsGpuIdentity) else None)
    return Watch(root, threads=threads, gpu=gpu)
