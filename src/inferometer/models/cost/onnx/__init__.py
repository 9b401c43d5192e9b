"""Operations, parameters and bytes of ONNX graphs."""
