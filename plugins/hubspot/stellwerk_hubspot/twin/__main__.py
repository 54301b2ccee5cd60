"""`python -m stellwerk_hubspot.twin`."""

from __future__ import annotations

import sys

from .cli import main

sys.exit(main())
