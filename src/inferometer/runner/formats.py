"""Which backends take a model, by its format; what to do where none of those chosen does."""

from __future__ import annotations

from collections.abc import Sequence
from pkgutil import resolve_name

from inferometer.core.errors import InputError, ModelReferenceError, WorkloadError
from inferometer.core.format import Format
from inferometer.core.protocols import Backend, SupportsOptions, SupportsPreparation
from inferometer.core.references import did_you_mean, quoted
from inferometer.core.shown import shown
from inferometer.core.sweep import USUAL, Sweep, parse_option
from inferometer.core.workload import Variant

CONVERTED = "export the model with torch.export, or install a package that adds a backend for it"


def check_model(model: str, backends: Sequence[str]) -> None:
    """Refuse a model that is wrong, or that no chosen backend takes. Imports no runtime.

    Args:
        model: its reference.
        backends: names of the chosen ones.

    Raises:
        ModelReferenceError: the reference is wrong, or no backend takes the model, as far as that
            shows without loading it.
        MissingExtraError: a package that it needs is not installed.
        InputError: a backend is not known, or cannot be used.
    """
    from inferometer.backends import backend
    from inferometer.models import check, format_of

    found = format_of(model)
    if found is not None and not any(_takes(backend(name), found, name) for name in backends):
        raise ModelReferenceError(refusal(model, found, backends))
    check(model)


def check_device(sweep: Sweep) -> None:
    """Refuse a device that no chosen backend has. Whether it is in this machine, a worker finds.

    Raises:
        InputError: it is so.
    """
    from inferometer.backends import backend

    known = list(dict.fromkeys(one for name in sweep.backends for one in backend(name).devices))
    kind = sweep.device.partition(":")[0]
    meant = "cuda" if kind in ("gpu", "nvidia") else kind
    if kind not in known:
        raise InputError(
            f"no chosen backend runs on the device {quoted(sweep.device)}"
            f"{did_you_mean(meant, known)}; they run on {', '.join(known)}"
        )


def check_options(sweep: Sweep) -> None:
    """Refuse options that no chosen backend has. Imports no runtime.

    Raises:
        InputError: one is not written like an option, or its backend, its name or its value is
            wrong.
    """
    from inferometer.backends import backend

    for text in sweep.options:
        owner, name, value = parse_option(text)
        if owner not in sweep.backends:
            raise InputError(
                f"the option {shown(text)} is of a backend that the study does not use; it uses "
                f"{', '.join(map(shown, sweep.backends))}"
            )
        made = backend(owner)
        known = made.options if isinstance(made, SupportsOptions) else {}
        if name not in known:
            listed = f"it has {', '.join(known)}" if known else "it has none"
            hint = did_you_mean(name, known)
            raise InputError(f"the backend {owner} has no option {quoted(name)}{hint}; {listed}")
        if value != USUAL and not known[name].takes(value):
            raise InputError(
                f"{owner}.{name} is {known[name].words}, or {USUAL}; found {quoted(value)}"
            )


def _takes(made: Backend, found: Format, name: str) -> bool:
    """Whether a backend runs a model of a format, as it is or prepared."""
    if found in made.accepts:
        return True
    if not isinstance(made, SupportsPreparation):
        return False
    try:
        return (
            made.preparation(found, Variant(model="", backend=name, precision="fp32")) is not None
        )
    except WorkloadError:
        return False


def refusal(model: str, found: Format, backends: Sequence[str]) -> str:
    """The sentence about a model that backends do not take, with what to do."""
    names = " and ".join(dict.fromkeys(map(shown, backends)))
    verb = "does" if len(set(backends)) == 1 else "do"
    return (
        f"{shown(model)} is a model in the format {found.value}, which {names} {verb} not run; "
        f"{_way_out(found)}"
    )


def _way_out(found: Format) -> str:
    from inferometer.backends import BACKENDS

    takers: list[str] = []
    installs: list[str] = []
    for name, plugin in BACKENDS.plugins().items():
        try:
            if plugin.problem or found not in _accepted(name):
                continue
        except InputError:  # broken; `inferometer backends` says how
            continue
        takers.append(shown(name))
        command = BACKENDS.install_command(name, plugin)
        if command is not None:
            installs.append(command)
    if takers:
        after = f", after {installs[0]}" if len(installs) == len(takers) else ""
        first = ", ".join(takers[:-1])
        return f"choose {' or '.join(filter(None, (first, takers[-1])))}{after}"
    return f"no other backend here does; {CONVERTED}"


def _accepted(name: str) -> frozenset[Format]:
    """What a backend takes, whether or not its runtime is installed.

    Raises:
        InputError: it cannot be used.
    """
    from inferometer.backends import BACKENDS, backend

    plugin = BACKENDS.find(name)
    if not plugin.missing:
        return backend(name).accepts
    found: type[Backend] = resolve_name(plugin.path)
    return found.accepts
