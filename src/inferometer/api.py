"""The Python API.

`measure` a live model, `cost`, `run_study`, `read_run`, `compare`, `open_store`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from inferometer.analysis.compare import Comparisons
from inferometer.core.costing import Costing
from inferometer.core.display import display
from inferometer.core.errors import InputError
from inferometer.core.model import InputSpec, LoadedModel
from inferometer.core.options import RANGES
from inferometer.core.protocols import Session
from inferometer.core.record import Record
from inferometer.core.result import StudyResult
from inferometer.core.sweep import Study
from inferometer.core.workload import Shape, Target, Variant, Workload
from inferometer.runner.events import Listener
from inferometer.store import Store, open_store

__all__ = ["StudyResult", "compare", "cost", "measure", "open_store", "read_run", "run_study"]


def measure(
    network: Any,  # noqa: ANN401 - a module, or any callable
    inputs: Any,  # noqa: ANN401 - whatever it takes
    *,
    name: str | None = None,
    **procedure: Any,  # noqa: ANN401 - fields of Procedure
) -> Record:
    """Measure the forward pass of a live model in this process.

    The module stays on its device and in its precision; it is measured in evaluation mode without
    gradients. Afterwards it is as it was: parameters, buffers, hooks, modes, attributes, what the
    objects and classes that it uses hold, caches of tensors, and the states of random generators.
    So are the inputs.

    Args:
        network: a `torch.nn.Module`, or any callable that returns when its work is done.
        inputs: a tensor or array; a tuple of positional arguments; a dict of keyword arguments (or
            the one dict that the model takes). The first dimension is the batch.
        name: what to call the model in the record; by default the name of its class or function.
        **procedure: fields of `core.procedure.Procedure`, such as `target=0.02`, `max_time_s=10`;
            `processes` is always 1.

    Returns:
        The record, with its raw observations in `rounds`.

    Raises:
        TypeError: a name in `procedure` is not a field of it.
        ValueError: a value in `procedure` is out of its range (`core.options`).
        WorkloadError: (non_finite_output) the output holds NaN or infinity.
        Exception: whatever the model raises.
    """
    from inferometer.backends import backend as backend_called
    from inferometer.core.procedure import Procedure, checked
    from inferometer.models.inputs import example_inputs, own_batch_size
    from inferometer.runner.here import measure_here
    from inferometer.runner.workers.harness import Harness
    from inferometer.runner.workers.loading import watch_of
    from inferometer.runner.workers.settings import Settings

    rules = Procedure(**{**checked(procedure), "processes": 1})
    session, backend, precision = _session(network)
    settings = Settings(backend_called(backend))
    spec = example_inputs(network, inputs)
    workload = Workload(
        variant=Variant(model=name or _name_of(network), backend=backend, precision=precision),
        target=Target(device=session.device, threads=_threads()),
        shape=Shape(batch_size=own_batch_size(spec), input_size=None),
    )
    model = _live(network, spec)
    watch = watch_of(session, threads=workload.threads or 1)
    harness = Harness(model, session, load_s=None, watch=watch, settings=settings, seed=rules.seed)
    with _left_as_it_was(network):
        return measure_here(harness, workload, rules)


def cost(
    model: Any,  # noqa: ANN401 - a reference, or a module
    inputs: Any = None,  # noqa: ANN401 - whatever it takes
    *,
    batch: int | None = None,
    size: int | None = None,
    precision: str | None = None,
    seed: int = 0,
    may_run: bool = False,
) -> Costing:
    """Count what one call of one batch costs analytically, as `inferometer cost` does.

    Args:
        model: a reference (`resnet18`, an ONNX file …), counted in a worker process; or a live
            `torch.nn.Module`, counted in a copy of this process, as it is, in evaluation mode.
        inputs: of a live module, as for `measure`.
        batch: samples in the call; None is what `inputs` hold, or the model's own.
        size: height and width of images or length of sequences; None is the model's own.
        precision: of a reference; None is fp32, or what an ONNX file has.
        seed: of random weights and inputs.
        may_run: whether a real call may be counted where nothing else tells what the model does.

    Raises:
        TypeError: a live module without inputs, or with a precision other than it has.
        InputError: the reference is wrong, a number is beyond its limits, or a package is missing.
        WorkloadError: it could not be loaded or counted.
    """
    from inferometer.models.inputs import example_inputs, own_batch_size
    from inferometer.runner.costing import CostRequest, cost_of
    from inferometer.runner.workers.costed import costing_of
    from inferometer.runner.workers.harness import Harness
    from inferometer.runner.workers.loading import watch_of

    for name, value in (("batch", batch), ("size", size), ("seed", seed)):
        if value is not None:
            _check(name, value)
    if isinstance(model, str):
        if inputs is not None:
            raise TypeError("inputs go with a live module; a reference has its own")
        request = CostRequest(
            model=model,
            batch_size=batch,
            input_size=size,
            precision=precision,
            seed=seed,
            may_run=may_run,
        )
        return cost_of(request)
    if inputs is None:
        raise TypeError("a live module needs inputs")
    session, backend, found = _session(model)
    if precision not in (None, found):
        raise TypeError(f"a live module is counted as it is, which is {found}, not {precision}")
    spec = example_inputs(model, inputs)
    loaded = _live(model, spec)
    variant = Variant(model=_name_of(model), backend=backend, precision=found)
    shape = Shape(batch_size=batch or own_batch_size(spec), input_size=size)
    watch = watch_of(session, threads=1)
    harness = Harness(loaded, session, load_s=None, watch=watch, seed=seed)
    return costing_of(harness, variant, shape, may_run=may_run)


def run_study(
    study: str | Path | Study,
    *,
    store: str | Path | Store = "inferometer.db",
    listener: Listener | None = None,
    **changes: Any,  # noqa: ANN401 - see `study.override`
) -> StudyResult:
    """Measure a study in worker processes, as `inferometer run` does.

    Args:
        study: a built-in name, a YAML file, or a `Study`.
        store: where results go; it is created where there is none.
        listener: told what happens (`inferometer.runner.events`); by default a notebook shows how
            far the run is, and nothing is shown elsewhere.
        **changes: what to replace in the study: `models`, `batches`, `sizes`, `procedure` … (see
            `inferometer.study.override`).

    Raises:
        InputError: the study, a model or the store is wrong; the message says where.
    """
    from inferometer.runner import run_study as run
    from inferometer.study import load_study, override

    wanted = study if isinstance(study, Study) else load_study(study)
    wanted = override(wanted, **changes)
    if isinstance(store, Store):
        told = listener or display().progress() or (lambda _: None)
        done = run(wanted, store, listener=told)
        return read_run(done.id, store=store)
    with open_store(store) as opened:
        return run_study(wanted, store=opened, listener=listener)


def read_run(
    run: str = "latest",
    *,
    store: str | Path | Store = "inferometer.db",
) -> StudyResult:
    """A stored run with its records and their raw observations, as `inferometer show` reads it.

    A notebook shows it as a chart and a table.

    Args:
        run: its id, a unique beginning of one, or `latest`.
        store: where it is.

    Raises:
        InputError: there is no such run, or the store cannot be read.
    """
    if not isinstance(store, Store):
        with open_store(store, create=False) as opened:
            return read_run(run, store=opened)
    from inferometer.figures.reading import records_of

    found = store.run(run)
    return StudyResult(run=found, records=records_of(store, found))


def compare(
    baseline: str | Record,
    contender: str | Record | None = None,
    *,
    by: str | None = None,
    store: str | Path | Store = "inferometer.db",
    zone: float = 0.01,
) -> Comparisons:
    """Say which is faster, workload by workload, as `inferometer compare` does.

    Of each comparison, `ratio` is the contender's latency as a multiple of the baseline's,
    `verdict` is `faster`, `slower`, `equivalent` or `undecided`, and `row()` holds all of it.

    Args:
        baseline: a run (its id, a unique beginning of one, or `latest`), or a record, as `measure`
            gives it.
        contender: another run, or another record; None compares within the one run.
        by: within a run, what the workloads that are compared differ in: `model`, `backend`,
            `precision`, `device`, `threads`, `batch` or `size`. None: the sides of a paired run.
        store: where the runs are.
        zone: relative difference that is of no interest.

    Raises:
        InputError: there is no such run, nothing in it that can be compared, or the zone is beyond
            its limits.
        TypeError: one is a record and the other is none.
    """
    from inferometer.analysis.compare import compare as analyse
    from inferometer.analysis.matching import (
        axis_of_pair,
        match_records,
        match_runs,
        match_within,
    )
    from inferometer.figures.joint import completed, joined_across

    _check("zone", zone)
    if isinstance(baseline, Record) or isinstance(contender, Record):
        if not (isinstance(baseline, Record) and isinstance(contender, Record)):
            raise TypeError("a record is compared with another record")
        return Comparisons(analyse(match_records(baseline, contender), zone=zone))
    if not isinstance(store, Store):
        with open_store(store, create=False) as opened:
            return compare(baseline, contender, by=by, store=opened, zone=zone)
    run = store.run(baseline)
    records = store.records(run.id, with_rounds=True)
    if contender is not None:
        other = store.run(contender)
        theirs = store.records(other.id, with_rounds=True)
        matching = match_runs(*joined_across((run, records), (other, theirs)))
    else:
        records = completed(run, records)
        axis = by or axis_of_pair(records)
        if axis is None:
            raise InputError(f"run {baseline} is not a paired run: give another run, or by='model'")
        matching = match_within(records, axis)
    return Comparisons(analyse(matching, zone=zone))


def _check(name: str, value: float) -> None:
    """See that a number is within its limits.

    Raises:
        InputError: it is not.
    """
    try:
        RANGES[name].check(name, value)
    except ValueError as error:
        raise InputError(str(error)) from error


def _live(network: object, inputs: InputSpec) -> LoadedModel:
    """A model of the caller's own process."""
    from inferometer.models.building import format_in_memory

    return LoadedModel(
        network=network,
        format=format_in_memory(network),
        inputs=inputs,
        source="live",
        weights="as given",
    )


def _session(network: Any) -> tuple[Session, str, str]:  # noqa: ANN401
    """A session for a live model, its backend and its precision."""
    from inferometer.backends import taker

    found = taker(network)
    if found is None:
        raise TypeError(f"expected a torch.nn.Module or a callable, got {type(network).__name__}")
    name, backend = found
    session, precision = backend.adopt(network)
    return session, name, precision


@contextmanager
def _left_as_it_was(network: Any) -> Iterator[None]:  # noqa: ANN401
    """Evaluation mode for a while; everything as it was afterwards."""
    from inferometer.core.generators import kept_generators
    from inferometer.models.building import evaluate, is_module

    with kept_generators():
        if "torch" not in sys.modules:
            yield
            return
        from inferometer.models.snapshot import Snapshot

        before = Snapshot(network)
        try:
            if is_module(network):
                evaluate(network)
            yield
        finally:
            before.restore()


def _name_of(network: object) -> str:
    return str(getattr(network, "__name__", type(network).__name__))


def _threads() -> int | None:
    """Threads that torch uses now; None where it is not there and nobody knows."""
    torch = sys.modules.get("torch")
    return None if torch is None else int(torch.get_num_threads())
