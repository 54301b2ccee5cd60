"""The account settings of a connector as a part of the page: read from the form, tested, never shown again."""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct

from stellwerk.errors import DeliveryError
from stellwerk.relay.connect import check_settings
from stellwerk.relay.hub import Hub, System, log, open_settings
from stellwerk.sdk.connector import Account
from stellwerk.sdk.settings import Secret, Settings
from stellwerk.web.pages import Speaker, system_title

ACRONYMS = frozenset({"api", "id", "url", "oauth"})


class AccountField(Struct, frozen=True, kw_only=True):
    """One field of an `account_type`. `label` is its `Meta(title=…)`, else its name as words: `api_key` is API Key.

    `german` is the description in German, from `Meta(extra={"de": …})`.
    """

    name: str
    label: str
    description: str
    german: str
    secret: bool
    required: bool
    kind: Literal["text", "number", "switch"]


class TestOutcome(Struct, frozen=True, kw_only=True):
    """What a test of an account brought: a sentence, and every right with whether it is there."""

    good: bool
    sentence: str
    rights: tuple[tuple[str, bool], ...] = ()


def account_fields(kind: type[Settings]) -> tuple[AccountField, ...]:
    """The fields of a connector's `account_type`, in its order."""
    hints = get_type_hints(kind, include_extras=True)
    required = {info.name: info.required for info in msgspec.structs.fields(kind)}
    return tuple(_field(name, hints[name], required[name]) for name in kind.__struct_fields__)


def read_account(system: System, form: Mapping[str, str]) -> tuple[Settings | None, frozenset[str]]:
    """The account settings typed into the form, and the names of fields that are wrong. None: nothing usable was typed."""
    typed: dict[str, Any] = {}
    wrong: set[str] = set()
    fields = account_fields(system.connector.account_type)
    if not any(form.get(input_name(system, field), "").strip() for field in fields if field.kind != "switch"):
        return None, frozenset()
    for field in fields:
        text = form.get(input_name(system, field), "").strip()
        if field.kind == "switch":
            typed[field.name] = text == "yes"
        elif text:
            try:
                typed[field.name] = float(text) if field.kind == "number" else text
            except ValueError:
                wrong.add(field.name)
        elif field.required:
            wrong.add(field.name)
    if wrong:
        return None, frozenset(wrong)
    return settings_from(system, typed)


def settings_from(system: System, plain: Mapping[str, Any]) -> tuple[Settings | None, frozenset[str]]:
    """Plain values as the connector's Struct; the fields that it refuses. What was refused is not told: it may be a secret."""
    try:
        return open_settings(system.connector.account_type, msgspec.json.encode(plain)), frozenset()
    except msgspec.ValidationError as error:
        _, _, place = str(error).partition("`$.")
        name = place.partition("`")[0]
        known = {field.name for field in account_fields(system.connector.account_type)}
        return None, frozenset({name} if name in known else known)


def revealed(settings: Settings) -> dict[str, Any]:
    """The settings as plain values, secrets in the clear: for the sealed cookie alone."""

    def reveal(value: object) -> str:
        if isinstance(value, Secret):
            return value.reveal()
        raise NotImplementedError(type(value).__name__)

    plain: dict[str, Any] = msgspec.to_builtins(settings, enc_hook=reveal)
    return plain


def input_name(system: System, field: AccountField) -> str:
    return f"account.{system.name}.{field.name}"


def key_name(system: System) -> str | None:
    """What the buttons call the credentials: the label of the only secret; None where there are several or none."""
    secrets = [field.label for field in account_fields(system.connector.account_type) if field.secret]
    return secrets[0] if len(secrets) == 1 else None


async def test_account(
    hub: Hub, system: System, settings: Settings, say: Speaker
) -> tuple[Account | None, TestOutcome]:
    """Ask the remote who this is, and say it in a sentence. The account is None unless it can do all that is needed."""
    title = system_title(system)
    try:
        account = await check_settings(hub, system.name, settings)
    except DeliveryError as failed:
        log.info("a test of %s settings failed: %s", system.name, failed.code)
        return None, TestOutcome(good=False, sentence=why(say, title, failed))
    rights = tuple((right, right not in account.missing) for right in (account.rights or account.missing))
    if account.missing:
        sentence = say("key-lacks", system=title, account=account.name, rights=", ".join(account.missing))
        return None, TestOutcome(good=False, sentence=sentence, rights=rights)
    sentence = say("key-good", system=title, account=account.name or account.id)
    return account, TestOutcome(good=True, sentence=sentence, rights=rights)


def why(say: Speaker, title: str, failed: DeliveryError) -> str:
    """A failure at a remote as a sentence for its customer; unknown reasons by their code, for the operator."""
    return why_code(say, title, failed.code)


def why_there(hub: Hub, say: Speaker, failed: DeliveryError) -> str:
    """The same of a failure that names its system itself."""
    system = hub.systems.get(failed.system)
    return why(say, hub.integration.title if system is None else system_title(system), failed)


def why_code(say: Speaker, title: str, code: str) -> str:
    key = f"remote-{code}"
    return say(key, system=title) if say.knows(key) else say("remote-other", system=title, code=code)


def _field(name: str, hint: Any, required: bool) -> AccountField:
    kinds, metas = _unpacked(hint)
    title = next((meta.title for meta in metas if meta.title), None)
    description = next((meta.description for meta in metas if meta.description), "")
    german = next((str(meta.extra["de"]) for meta in metas if meta.extra and "de" in meta.extra), description)
    numeric = not kinds.isdisjoint({int, float})
    return AccountField(
        name=name,
        label=title or " ".join(_word(part) for part in name.split("_")),
        description=description,
        german=german,
        secret=Secret in kinds,
        required=required,
        kind="switch" if bool in kinds else "number" if numeric else "text",
    )


def _unpacked(hint: Any) -> tuple[set[Any], list[Meta]]:
    """The plain types of an annotation, and what is said about them."""
    if get_origin(hint) is Annotated:
        inner, *extras = get_args(hint)
        kinds, metas = _unpacked(inner)
        return kinds, [*(extra for extra in extras if isinstance(extra, Meta)), *metas]
    if get_origin(hint) in (Union, types.UnionType):
        parts = [_unpacked(part) for part in get_args(hint)]
        return {kind for kinds, _ in parts for kind in kinds}, [meta for _, metas in parts for meta in metas]
    return {hint}, []


def _word(part: str) -> str:
    return part.upper() if part in ACRONYMS else part.capitalize()
