"""The report as one page for a browser: self-contained, for the screen and for paper.

It computes nothing of its own: figures, sentences and tables are those of the other forms.
"""
