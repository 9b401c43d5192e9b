"""ONNX files converted to fp16 or int8 by the tools that ONNX Runtime ships.

Each function writes a file and gives sentences about it; with `apart`, the weights go into another.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from inferometer.backends.onnxruntime.kernels import QUANTISED, nodes
from inferometer.backends.onnxruntime.options import session_options
from inferometer.backends.onnxruntime.providers import PROVIDERS
from inferometer.backends.onnxruntime.session import OnnxRuntimeSession, opened
from inferometer.core.errors import WorkloadError
from inferometer.core.model import Inputs
from inferometer.core.shown import shown
from inferometer.host.files import LIVE
from inferometer.host.processor import simd

if TYPE_CHECKING:
    from numpy.typing import NDArray

Notes = tuple[str, ...]

DATA = ".data"
"""Ends the name of the file of weights that are apart."""

X86 = frozenset({"x86_64", "amd64"})
VNNI = frozenset({"avx_vnni", "avx512_vnni", "amx"})
SEVEN_BITS = (
    "its weights have 7 bits: this processor has no VNNI, and without it sums of products of 8 "
    "bits overflow"
)
BLOCK = 128
"""Weights that share a scale where they alone are quantised: the usual number of the runtime."""
INT8_PRODUCTS = 4
"""The level of accuracy at which the runtime has kernels for weights of 8 bits; below it, they are
unpacked anew in each call."""


class Samples:
    """Samples one after the other, as the runtime's calibration asks for them."""

    def __init__(self, session: OnnxRuntimeSession, samples: Sequence[Inputs]) -> None:
        self._left = iter(samples)
        self._session = session

    def get_next(self) -> dict[str, NDArray[Any]] | None:
        """The next one by the names of the file; None after the last."""
        sample = next(self._left, None)
        return None if sample is None else dict(self._session.place(sample).kwargs)


def to_fp16(source: str, made: Path, *, apart: bool) -> Notes:
    """All that the runtime's tool converts; inputs and outputs stay in fp32."""
    import onnx
    from onnxruntime.transformers.float16 import convert_float_to_float16

    model = convert_float_to_float16(source, keep_io_types=True)
    onnx.save(model, made, save_as_external_data=apart, location=made.name + DATA)
    return ()


def statically(
    source: str,
    made: Path,
    *,
    apart: bool,
    samples: Sequence[Inputs],
    provider: str,
    without: Sequence[str] = (),
) -> Notes:
    """Weights and activations, whose ranges the samples show; weights for each channel apart.

    The types are those for which the runtime's documentation says that there are fast kernels:
    activations unsigned on x86, signed elsewhere, and symmetric too on accelerators. Nodes that are
    named in `without` stay in fp32.
    """
    from onnxruntime.quantization import QuantType, quantize_static

    on_x86 = provider == "cpu" and platform.machine().lower() in X86
    narrow = on_x86 and not VNNI.intersection(simd(LIVE))
    with _preprocessed(source, apart=apart) as graph:
        options = session_options({}, threads=1)
        session = OnnxRuntimeSession(opened(graph, options, [(PROVIDERS["cpu"].name, {})]))
        quantize_static(
            graph,
            made,
            Samples(session, samples),
            per_channel=True,
            reduce_range=narrow,
            activation_type=QuantType.QUInt8 if on_x86 else QuantType.QInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=list(without),
            use_external_data_format=apart,
            extra_options={"ActivationSymmetric": provider != "cpu"},
        )
    return (SEVEN_BITS,) if narrow else ()


def dynamically(source: str, made: Path, *, apart: bool) -> Notes:
    """Weights, and activations in each call by the range that they have there.

    Where there are convolutions, all weights are unsigned, and have one scale for each tensor: for
    others, the runtime's kernel is three times slower, or in older versions missing.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with _preprocessed(source, apart=apart) as graph:
        convolves = any(node.op_type == "Conv" for node in _nodes(graph))
        quantize_dynamic(
            graph,
            made,
            per_channel=not convolves,
            weight_type=QuantType.QUInt8 if convolves else QuantType.QInt8,
            use_external_data_format=apart,
        )
    return ()


def weights_alone(source: str, made: Path, *, apart: bool) -> Notes:
    """Weights of matrix products, in blocks; activations are fp32 between operators."""
    import onnx
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
    from onnxruntime.quantization.onnx_model import ONNXModel

    model = ONNXModel(onnx.load(source))
    model.replace_gemm_with_matmul()
    tool = MatMulNBitsQuantizer(
        model.model, bits=8, block_size=BLOCK, is_symmetric=True, accuracy_level=INT8_PRODUCTS
    )
    tool.process()
    tool.model.save_model_to_file(str(made), apart)
    return ()


def check_plain(source: str) -> None:
    """Refuse a file that is quantised already.

    Raises:
        WorkloadError: (unsupported) it is so.
    """
    done = {"DequantizeLinear"}.union(*QUANTISED.values())
    found = sorted({node.op_type for node in _nodes(source)} & done)
    if found:
        raise WorkloadError(
            "unsupported",
            f"{shown(source)} is quantised already, by {found[0]}: run it as it is, under the name "
            "fp32",
        )


def _nodes(path: str) -> Iterator[Any]:
    import onnx

    return nodes(onnx.load(path, load_external_data=False).graph)


@contextmanager
def _preprocessed(source: str, *, apart: bool) -> Iterator[str]:
    """Path of the same with shapes of all tensors and batch normalisation folded in."""
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with TemporaryDirectory() as folder:
        path = str(Path(folder) / "graph.onnx")
        quant_pre_process(
            source,
            path,
            skip_symbolic_shape=True,
            save_as_external_data=apart,
            all_tensors_to_one_file=apart,
        )
        yield path
