"""Networks as ncnn loads them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from inferometer.backends.ncnn.layout import Layout, Port
from inferometer.backends.ncnn.options import set_options
from inferometer.backends.ncnn.param import Layer
from inferometer.core.errors import WorkloadError
from inferometer.core.shown import shown
from inferometer.core.workload import Variant

if TYPE_CHECKING:
    from ncnn import Net

NO_MEMORY = -100
"""What the runtime gives back where it could not allocate an array, or one has no elements."""


def load_net(path: str, weights: str, layers: list[Layer], variant: Variant, threads: int) -> Net:
    """A network.

    Raises:
        WorkloadError: (unsupported) the runtime lacks a layer; (bad_model) it is damaged;
            (out_of_memory) its weights do not fit.
    """
    import ncnn

    lacking = sorted({one.kind for one in layers if ncnn.layer_to_index(one.kind) < 0})
    name, runtime = shown(Path(path).name), f"ncnn {ncnn.__version__}"
    if lacking:
        raise WorkloadError(
            "unsupported",
            f"{name} needs layers that {runtime} does not have: {', '.join(map(shown, lacking))}",
        )
    net = ncnn.Net()
    set_options(net.opt, variant, threads)
    if net.load_param(path):
        raise WorkloadError("bad_model", f"{name} does not load in {runtime}")
    code = net.load_model(weights)
    if code == NO_MEMORY:
        raise WorkloadError("out_of_memory", f"no memory holds the weights of {name}")
    if code:
        raise WorkloadError(
            "bad_model", f"{shown(Path(weights).name)} does not hold the weights of {name}"
        )
    return net


def check_int8(layers: list[Layer], precision: str) -> None:
    """See that a file has the precision whose name it is given.

    Raises:
        WorkloadError: (unsupported) it has not.
    """
    found = sum(one.is_int8 for one in layers)
    if found and precision != "int8":
        raise WorkloadError(
            "unsupported", f"{found} layers of the file are int8: it runs at the precision int8"
        )
    if not found and precision == "int8":
        raise WorkloadError(
            "unsupported",
            "no layer of the file is int8: ncnn quantises with its programs ncnn2table and "
            "ncnn2int8, before",
        )


def names_alone(net: Net) -> Layout:
    """The layout of a file of which nothing but names is known."""
    return Layout(
        inputs=tuple(Port(name=one, blob=one) for one in net.input_names()),
        outputs=tuple(Port(name=one, blob=one) for one in net.output_names()),
    )
