"""Study → records: schedules rounds, drives worker processes, survives them.

Does not know how results are shown; it tells a listener what happens (`events`).
"""
