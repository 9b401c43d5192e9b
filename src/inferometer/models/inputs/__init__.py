"""What models eat: generated tensors, a user's example, or what a user's function makes.

Knows no source. Nothing heavy is imported before inputs are made.
"""

from __future__ import annotations

from inferometer.models.inputs.axes import Declared
from inferometer.models.inputs.declared import declared_inputs
from inferometer.models.inputs.described import described, named_arrays
from inferometer.models.inputs.examples import ExampleInputs, example_inputs, own_batch_size
from inferometer.models.inputs.factory import (
    FactoryInputs,
    Maker,
    is_input_spec,
    makes_inputs,
    parameters,
)
from inferometer.models.inputs.fitting import batch_size_of
from inferometer.models.inputs.generated import GeneratedInputs, TensorSpec, images, shaped
from inferometer.models.inputs.remembered import RememberedInputs

__all__ = [
    "Declared",
    "ExampleInputs",
    "FactoryInputs",
    "GeneratedInputs",
    "Maker",
    "RememberedInputs",
    "TensorSpec",
    "batch_size_of",
    "declared_inputs",
    "described",
    "example_inputs",
    "images",
    "is_input_spec",
    "makes_inputs",
    "named_arrays",
    "own_batch_size",
    "parameters",
    "shaped",
]
