"""Fields: the file's table as both systems see it, how soon changes arrive, and who saved which settings when."""

from __future__ import annotations

from typing import Any

from litestar import Request, get
from litestar.di import NamedDependency
from litestar.response import Template

from stellwerk.relay.hub import Hub
from stellwerk.view.field_table import field_table
from stellwerk.view.history import history
from stellwerk.web.choose import Here
from stellwerk.web.inside import inside
from stellwerk.web.language import in_language
from stellwerk.web.lists import Lists
from stellwerk.web.pages import speaker, system_title
from stellwerk.web.shown_value import shown_value

MOST_UNMAPPED = 200


@get("/fields", name="fields")
async def show_fields(
    request: Request[Any, Any, Any],
    hub: NamedDependency[Hub],
    running: NamedDependency[Here],
    lists: NamedDependency[Lists],
) -> Template:
    """The table, compared with both systems."""
    real = await lists.fields(running.accounts)
    table = await field_table(hub, running.connection, running.accounts, real)
    titles = {name: system_title(system) for name, system in hub.systems.items()}
    context = {"table": table, "titles": titles, "most": MOST_UNMAPPED, "asked": all(real.values())}
    return inside(request, hub, "field_table.html", running, context)


@get("/history", name="history")
async def show_history(
    request: Request[Any, Any, Any], hub: NamedDependency[Hub], running: NamedDependency[Here]
) -> Template:
    """Every save, newest first; returning to one shows it in the settings, where it is saved as any other."""
    say = speaker(request, running.visitor)
    plan = hub.book(running.connection).plan
    labels = {name: in_language(one.label, say.language) for name, one in plan.settings_by_id.items()}
    lines = await history(hub, running.connection)

    def shown(setting: str, value: Any) -> str:
        return shown_value(say, plan.settings_by_id.get(setting), value)

    return inside(request, hub, "history.html", running, {"lines": lines, "labels": labels, "shown": shown})
