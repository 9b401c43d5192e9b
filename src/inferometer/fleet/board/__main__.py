"""`python -m inferometer.fleet.board VERB`."""

from __future__ import annotations

import sys

from inferometer.fleet.board.verbs import main

sys.exit(main(sys.argv[1:]))
