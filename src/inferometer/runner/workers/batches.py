"""Whether the inputs and the output of a call are of the batch that was asked for.

What is certainly wrong fails the workload. Of models that are not ours little is certain: a loss
has no batch, sequences may stand before it, samples may be flattened, pooled or filtered.
"""

from __future__ import annotations

from inferometer.core.errors import WorkloadError
from inferometer.core.model import Inputs
from inferometer.core.nested import leaves
from inferometer.models.inputs.arrays import is_array, is_packed

BATCH_FIRST = frozenset({"catalogue", "torchvision", "timm"})
"""Sources with models that all give one result for each sample: a row, or a part of a list."""

SHAPES_SHOWN = 3


def check_inputs(inputs: Inputs, batch_size: int) -> None:
    """Refuse inputs without a single element; one that is empty among others is well.

    Raises:
        WorkloadError: (unsupported) they are empty.
    """
    arrays = [leaf for _, leaf in leaves((inputs.args, dict(inputs.kwargs))) if is_array(leaf)]
    if arrays and not any(0 not in tuple(array.shape) for array in arrays):
        raise WorkloadError(
            "unsupported",
            f"batch size {batch_size}: the inputs are empty ({inputs.shape}), so that nothing "
            "would be computed",
        )


def batch_remark(output: object, batch_size: int, *, first: bool) -> str | None:
    """What is odd about an output in which the batch shows nowhere; None where nothing is.

    The batch shows in a list of its length, in an axis of its length, and in rows that are a
    multiple of it. Outputs of single numbers, and without arrays, have none to show.

    Args:
        output: of a call.
        batch_size: samples in the call.
        first: whether it can only show in a list and in the first axis.
    """
    if isinstance(output, list | tuple) and len(output) == batch_size:
        return None
    found = [leaf for _, leaf in leaves(output, whole=is_packed)]
    shapes = [tuple(leaf.shape) for leaf in found if is_array(leaf)]
    telling = [shape for shape in shapes if any(length != 1 for length in shape)]
    if not telling or any(map(is_packed, found)):
        return None
    if any(_shows(shape, batch_size, first=first) for shape in telling):
        return None
    texts = ["x".join(map(str, shape)) for shape in telling]
    more = ", …" if len(texts) > SHAPES_SHOWN else ""
    return (
        f"the output ({', '.join(texts[:SHAPES_SHOWN])}{more}) shows nothing of the batch of "
        f"{batch_size}"
    )


def _shows(shape: tuple[int, ...], batch_size: int, *, first: bool) -> bool:
    if first:
        return shape[0] == batch_size
    return batch_size in shape or shape[0] % batch_size == 0
