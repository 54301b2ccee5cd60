"""Nothing about one pair of systems is written into the core: templates, styles and SQL included."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

WORDS = (
    "hubspot", "maileon", "xqueue", "hs_", "portal", "lifecyclestage", "marketingqualifiedlead", "doiplus", "doimailing",
    "sync_mode", "msg_id", "external_id",
)  # fmt: skip


def files(package: str) -> list[Path]:
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.submodule_search_locations
    root = Path(next(iter(spec.submodule_search_locations)))
    return [path for path in sorted(root.rglob("*")) if path.is_file() and "__pycache__" not in path.parts]


@pytest.mark.parametrize("package", ["stellwerk", "stellwerk_rules"])
def test_no_file_of_the_core_has_a_word_only_a_vendor_uses(package: str) -> None:
    pattern = re.compile("|".join(map(re.escape, WORDS)), re.IGNORECASE)
    found = [
        f"{path.name}:{number}: {line.strip()}"
        for path in files(package)
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]
    assert found == []


@pytest.mark.parametrize("package", ["stellwerk", "stellwerk_rules"])
def test_no_module_is_longer_than_400_lines_or_named_for_nothing(package: str) -> None:
    modules = [path for path in files(package) if path.suffix == ".py"]
    assert [path.name for path in modules if len(path.read_text().splitlines()) > 400] == []
    assert [
        path.name for path in modules if path.stem in {"utils", "helpers", "common", "base", "misc", "manager"}
    ] == []
