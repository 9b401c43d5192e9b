"""Power sources, one file each. Does not know models, workloads or records.

Every file offers `find(surroundings) -> Finding`; sources that only a user can name offer
`connect(target, surroundings) -> PowerSource` too (see `KINDS` in `detect`).
"""
