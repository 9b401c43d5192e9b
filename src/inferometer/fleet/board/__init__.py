"""A full board's side: answers the verbs of the protocol, keeps jobs, and measures them.

`python -m inferometer.fleet.board VERB` is what a coordinator runs there. Knows no coordinator.
"""
