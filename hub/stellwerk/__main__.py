"""`python -m stellwerk`: the same as the console script."""

from __future__ import annotations

from stellwerk.cli import main

if __name__ == "__main__":
    main()
