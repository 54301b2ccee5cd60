"""Links lead somewhere, and pictures are there, small, and described."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from pathlib import Path

LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
LARGEST_PICTURE_BYTES = 150_000


def anchors(text: str) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_link_leads_to_a_file_and_a_heading(page: str, pages: Mapping[str, str], root: Path) -> None:
    lost = []
    for _, _, target in LINK.findall(pages[page]):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        place = (root / page).parent / path if path else root / page
        if not place.is_file() or (anchor and anchor not in anchors(place.read_text("utf-8"))):
            lost.append(target)
    assert lost == []


def test_every_picture_is_small_and_described(page: str, pages: Mapping[str, str], root: Path) -> None:
    for mark, words, target in LINK.findall(pages[page]):
        if mark:
            assert len(words) > 20, f"{target} needs words for those who do not see it"
            assert ((root / page).parent / target).stat().st_size < LARGEST_PICTURE_BYTES, target


def test_every_picture_is_shown(pages: Mapping[str, str], root: Path) -> None:
    shown = "\n".join(pages.values())
    pictures = [path.name for path in (root / "docs" / "images").iterdir()]
    assert [name for name in pictures if f"images/{name})" not in shown] == []


def test_the_readme_has_the_picture_drawn_for_light_and_dark(pages: Mapping[str, str], root: Path) -> None:
    assert "](docs/images/way-of-an-event.svg)" in pages["README.md"]
    text = (root / "docs" / "images" / "way-of-an-event.svg").read_text("utf-8")
    drawn = ElementTree.fromstring(text)
    names = {"title", "desc"}
    assert names <= {one.tag.rpartition("}")[2] for one in drawn}
    assert "prefers-color-scheme: dark" in text
    assert "href=" not in text


def test_the_readme_leads_to_every_page(pages: Mapping[str, str]) -> None:
    led = {target.partition("#")[0] for _, _, target in LINK.findall(pages["README.md"])}
    assert {page for page in pages if page != "README.md"} <= led
