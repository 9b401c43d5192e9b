"""Any Python callable as a model: for runtimes that have no backend of their own yet."""
