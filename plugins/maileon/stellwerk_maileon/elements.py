"""XML as it is exchanged with Maileon: read without trust, written without holes."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from stellwerk_maileon.problem import WireError

Element = ElementTree.Element

# XML 1.0 has no way to write these, not even escaped; one of them would make a whole bulk call unreadable.
UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class _NoDoctype(ElementTree.TreeBuilder):
    """Maileon sends no document type; one in an answer could only bring entities that grow or read files."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise WireError("a document type is not accepted")


def parse(body: bytes, *roots: str) -> Element:
    """The root element, called one of `roots` where some are given; names are without their namespace, where an answer has one.

    Raises `WireError` for anything but well-formed UTF-8 XML without a document type: an error page must not look like
    an empty list.
    """
    try:
        parser = ElementTree.XMLParser(target=_NoDoctype(), encoding="utf-8")
        parser.feed(body)
        root: Element = parser.close()
    except ElementTree.ParseError:
        raise WireError("not well-formed XML") from None
    for element in root.iter():
        element.tag = _local(element.tag)
        for name in [name for name in element.attrib if name.startswith("{")]:
            element.set(_local(name), element.attrib.pop(name))
    if roots and root.tag not in roots:
        raise WireError(f"expected {' or '.join(roots)}")
    return root


def is_error(body: bytes) -> bool:
    """Whether this is Maileon's own error body."""
    try:
        parse(body, "error")
    except WireError:
        return False
    return True


def is_page(body: bytes) -> bool:
    """Whether this is a web page: something between us and Maileon answers in its place, with whatever status."""
    return body.lstrip()[:15].lower().startswith((b"<!doctype html", b"<html"))


def is_true(word: str | None) -> bool:
    """XML's two spellings of true."""
    return (word or "").strip().lower() in ("true", "1")


def render(root: Element) -> bytes:
    """The document as bytes, declared as UTF-8."""
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode").encode()


def add(parent: Element, name: str, value: str | None) -> None:
    """Append `<name>value</name>`, or `<name nil="true"/>` for None."""
    child = ElementTree.SubElement(parent, name)
    if value is None:
        child.set("nil", "true")
    else:
        child.text = UNWRITABLE.sub("", value)


def text(parent: Element, *names: str) -> str | None:
    """The text of the first child with one of these names; None when it is absent, nil or empty."""
    for name in names:
        child = parent.find(name)
        if child is not None:
            return content(child)
    return None


def token(parent: Element, *names: str) -> str | None:
    """`text` of a value that has no blanks at its ends; None when nothing is left."""
    return (text(parent, *names) or "").strip() or None


def content(leaf: Element) -> str | None:
    """The text of a leaf; None when it is nil or empty."""
    if is_true(leaf.get("nil")):
        return None
    return leaf.text or None


def _local(name: str) -> str:
    return name.rpartition("}")[2]
