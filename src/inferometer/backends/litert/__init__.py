"""LiteRT on the CPU, for TFLite files and for what litert-torch converts."""
