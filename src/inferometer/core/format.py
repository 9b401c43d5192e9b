"""What a model may be handed over as: an object in memory, or a file of some runtime."""

from __future__ import annotations

from enum import Enum


class Format(Enum):
    """The form of a model; the values are the words for people."""

    TORCH_MODULE = "torch module"
    EXPORTED_PROGRAM = "exported program"
    TORCHSCRIPT = "TorchScript"
    ONNX = "ONNX"
    TFLITE = "TFLite"
    EXECUTORCH = "ExecuTorch"
    OPENVINO_IR = "OpenVINO IR"
    NCNN = "ncnn"
    MNN = "MNN"
    TENSORRT = "TensorRT"
    COREML = "Core ML"
    TENSORFLOW = "TensorFlow"
    KERAS = "Keras"
    GGUF = "GGUF"
    CALLABLE = "callable"
