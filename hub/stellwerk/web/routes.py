"""Every route of the hub in one list, and what the site as a whole needs (sessions, templates, headers)."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path, PurePath
from typing import Any

from litestar import MediaType, Request, Router
from litestar.di import Provide
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.static_files import create_static_files_router

from stellwerk.relay.hub import Hub
from stellwerk.web.access import change_access, show_access
from stellwerk.web.activity import search, show_activity
from stellwerk.web.api import api
from stellwerk.web.choose import choose, chosen, provide_here, provide_running
from stellwerk.web.contact import change_contact, show_contact
from stellwerk.web.described import Asked
from stellwerk.web.field_page import show_fields, show_history
from stellwerk.web.forgery import refuse_forged
from stellwerk.web.headers import STATIC, security_headers
from stellwerk.web.health import health, metrics, ready
from stellwerk.web.invited import accept, show_invited
from stellwerk.web.letters import change_letters, show_letters
from stellwerk.web.limits import Limits
from stellwerk.web.lists import Lists
from stellwerk.web.login import come_back, go, home, log_out
from stellwerk.web.notifications import change_notifications, show_notifications
from stellwerk.web.oauth import UsedStates
from stellwerk.web.operator import change_operator, follow_link, provide_operator, show_link, show_operator
from stellwerk.web.overview import change_overview, show_overview
from stellwerk.web.pages import template_config
from stellwerk.web.parting import change_disconnect, show_disconnect
from stellwerk.web.people import change_people, show_people
from stellwerk.web.person import change_erase, print_consent, show_consent, show_erase
from stellwerk.web.problems import problem_handlers
from stellwerk.web.session import session_middleware
from stellwerk.web.settings import change_settings, show_settings
from stellwerk.web.sync import change_sync, show_sync, sync_progress
from stellwerk.web.trying import change_try, show_try, try_progress
from stellwerk.web.visitor import provide_visitor
from stellwerk.web.webhooks import take_webhook

MOST_FORM_BYTES = 100_000
SCHEMA = "/schema"
STATIC_FILES = Path(__file__).parent / "static"
STATIC_NAMES = frozenset(one.name for one in STATIC_FILES.iterdir())

probes: tuple[HTTPRouteHandler, ...] = (health, ready, metrics)
pages: tuple[HTTPRouteHandler, ...] = (
    home,
    go,
    come_back,
    log_out,
    choose,
    chosen,
    show_overview,
    change_overview,
    show_activity,
    search,
    show_contact,
    change_contact,
    show_consent,
    print_consent,
    show_erase,
    change_erase,
    show_letters,
    change_letters,
    show_sync,
    change_sync,
    sync_progress,
    try_progress,
    show_fields,
    show_history,
    show_access,
    change_access,
    show_notifications,
    change_notifications,
    show_people,
    change_people,
    show_invited,
    accept,
    show_link,
    follow_link,
    show_operator,
    change_operator,
    show_try,
    change_try,
    show_disconnect,
    change_disconnect,
    show_settings,
    change_settings,
)


def only_what_is_there(request: Request[Any, Any, Any]) -> None:
    """The disk is not asked for names that it has not: one with a zero byte, or too long for it, would be an error there."""
    if PurePath(str(request.path_params["file_path"])).name not in STATIC_NAMES:
        raise NotFoundException()


def route_handlers(hub: Hub) -> list[HTTPRouteHandler | Router]:
    """What programs call, what people open, and the files that pages are drawn with."""
    lists = Lists(hub)
    limits = Limits(hub.now)
    limited = {"limits": Provide(lambda: limits, sync_to_thread=False)}
    used_states = UsedStates(hub.now)
    site_of_people = Router(
        path="/",
        route_handlers=list(pages),
        middleware=[session_middleware(hub)],
        before_request=refuse_forged,
        request_max_body_size=MOST_FORM_BYTES,
        include_in_schema=False,
        dependencies={
            **limited,
            "visitor": Provide(provide_visitor, sync_to_thread=False),
            "here": Provide(provide_here),
            "running": Provide(provide_running, sync_to_thread=False),
            "operator": Provide(provide_operator, sync_to_thread=False),
            "lists": Provide(lambda: lists, sync_to_thread=False),
            "used_states": Provide(lambda: used_states, sync_to_thread=False),
        },
    )
    return [
        Router(path="/", route_handlers=[take_webhook], dependencies=limited),
        *probes,
        api(lists, limits),
        site_of_people,
        create_static_files_router(
            path=STATIC.rstrip("/"),
            directories=[STATIC_FILES],
            before_request=only_what_is_there,
        ),
    ]


def site(hub: Hub) -> dict[str, Any]:
    """Arguments of `Litestar` besides the routes."""
    return {
        "request_class": Asked,
        "template_config": template_config(),
        "exception_handlers": problem_handlers(hub),
        "before_send": [security_headers(https=hub.public_url.startswith("https://"))],
        "openapi_config": OpenAPIConfig(
            title=hub.integration.title,
            version=version("stellwerk"),
            path=SCHEMA,
            # Only the document: the pages that show it load scripts from elsewhere.
            render_plugins=[JsonRenderPlugin(path="/openapi.json", media_type=MediaType.JSON)],
            components=Components(security_schemes={"token": SecurityScheme(type="http", scheme="bearer")}),
        ),
        # Litestar's own would set up the root logger.
        "logging_config": None,
        "debug": False,
    }
