"""ONNX Runtime on the CPU, for files in the format ONNX."""
