"""Random weights whose outputs depend on the input: running statistics of batch norm, recomputed.

As they are initialised, the statistics are those of no network: signals shrink or grow from layer
to layer until nothing of the input is left (MobileNetV3-small gives numbers of 1e-10).
"""

from __future__ import annotations

from typing import Any

from inferometer.core.model import InputSpec

SEED = 3_000_017
"""Of the inputs: none of those that a run measures, calibrates or judges with."""
BATCHES, BATCH_SIZE = 2, 4
NOTHING = "it has no batch norm, so that weights=calibrated leaves its random weights as they are"


def calibrate(network: Any, inputs: InputSpec) -> bool:  # noqa: ANN401 - any torch module
    """Let batch norm see made-up inputs; gives whether there is any.

    Args:
        network: in evaluation mode, on the CPU.
        inputs: what it takes.
    """
    import torch

    norms = [
        module
        for module in network.modules()
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm)  # noqa: SLF001 - the base of all
        and module.running_mean is not None
    ]
    if not norms:
        return False
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean of all batches
        norm.train()
    with torch.no_grad():
        for number in range(BATCHES):
            _call(network, inputs, SEED + number)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
        norm.eval()
    return True


def _call(network: Any, inputs: InputSpec, seed: int) -> None:  # noqa: ANN401 - as above
    from inferometer.core.nested import mapped
    from inferometer.models.inputs.arrays import is_array, is_tensor

    def tensor(leaf: Any) -> Any:  # noqa: ANN401 - inputs nest as they like
        import torch

        return torch.from_numpy(leaf) if is_array(leaf) and not is_tensor(leaf) else leaf

    made = inputs.make(batch_size=BATCH_SIZE, input_size=None, seed=seed)
    args, kwargs = mapped((made.args, dict(made.kwargs)), tensor)
    network(*args, **kwargs)
