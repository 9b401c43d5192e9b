"""Worker processes, both sides: the parent's hold on them, and what measures inside of them."""
