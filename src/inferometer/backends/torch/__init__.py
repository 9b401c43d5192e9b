"""PyTorch in eager mode, on the CPU, CUDA and MPS."""
