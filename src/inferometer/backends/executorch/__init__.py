"""ExecuTorch on the CPU with XNNPACK, for its own files and for programs of torch."""
