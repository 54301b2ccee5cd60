"""Setting an account up: custom fields with types, our mark's field, our webhooks; foreign webhooks are told, never touched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from stellwerk.sdk import Difference, FieldSpec, Hook, ReauthorizeError, RejectedError, Wanted
from stellwerk_maileon import customfields, hooks
from stellwerk_maileon.hooks import StoredHook
from stellwerk_maileon.session import Session
from stellwerk_maileon.wire import CUSTOM, MARK_FIELD, STANDARD_FIELDS

OURS = "/webhooks/maileon/"
"""In the path of every webhook URL of ours, below the hub's own address."""

_MARK = FieldSpec(name=CUSTOM + MARK_FIELD, kind="text")


async def provide(session: Session, wanted: Wanted) -> Sequence[Difference]:
    """Create what is missing; running it again changes nothing. Raises `DeliveryError`."""
    differences = await _fields(session, (_MARK, *wanted.created, *wanted.used))
    return [*differences, *await _webhooks(session, wanted.hooks)]


async def _fields(session: Session, specs: Iterable[FieldSpec]) -> list[Difference]:
    existing = await session.client.custom_fields()
    differences: list[Difference] = []
    for spec in {spec.name: spec for spec in specs}.values():
        difference = await _field(session, spec, existing)
        if difference is not None:
            differences.append(difference)
    return differences


async def _field(session: Session, spec: FieldSpec, existing: dict[str, str]) -> Difference | None:
    if not spec.name.startswith(CUSTOM):
        if spec.name in STANDARD_FIELDS:
            return None
        return Difference(code="field-unknown", subject=spec.name, text="Maileon has no standard field of this name.")
    name, type_ = spec.name.removeprefix(CUSTOM), customfields.TYPES[spec.kind]
    if name in existing:
        if existing[name] == type_:
            return None
        text = f"The field has type {existing[name]}; {type_} was expected."
        return Difference(code="field-type-differs", subject=spec.name, text=text)
    if not customfields.is_possible(name):
        text = f"A custom field's name has {customfields.SHORTEST} to {customfields.LONGEST} characters and is not one of Maileon's own."
        return Difference(code="field-name-impossible", subject=spec.name, text=text)
    try:
        await session.client.create_custom_field(name, type_)
    except RejectedError as error:
        # Somebody else may have created it in between: what counts is whether it is there.
        if name not in await session.client.custom_fields():
            return Difference(code="field-not-created", subject=spec.name, text=error.answer or str(error))
    return None


async def _webhooks(session: Session, wanted: Sequence[Hook]) -> list[Difference]:
    """Have each wanted webhook once; remove our older ones only when the new one stands, so that no call is missed."""
    if not wanted:
        return []
    try:
        existing = await session.client.webhooks()
        for hook in wanted:
            await _register(session, hook, [stored for stored in existing if _is(stored, hook)])
    except (RejectedError, ReauthorizeError) as error:
        if isinstance(error, ReauthorizeError) and error.code != "right-missing":
            raise
        # Webhooks must be switched on for the account (section 10.2); the settings page shows the URLs to copy.
        return [Difference(code="webhooks-not-registered", subject="webhooks", text=error.answer or str(error))]
    prefixes = {_prefix(hook.url) for hook in wanted} - {None}
    foreign: list[StoredHook] = []
    for stored in existing:
        if any(_is(stored, hook) for hook in wanted):
            continue
        if _prefix(stored.url) in prefixes and stored.event in hooks.EVENT_FIELDS:
            await session.client.delete_webhook(stored.id)
        elif _prefix(stored.url) not in prefixes:
            foreign.append(stored)
    return [_foreign(foreign)] if foreign else []


async def disconnect(session: Session, ours: Sequence[Hook]) -> Sequence[Difference]:
    """Remove every webhook of ours, those of an earlier secret and those set up by hand included. Raises `DeliveryError`.

    `ours` tell where this hub is; webhooks of others stay. One that Maileon does not let go is told, to be removed by hand.
    """
    prefixes = {_prefix(hook.url) for hook in ours} - {None}
    if not prefixes:
        return []
    try:
        existing = await session.client.webhooks()
    except RejectedError as error:
        return [_left_over("webhooks", error)]
    differences = []
    for stored in existing:
        if _prefix(stored.url) not in prefixes:
            continue
        try:
            await session.client.delete_webhook(stored.id)
        except RejectedError as error:
            differences.append(_left_over(stored.id, error))
    return differences


def _left_over(subject: str, error: RejectedError) -> Difference:
    return Difference(code="webhooks-not-removed", subject=subject, text=error.answer or str(error))


async def _register(session: Session, hook: Hook, same: Sequence[StoredHook]) -> None:
    if not same:
        await session.client.create_webhook(hooks.write(hook.url, hook.topic))
        return
    # The first stays; a call for each of several would only make us look as often.
    kept = same[0]
    if not set(hooks.STANDARD_FIELDS) <= kept.fields:
        await session.client.update_webhook(kept.id, hooks.write(hook.url, hook.topic))
    for double in same[1:]:
        await session.client.delete_webhook(double.id)


def _is(stored: StoredHook, hook: Hook) -> bool:
    return stored.url == hook.url and stored.event == hook.topic


def _prefix(url: str) -> str | None:
    """Scheme, host and path of our webhooks' common beginning; None for a URL that cannot be ours."""
    parts = urlsplit(url)
    before, found, _ = parts.path.partition(OURS)
    return f"{parts.scheme}://{parts.netloc}{before}{found}".lower() if found else None


def _foreign(others: Sequence[StoredHook]) -> Difference:
    """All of them in one, since a person looks at all of them."""
    named = "; ".join(f"{one.id} for {one.event or 'an unnamed event'} calls {_whose(one.url)}" for one in others)
    return Difference(code="foreign-webhook", subject="webhooks", text=f"Others hear of this account too: {named}.")


def _whose(url: str) -> str:
    """The host alone, since the path may hold somebody's secret; and whether it looks like another hub of our kind."""
    host = urlsplit(url).hostname or "an address that cannot be read"
    return host if _prefix(url) is None else f"another hub like this one at {host}"
