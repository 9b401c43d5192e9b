"""OpenVINO on the CPU, for files in its own format and in ONNX."""
