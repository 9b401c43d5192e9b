"""Tables of other people's measurements → runs and records.

The way through: `reading` makes a table of cells of a file (`delimited`, `markup` and `objects` by
form, `readers` by tool), `understanding` says what its columns mean (`names` and `units` by what
they are called, `deducing` by what their figures say of each other), `rows` makes values of cells,
`axes` tells rows apart, `repeats` joins those that nothing tells apart, and `importing` makes
records of all that. It knows no statistics: what needs one is handed in.
"""
