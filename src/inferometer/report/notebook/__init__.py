"""Records, runs and comparisons in a notebook: HTML with small charts, pictures, and progress.

The charts are SVG made here, without matplotlib; text and lines take the colour of the notebook's
own text, so that they are read on light and on dark ground.
"""
