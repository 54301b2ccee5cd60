"""The pages, their blocks, and where the things lie that they speak of (in a checkout, or beside an installed wheel)."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from msgspec import Struct

from stellwerk.registry import GROUP, Registry, load_connectors, lookup_entry_points

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")))
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
TITLE = re.compile(r"\*\*`([^`]+)`\*\*\n\n\Z")
PACKAGES = {
    "hub/stellwerk": "stellwerk",
    "rules/stellwerk_rules": "stellwerk_rules",
    "plugins/hubspot/stellwerk_hubspot": "stellwerk_hubspot",
    "plugins/maileon/stellwerk_maileon": "stellwerk_maileon",
    "demo/stellwerk_demo": "stellwerk_demo",
}


class Block(Struct, frozen=True, kw_only=True):
    """A fenced block. `title` is the file that the page says it is, empty where it says none."""

    page: str
    line: int
    language: str
    text: str
    title: str = ""

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


class Sources:
    """Our files by their path in the repository; packages are looked up where they are installed."""

    def place(self, path: str) -> Path:
        for prefix, package in PACKAGES.items():
            if path == prefix or path.startswith(prefix + "/"):
                return Path(str(import_module(package).__file__)).parent / path.removeprefix(prefix).strip("/")
        return ROOT / path

    def text(self, *prefixes: str) -> str:
        """All modules below these folders, twins left out, as one text."""
        found = [path for prefix in prefixes for path in sorted(self.place(prefix).rglob("*.py"))]
        return "\n".join(path.read_text("utf-8") for path in found if "twin" not in path.parts)


def page_text(page: str) -> str:
    return (ROOT / page).read_text("utf-8")


def blocks_of(page: str) -> list[Block]:
    text = page_text(page)
    found = []
    for match in FENCE.finditer(text):
        title = TITLE.search(text[: match.start()])
        found.append(
            Block(
                page=page,
                line=text.count("\n", 0, match.start()) + 1,
                language=match[1],
                text=match[2],
                title="" if title is None else title[1],
            )
        )
    return found


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`page`, and `yaml_block`, `python_block`, … run once for each there is."""
    for name in metafunc.fixturenames:
        language, _, rest = name.partition("_")
        if rest == "block":
            chosen = [block for page in PAGES for block in blocks_of(page) if block.language == language]
            metafunc.parametrize(name, chosen, ids=str)
        elif name == "page":
            metafunc.parametrize(name, PAGES)


@pytest.fixture
def sources() -> Sources:
    return Sources()


@pytest.fixture
def pages() -> Mapping[str, str]:
    """Each page's text by its path."""
    return {page: page_text(page) for page in PAGES}


@pytest.fixture
def operators(pages: Mapping[str, str]) -> str:
    return pages["docs/for-operators.md"]


@pytest.fixture
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def cardbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the files that `docs/writing-a-connector.md` shows, importable."""
    folder = tmp_path_factory.mktemp("cardbox")
    for block in blocks_of("docs/writing-a-connector.md"):
        if block.title:
            path = folder / block.title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, "utf-8")
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))
    for module in [name for name in sys.modules if name.partition(".")[0] == "stellwerk_cardbox"]:
        del sys.modules[module]


@pytest.fixture
def registry(cardbox: Path) -> Registry:
    """The installed connectors and the page's own, found by an entry point as every other is."""
    point = EntryPoint(name="cardbox", value="stellwerk_cardbox", group=GROUP)
    return load_connectors((*lookup_entry_points(), point))
