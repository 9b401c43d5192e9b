"""MNN on the CPU, for files of its own and what its converter makes of ONNX."""
