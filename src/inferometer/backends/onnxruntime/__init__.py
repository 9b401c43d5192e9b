"""ONNX Runtime: files in the format ONNX, as they are, in fp16 or quantised to int8."""
