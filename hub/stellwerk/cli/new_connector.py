"""`stellwerk new-connector`: a small connector that works, with its tests, to make one's own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath

import rich_click as click

from stellwerk.cli.give import JSON, printed
from stellwerk.registry import load_connectors

__all__ = ["files_of", "new_connector"]

NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
LONGEST = 30
# The skeleton is a whole connector of this name; in a host, a header or a distribution words are joined by a dash.
STANDING = re.compile("cardbox|Cardbox|CARDBOX")
TEXT = ".txt"


@click.command()
@click.argument("name")
@click.option(
    "--folder", type=click.Path(path_type=Path), default=None, help="Where to; default stellwerk-NAME, which is made."
)
@JSON
def new_connector(name: str, folder: Path | None, as_json: bool) -> None:
    """Write a small connector called NAME that works, with its tests. NAME is the word after `connector:` in the file.

    It reads, writes and hears webhooks of a system that exists in its tests alone; its README says what to change first.
    """
    if NAME.fullmatch(name) is None or len(name) > LONGEST:
        raise click.BadParameter(f"small letters, digits and single _, at most {LONGEST} characters", param_hint="NAME")
    if name in load_connectors().connectors:
        raise click.BadParameter(f"a connector is called '{name}' already", param_hint="NAME")
    place = Path(f"stellwerk-{dashed(name)}") if folder is None else folder
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise click.BadParameter(f"{place} is there already and not empty", param_hint="--folder")
    written = files_of(name)
    for path, text in written.items():
        target = place / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
    lines = [str(place / path) for path in written]
    lines += ["", f"cd {place}", "pip install -e '.[test]'", "pytest", "stellwerk connectors"]
    printed({"folder": str(place), "files": list(written)}, "\n".join(lines), as_json=as_json)


def files_of(name: str) -> Mapping[str, str]:
    """Each file of a new connector, by its path in the folder."""
    found = {_path(path, name): text for path, text in _texts(files("stellwerk") / "skeleton", PurePosixPath())}
    return {path: _renamed(found[path], name) for path in sorted(found)}


def dashed(name: str) -> str:
    return name.replace("_", "-")


def _texts(folder: Traversable, path: PurePosixPath) -> Iterator[tuple[PurePosixPath, str]]:
    for one in folder.iterdir():
        if one.is_dir():
            yield from _texts(one, path / one.name)
        elif one.name.endswith(TEXT):
            yield path / one.name.removesuffix(TEXT), one.read_text("utf-8")


def _path(path: PurePosixPath, name: str) -> str:
    top, *rest = path.parts
    return _renamed(str(PurePosixPath("stellwerk_cardbox" if top == "package" else top, *rest)), name)


def _renamed(text: str, name: str) -> str:
    def instead(match: re.Match[str]) -> str:
        before = match.string[match.start() - 1 : match.start()]
        words = {
            "Cardbox": "".join(part.capitalize() for part in name.split("_")),
            "CARDBOX": name.upper(),
            "cardbox": dashed(name) if before in ("-", ".") else name,
        }
        return words[match[0]]

    return STANDING.sub(instead, text)
