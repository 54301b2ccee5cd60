"""The paths of the reference, one row each: who may call them and what they may carry."""

from __future__ import annotations

from . import (
    account,
    app_events,
    batch,
    contacts,
    deletion,
    groups,
    journal,
    merge,
    notes,
    oauth,
    preferences,
    properties,
    search,
)
from .call import Route
from .twin import VERSION

__all__ = ["ROUTES"]

READ = ("crm.objects.contacts.read",)
WRITE = ("crm.objects.contacts.write",)
SCHEMA_READ = ("crm.schemas.contacts.read", "crm.objects.contacts.read", "crm.objects.contacts.write")
SCHEMA_WRITE = ("crm.schemas.contacts.write",)
OAUTH_VERSIONS = ("2026-09", "2026-03", "v3")

# Further versions of a prefix go into these tuples; the handlers are the same.
OBJECTS = (f"/crm/objects/{VERSION}", "/crm/v3/objects")
PROPERTIES = (f"/crm/properties/{VERSION}", "/crm/v3/properties")


def _objects(prefix: str) -> list[Route]:
    c, n = f"{prefix}/{{contacts}}", f"{prefix}/notes"
    one = ("properties", "propertiesWithHistory", "associations", "archived")
    return [
        Route("GET", c, contacts.list_contacts, READ, (*one, "limit", "after")),
        Route("POST", c, contacts.create_contact, WRITE),
        Route("GET", f"{c}/{{id}}", contacts.read_contact, READ, (*one, "idProperty")),
        Route("PATCH", f"{c}/{{id}}", contacts.update_contact, WRITE, ("idProperty",)),
        Route("DELETE", f"{c}/{{id}}", contacts.delete_contact, WRITE),
        Route("POST", f"{c}/search", search.search_contacts, READ, budget="search"),
        Route("POST", f"{c}/merge", merge.merge_contacts, WRITE),
        Route("POST", f"{c}/gdpr-delete", deletion.gdpr_delete, WRITE),
        Route("POST", f"{c}/batch/read", batch.batch_read, READ, ("archived",)),
        Route("POST", f"{c}/batch/create", batch.batch_create, WRITE),
        Route("POST", f"{c}/batch/update", batch.batch_update, WRITE),
        Route("POST", f"{c}/batch/upsert", batch.batch_upsert, WRITE),
        Route("POST", f"{c}/batch/archive", batch.batch_archive, WRITE),
        Route("POST", n, notes.create_note, WRITE),
        Route("GET", f"{n}/{{id}}", notes.read_note, READ, ("properties", "associations", "archived")),
        Route("DELETE", f"{n}/{{id}}", notes.delete_note, WRITE),
        Route("POST", f"{n}/batch/read", notes.batch_read_notes, READ, ("archived",)),
    ]


def _properties(prefix: str) -> list[Route]:
    p = f"{prefix}/{{contacts}}"
    one = ("archived", "dataSensitivity", "locale", "properties")
    return [
        Route("GET", p, properties.list_properties, SCHEMA_READ, one),
        Route("POST", p, properties.create_property, SCHEMA_WRITE),
        Route("GET", f"{p}/groups", groups.list_groups, SCHEMA_READ, ("locale",)),
        Route("POST", f"{p}/groups", groups.create_group, SCHEMA_WRITE),
        Route("GET", f"{p}/groups/{{name}}", groups.read_group, SCHEMA_READ, ("locale",)),
        Route("PATCH", f"{p}/groups/{{name}}", groups.update_group, SCHEMA_WRITE),
        Route("DELETE", f"{p}/groups/{{name}}", groups.delete_group, SCHEMA_WRITE),
        Route("POST", f"{p}/batch/read", properties.batch_read_properties, SCHEMA_READ, ("locale",)),
        Route("POST", f"{p}/batch/create", properties.batch_create_properties, SCHEMA_WRITE),
        Route("POST", f"{p}/batch/archive", properties.batch_archive_properties, SCHEMA_WRITE),
        Route("GET", f"{p}/{{name}}", properties.read_property, SCHEMA_READ, one),
        Route("PATCH", f"{p}/{{name}}", properties.update_property, SCHEMA_WRITE),
        Route("DELETE", f"{p}/{{name}}", properties.delete_property, SCHEMA_WRITE),
    ]


def _oauth() -> list[Route]:
    rows: list[Route] = []
    for version in OAUTH_VERSIONS:
        rows.append(Route("POST", f"/oauth/{version}/token", oauth.token, budget=None, open=True))
        rows.append(Route("POST", f"/oauth/{version}/token/introspect", oauth.introspect, budget=None, open=True))
        rows.append(Route("POST", f"/oauth/{version}/token/revoke", oauth.revoke, budget=None, open=True))
    return rows


def _preferences(prefix: str) -> list[Route]:
    read = ("communication_preferences.read_write", "communication_preferences.read")
    write = ("communication_preferences.read_write", "communication_preferences.write")
    one, every = f"{prefix}/statuses/{{email}}", f"{prefix}/statuses/{{email}}/unsubscribe-all"
    query = ("channel", "businessUnitId")
    return [
        Route("GET", f"{prefix}/definitions", preferences.definitions, read, ("businessUnitId", "includeTranslations")),
        Route("GET", one, preferences.read_statuses, read, query),
        Route("POST", one, preferences.set_status, write),
        Route("GET", every, preferences.read_all, read, (*query, "verbose")),
        Route("POST", every, preferences.unsubscribe_all, write, (*query, "verbose")),
    ]


def _timeline(version: str) -> list[Route]:
    prefix, scopes = f"/integrators/timeline/{version}", ("timeline",)
    return [
        Route("POST", f"{prefix}/events", app_events.send_event, scopes),
        Route("POST", f"{prefix}/events/batch", app_events.send_events, scopes),
    ]


def _journal(version: str) -> list[Route]:
    """Authorised by a token of the app, which is no portal's; exempt from the budgets."""
    own, subscriptions = f"/webhooks-journal/journal-local/{version}", f"/webhooks-journal/subscriptions/{version}"
    query = ("installPortalId",)
    return [
        Route("POST", subscriptions, journal.subscribe, budget=None, open=True),
        Route("GET", subscriptions, journal.list_subscriptions, budget=None, open=True),
        Route("DELETE", f"{subscriptions}/{{id}}", journal.remove, budget=None, open=True),
        Route("GET", f"{own}/earliest", journal.earliest, query=query, budget=None, open=True),
        Route("GET", f"{own}/latest", journal.latest, query=query, budget=None, open=True),
        Route("GET", f"{own}/offset/{{offset}}/next", journal.following, query=query, budget=None, open=True),
    ]


ROUTES: tuple[Route, ...] = (
    *(row for prefix in OBJECTS for row in _objects(prefix)),
    *(row for prefix in PROPERTIES for row in _properties(prefix)),
    *_preferences(f"/communication-preferences/{VERSION}"),
    *(row for version in (VERSION, "2026-03") for row in _timeline(version)),
    # Section 10 knows the look-up of an event type of this version alone.
    Route("POST", "/integrators/timeline/2026-03/types/projects", app_events.full_name, ("timeline",)),
    *_oauth(),
    *(row for version in (VERSION, "2026-03") for row in _journal(version)),
    Route("GET", "/journal-files/{name}", journal.read_file, budget=None, open=True),
    Route("GET", f"/account-info/{VERSION}/details", account.details, ("oauth",)),
    Route("DELETE", f"/appinstalls/{VERSION}/external-install", account.uninstall, ("oauth",)),
)
