"""Sentences and tables that every form of a report shares, and the report in Markdown."""
