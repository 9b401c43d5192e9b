"""Power sensors of the machine, one file each."""
