"""What each input of an ONNX operator is: a weight, a statistic, a shape, a mask."""

from __future__ import annotations

PRODUCTS = ("convolution", "matrix product", "attention", "recurrent")
"""Kinds of operators that multiply and add up, and have weights."""

_PAIR = (1, 2, 4, 5, 6, 7)
"""Where two operands and a result are quantised: a scale and a zero point for each."""

_ONE = (1, 2, 3, 4)
"""The same for one operand."""

_STATE = (4, 5, 6)
"""Lengths of sequences, and what a recurrent layer starts from."""

STATISTICS: dict[str, tuple[int, ...]] = {
    "Attention": (4, 5, 6),
    "BatchNormalization": (3, 4),
    "GRU": _STATE,
    "LSTM": _STATE,
    "RNN": _STATE,
    "RotaryEmbedding": (1, 2, 3),
    "QuantizeLinear": (1, 2),
    "DequantizeLinear": (1, 2),
    "QLinearConv": _PAIR,
    "QLinearMatMul": _PAIR,
    "MatMulInteger": (2, 3),
    "ConvInteger": (2, 3),
    "com.microsoft.Attention": (4, 6),
    "com.microsoft.GroupQueryAttention": (3, 4, 5, 6, 7, 8),
    "com.microsoft.MultiHeadAttention": (6, 7),
    "com.microsoft.RotaryEmbedding": (1, 2, 3),
    "com.microsoft.QuantizeLinear": (1, 2),
    "com.microsoft.DequantizeLinear": (1, 2),
    "com.microsoft.QLinearConv": _PAIR,
    "com.microsoft.QLinearAdd": _PAIR,
    "com.microsoft.QLinearMul": _PAIR,
    "com.microsoft.QGemm": (1, 2, 4, 5, 7, 8),
    "com.microsoft.QLinearAveragePool": _ONE,
    "com.microsoft.QLinearGlobalAveragePool": _ONE,
    "com.microsoft.QLinearLeakyRelu": _ONE,
    "com.microsoft.QLinearSigmoid": _ONE,
    "com.microsoft.QLinearSoftmax": _ONE,
    "com.microsoft.QAttention": (3, 4, 6, 7),
    "com.microsoft.MatMulIntegerToFloat": (2, 3, 4, 5),
    "com.microsoft.DynamicQuantizeMatMul": (2, 3),
    "com.microsoft.DynamicQuantizeLSTM": (4, 5, 6, 8, 9, 10, 11),
    "com.microsoft.MatMulNBits": (2, 3, 4),
}
"""Inputs that nobody trains: means, variances, scales, zero points, states, tables of positions."""

_SHAPING = (
    "CastLike CenterCropPad Clip ConstantOfShape CumSum Expand OneHot Pad Range Reshape Resize "
    "Slice Split Squeeze Tile TopK Trilu Unsqueeze Upsample Dropout ReduceL1 ReduceL2 ReduceLogSum "
    "ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare"
)
SHAPING = frozenset(_SHAPING.split())
"""Operators whose inputs after the first say how, and not what."""

_BOTH = (0, 1)
_COMPARING = "And Equal Greater GreaterOrEqual Less LessOrEqual Not Or Xor"
MASKS: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(_COMPARING.split(), _BOTH),
    "Attention": (3,),
    "Compress": (1,),
    "Where": (0,),
    "com.microsoft.Attention": (3, 5),
    "com.microsoft.MultiHeadAttention": (4, 5),
    "com.microsoft.QAttention": (5,),
    "com.microsoft.QLinearWhere": (0,),
}
"""Inputs that choose among other numbers, and what is compared to choose."""

_NORMALISING = (
    "BatchNormalization GroupNormalization InstanceNormalization LayerNormalization "
    "RMSNormalization SimplifiedLayerNormalization com.microsoft.GroupNorm "
    "com.microsoft.LayerNormalization com.microsoft.SimplifiedLayerNormalization"
)
WEIGHTS: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(("Conv", "ConvTranspose", "com.microsoft.FusedConv"), (1, 2)),
    "ConvInteger": (1,),
    "DeformConv": (1, 3),
    "QLinearConv": (3, 8),
    "com.microsoft.QLinearConv": (3, 8),
    **dict.fromkeys(("Gemm", "com.microsoft.FusedGemm"), (0, 1, 2)),
    **dict.fromkeys(("MatMul", "MatMulInteger", "com.microsoft.FusedMatMul"), _BOTH),
    **dict.fromkeys(("com.microsoft.MatMulIntegerToFloat", "Einsum"), _BOTH),
    "QLinearMatMul": (0, 3),
    "com.microsoft.QGemm": (0, 3, 6),
    "com.microsoft.DynamicQuantizeMatMul": (1,),
    "com.microsoft.MatMulNBits": (1,),
    **dict.fromkeys(("GRU", "RNN"), (1, 2, 3)),
    "LSTM": (1, 2, 3, 7),
    "com.microsoft.DynamicQuantizeLSTM": (1, 2, 3, 7),
    **dict.fromkeys(("com.microsoft.Attention", "com.microsoft.QAttention"), (1, 2)),
    **dict.fromkeys(_NORMALISING.split(), (1, 2)),
    "com.microsoft.SkipLayerNormalization": (2, 3, 4),
    "com.microsoft.SkipSimplifiedLayerNormalization": (2, 3),
    "com.microsoft.EmbedLayerNormalization": (2, 3, 4, 5, 6),
    "PRelu": (1,),
    "Gather": (0,),
}
"""Inputs that are weights even where operators make them; what others take may be a mask."""
