"""`python -m stellwerk_simulation --seeds N`, or `--seed N` to see one history again and shrink it."""

from __future__ import annotations

import sys

from stellwerk_simulation.program import main

sys.exit(main(sys.argv[1:]))
