"""XML as Maileon reads and writes it (section 2): elements in, bytes out, one exact content type."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

from .exchange import Answer
from .problem import Problem, Refusal

CONTENT_TYPE = "application/vnd.maileon.api+xml"  # without parameters: the official client compares the whole string
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Element = ElementTree.Element


def element(name: str, *content: str, **attributes: str) -> str:
    """An element around markup that is already escaped."""
    marks = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())
    inner = "".join(content)
    return f"<{name}{marks}>{inner}</{name}>" if inner else f"<{name}{marks}/>"


def text(name: str, value: str | int) -> str:
    """An element around a value; characters XML 1.0 cannot carry become `?`, as no escape exists for them."""
    return element(name, escape(NOT_IN_XML.sub("?", str(value))))


def nil(name: str) -> str:
    return f'<{name} nil="true"/>'


def optional(name: str, value: str | int | None) -> str:
    return nil(name) if value is None else text(name, value)


def answer(root: str, *, status: int = 200, headers: Iterable[tuple[str, str]] = ()) -> Answer:
    return Answer(status=status, body=(DECLARATION + root).encode(), content_type=CONTENT_TYPE, headers=tuple(headers))


def error(problem: Problem) -> Answer:
    """The error body of section 3."""
    return answer(element("error", text("message", problem.message)), status=problem.status)


def parse(body: bytes, root: str) -> Element:
    """The root element, which must be called `root`; anything else is 400."""
    try:
        found = ElementTree.fromstring(body)
    except (ElementTree.ParseError, ValueError, LookupError):
        raise Problem(400, "the body is not well-formed XML") from None
    if found.tag != root:
        raise Refusal(400, f"unknown element {found.tag}, expected {root}")
    return found


def children(parent: Element, allowed: Collection[str], *, repeated: bool = False) -> list[Element]:
    """The child elements; `Refusal` for one that is not allowed, carries unknown attributes, or stands twice."""
    seen: set[str] = set()
    found = list(parent)
    for child in found:
        if child.tag not in allowed:
            raise Refusal(400, f"unknown element {child.tag} in {parent.tag}")
        if any(key != "nil" for key in child.attrib):
            raise Refusal(400, f"unknown attribute at element {child.tag}")
        if child.tag in seen and not repeated:
            raise Refusal(400, f"element {child.tag} stands twice in {parent.tag}")
        seen.add(child.tag)
    if any(piece is not None and piece.strip() for piece in (parent.text, *(child.tail for child in found))):
        raise Refusal(400, f"unexpected text in element {parent.tag}")
    return found


def value_of(leaf: Element) -> str | None:
    """The text of a leaf; None when it is `nil="true"` or empty."""
    if len(leaf):
        raise Refusal(400, f"unknown element {leaf[0].tag} in {leaf.tag}")
    marked = leaf.attrib.get("nil")
    if marked not in (None, "true", "false"):
        raise Refusal(400, f"nil must be true or false at element {leaf.tag}")
    return None if marked == "true" else leaf.text or None
