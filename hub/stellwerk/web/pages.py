"""Pages from templates: one language, one title, everything escaped."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Request
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.response import Template
from litestar.template.config import TemplateConfig

from stellwerk.registry import has
from stellwerk.relay.hub import Hub, System
from stellwerk.sdk.connector import Titled
from stellwerk.store.connections import Connection
from stellwerk.web.language import LANGUAGES, Language, accepted_language
from stellwerk.web.phrases import PHRASES, phrase
from stellwerk.web.times import Times
from stellwerk.web.visitor import Visitor, visitor_of

TEMPLATES = Path(__file__).parent / "templates"


def template_config() -> TemplateConfig[JinjaTemplateEngine]:
    """Jinja with every value escaped; a name that is not given is an error, not a blank."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return TemplateConfig(instance=JinjaTemplateEngine.from_environment(environment))


class Speaker:
    """The phrases of one language, for templates and code: `say("save")`. `when` shows moments in that language."""

    def __init__(self, language: Language, zone: str | None = None) -> None:
        self.language = language
        self.when = Times(language, zone)

    def __call__(self, key: str, /, **values: object) -> str:
        """The phrase; with elements in it, such as a moment, where one of the values is one."""
        return phrase(self.language, key, **values)

    def knows(self, key: str) -> bool:
        return key in PHRASES


def speaker(request: Request[Any, Any, Any], visitor: Visitor | None = None, zone: str | None = None) -> Speaker:
    """What this visitor chose, else what the browser asks for; `zone` is the time zone of the moments on the page."""
    chosen = (visitor or visitor_of(request)).language
    return Speaker(chosen or accepted_language(request.headers.get("accept-language", "")), zone)


def page(
    request: Request[Any, Any, Any],
    hub: Hub,
    template: str,
    *,
    visitor: Visitor | None = None,
    status: int = 200,
    context: Mapping[str, object] | None = None,
    zone: str | None = None,
) -> Template:
    """One page; `context` is what its template needs besides `title`, `say`, `when`, `visitor` and `languages`."""
    visitor = visitor or visitor_of(request)
    say = speaker(request, visitor, zone)
    return Template(
        template_name=template,
        context={
            "title": hub.integration.title,
            "say": say,
            "when": say.when,
            "visitor": visitor,
            "languages": LANGUAGES,
            "here": request.url.path,
            "home": home_of(visitor),
            "full": hub.store.full,
            "nav": (),
            **(context or {}),
        },
        status_code=status,
        media_type="text/html",
    )


def home_of(visitor: Visitor) -> str:
    """Where this visitor begins: the login page is for who has not logged in."""
    if visitor.account or visitor.invitation:
        return "/overview"
    return "/operator" if visitor.operator else "/"


def system_title(system: System) -> str:
    """The system's brand as people write it."""
    connector: Any = system.connector
    title: str = connector.title if has(connector, Titled) else connector.name.title()
    return title


def mail_title(hub: Hub, connection: Connection) -> str:
    """The brand of the system that mails."""
    mail = hub.book(connection).plan.mail_system
    return hub.integration.title if mail is None else system_title(hub.systems[mail])


def login_title(hub: Hub) -> str | None:
    """The brand of the system that people sign in with; None where the file names none."""
    login = hub.integration.login
    return None if login is None else system_title(hub.systems[login])
