"""Shows records: terminal, live display, Markdown and plots. Does not know how they were made."""
