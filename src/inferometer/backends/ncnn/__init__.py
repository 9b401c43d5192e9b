"""ncnn on the CPU, for files of its own and what pnnx makes of ONNX."""
