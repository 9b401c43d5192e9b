"""The line to a board: OpenSSH, what is said over it, and what of an answer is believed.

Knows nothing of what a board does between two conversations.
"""
