"""Templates of the pages a person uses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from .call import Answer, Call
from .errors import Refusal

__all__ = ["go_to", "page", "refusal_page", "stylesheet"]

FOLDER = Path(__file__).parent / "templates"
ENVIRONMENT = Environment(
    loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
HTML = ("content-type", "text/html; charset=utf-8")


def page(name: str, /, status: int = 200, headers: tuple[tuple[str, str], ...] = (), **values: Any) -> Answer:
    """The template `name` filled in."""
    text = ENVIRONMENT.get_template(name).render(**values)
    return Answer(status, text.encode(), (HTML, ("cache-control", "no-store"), *headers))


def go_to(where: str, status: int = 303) -> Answer:
    return Answer(status, b"", (("location", where),))


def refusal_page(refusal: Refusal) -> Answer:
    """A refusal as a person sees it."""
    return page("problem.html", refusal.status, title="This did not work", message=refusal.body.get("message", ""))


def stylesheet(call: Call) -> Answer:
    return Answer(200, (FOLDER / "twin.css").read_bytes(), (("content-type", "text/css; charset=utf-8"),))
