"""A person with a browser, as far as a story needs one: pages, links, forms, cookies. No JavaScript."""

from __future__ import annotations

import http.cookiejar
import secrets
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

__all__ = ["Browser", "Form", "Page"]

SECONDS = 30.0


@dataclass
class Form:
    """A form as it stands on the page: what it would send, and which boxes and choices it has.

    `values` is what a browser would post untouched; `boxes` has the value each checkbox posts when ticked, `choices` the
    options of each select or radio group, `buttons` the named buttons.
    """

    action: str
    method: str
    values: dict[str, str] = field(default_factory=dict)
    boxes: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Page:
    """An answered request: where it ended after redirects, what it says, its forms and links."""

    url: str
    status: int
    text: str
    forms: list[Form]
    links: list[tuple[str, str]]
    html: str

    def form(self, *fields: str, action: str = "") -> Form:
        """The first form with all these fields whose action contains `action`."""
        for form in self.forms:
            known = {*form.values, *form.boxes, *form.choices, *(name for name, _ in form.buttons)}
            if action in form.action and set(fields) <= known:
                return form
        raise LookupError(f"{self.url} has no form with {', '.join(fields) or action}")

    def link(self, words: str) -> str:
        """Where the first link goes whose text or path contains `words`; host and port of a link say nothing of it."""
        for target, text in self.links:
            if words in text or words in urllib.parse.urlsplit(target)._replace(scheme="", netloc="").geturl():
                return target
        raise LookupError(f"{self.url} has no link '{words}'")


class Browser:
    """One visitor: keeps cookies, follows redirects."""

    def __init__(self) -> None:
        self._jar = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self._jar)
        )

    def open(self, url: str) -> Page:
        return self._page(urllib.request.Request(url))

    def submit(
        self, form: Form, values: dict[str, str | None] | None = None, button: tuple[str, str] | None = None
    ) -> Page:
        """Send the form with `values` filled in; None leaves a field out, as an unticked box is."""
        posted: dict[str, str] = dict(form.values)
        for name, value in (values or {}).items():
            if value is None:
                posted.pop(name, None)
            else:
                posted[name] = value
        if button is not None:
            posted[button[0]] = button[1]
        data = urllib.parse.urlencode(posted)
        if form.method == "get":
            return self.open(form.action.partition("?")[0] + "?" + data)
        origin = "{0.scheme}://{0.netloc}".format(urllib.parse.urlsplit(form.action))
        request = urllib.request.Request(form.action, data.encode(), {"Origin": origin})
        return self._page(request)

    def upload(self, form: Form, field: str, name: str, content: bytes) -> Page:
        """Send a form whose `field` is a file, called `name` and a CSV file."""
        boundary = secrets.token_hex(16)
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\nContent-Type: text/csv\r\n\r\n'
        body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        return self._page(urllib.request.Request(form.action, body, headers))

    def _page(self, request: urllib.request.Request) -> Page:
        try:
            answer = self._opener.open(request, timeout=SECONDS)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            html = answer.read().decode("utf-8", "replace")
            url = answer.geturl()
            reader = _Reader(url)
            reader.feed(html)
            return Page(
                url, int(answer.status), " ".join("".join(reader.text).split()), reader.forms, reader.links, html
            )


class _Reader(HTMLParser):
    """Collects forms, links and visible text."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[tuple[str, str]] = []
        self.text: list[str] = []
        self._url = url
        self._form: Form | None = None
        self._select: str | None = None
        self._area: str | None = None
        self._link: str | None = None
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given: dict[str, Any] = {name: value if value is not None else "" for name, value in attrs}
        if tag in ("script", "style", "head"):
            self._hidden += 1
        elif tag == "a" and "href" in given:
            self._link = urllib.parse.urljoin(self._url, given["href"])
            self.links.append((self._link, ""))
        elif tag == "form":
            action = urllib.parse.urljoin(self._url, given.get("action") or self._url)
            self._form = Form(action, given.get("method", "get").lower())
            self.forms.append(self._form)
        elif self._form is not None and "name" in given and "disabled" not in given:
            self._field(self._form, tag, given)
        elif tag == "option" and self._form is not None and self._select is not None:
            value = given.get("value", "")
            self._form.choices[self._select].append(value)
            if "selected" in given or len(self._form.choices[self._select]) == 1:
                self._form.values[self._select] = value
        if tag in ("br", "p", "li", "tr", "td", "th", "div", "h1", "h2", "h3", "dt", "dd", "label", "option"):
            self.text.append(" ")

    def _field(self, form: Form, tag: str, given: dict[str, Any]) -> None:
        name, kind = given["name"], given.get("type", "text")
        if tag == "select":
            self._select = name
            form.choices[name] = []
        elif tag == "textarea":
            self._area = name
            form.values[name] = ""
        elif tag == "button" or (tag == "input" and kind == "submit"):
            form.buttons.append((name, given.get("value", "")))
        elif tag == "input" and kind == "checkbox":
            form.boxes[name] = given.get("value", "on")
            if "checked" in given:
                form.values[name] = form.boxes[name]
        elif tag == "input" and kind == "radio":
            form.choices.setdefault(name, []).append(given.get("value", "on"))
            if "checked" in given:
                form.values[name] = given.get("value", "on")
        elif tag == "input":
            form.values[name] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style", "head"):
            self._hidden -= 1
        elif tag == "form":
            self._form = None
        elif tag == "select":
            self._select = None
        elif tag == "textarea":
            self._area = None
        elif tag == "a":
            self._link = None

    def handle_data(self, data: str) -> None:
        if self._area is not None and self._form is not None:
            self._form.values[self._area] += data
        if self._hidden:
            return
        self.text.append(data)
        if self._link is not None:
            target, text = self.links[-1]
            self.links[-1] = (target, text + data)
