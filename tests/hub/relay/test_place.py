"""The state folder of a host."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

from stellwerk.relay.place import Place


def test_a_state_folder_that_is_made_is_for_the_hubs_own_user_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with closing(Place(tmp_path / "state")) as place:
            assert place.folder.stat().st_mode & 0o077 == 0
    finally:
        os.umask(before)
