"""What models eat: generated tensors, or a user's example. Knows no model and no source.

Nothing heavy is imported before inputs are made.
"""

from __future__ import annotations

from inferometer.models.inputs.examples import ExampleInputs, batch_size_of, example_inputs
from inferometer.models.inputs.generated import GeneratedInputs, TensorSpec, images, shaped

__all__ = [
    "ExampleInputs",
    "GeneratedInputs",
    "TensorSpec",
    "batch_size_of",
    "example_inputs",
    "images",
    "shaped",
]
