"""Files of the hub are for its own user alone, whatever the umask of whoever starts it."""

from __future__ import annotations

import os


def private(path: str, flags: int) -> int:
    """An opener for `open`: a file that it makes nobody else may read, or lock; one that is there stays as it is."""
    return os.open(path, flags, 0o600)
