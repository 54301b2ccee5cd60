"""`hub:` can be served: addresses are addresses, the key is long enough, the database is one of the two."""

from __future__ import annotations

from urllib.parse import urlsplit

from stellwerk.config.draft import Draft
from stellwerk.config.secrets import is_reference
from stellwerk.config.spec import Smtp

__all__ = ["LEAST_SECRET_CHARACTERS", "check_hub"]

LEAST_SECRET_CHARACTERS = 32
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


def check_hub(draft: Draft) -> None:
    hub = draft.hub
    if hub is None:
        return
    for name, address in (("public_url", hub.public_url), ("webhook_url", hub.webhook_url)):
        if address is not None and not is_reference(address):
            _check_url(draft, name, address)
    if not is_reference(hub.database) and not hub.database.startswith(("sqlite:///", "postgresql://")):
        draft.note(
            "not-a-url", ("hub", "database"), "this is no database",
            expected="sqlite:///FILE or postgresql://USER@HOST/NAME", mend="write one of these",
        )  # fmt: skip
    key = hub.secret_key.reveal()
    if not is_reference(key) and len(key) < LEAST_SECRET_CHARACTERS:
        draft.note(
            "weak-secret", ("hub", "secret_key"), "the key is too short",
            expected=f"{LEAST_SECRET_CHARACTERS} characters or more", mend="make one with: openssl rand -hex 32",
        )  # fmt: skip
    if hub.smtp is not None:
        _check_smtp(draft, hub.smtp)


def _check_smtp(draft: Draft, smtp: Smtp) -> None:
    path = ("hub", "smtp")
    if (smtp.username is None) != (smtp.password is None):
        missing = "username" if smtp.username is None else "password"
        draft.note(
            "missing-key", path, f"'{missing}' is missing", expected="both or neither of username and password",
            mend=f"add '{missing}:'",
        )  # fmt: skip
    if smtp.password is not None and smtp.security == "none":
        draft.note(
            "not-allowed", (*path, "security"), "a password is not sent unencrypted", expected="starttls or tls",
            mend="choose one of these, or take username and password away",
        )  # fmt: skip


def _check_url(draft: Draft, name: str, address: str) -> None:
    try:
        parts = urlsplit(address)
        host = parts.hostname
        good = (
            parts.scheme in ("http", "https") and host is not None and not (parts.path or parts.query or parts.fragment)
        )
        good = good and parts.username is None and (parts.port is None or parts.port > 0)
    except ValueError:
        good, host = False, None
    if not good:
        draft.note(
            "not-a-url", ("hub", name), "this is no address of a site",
            expected="https://HOST or https://HOST:PORT, without a path and a slash at the end", mend="write it like that",
        )  # fmt: skip
    elif parts.scheme == "http" and host not in _LOCAL:
        draft.note(
            "not-a-url", ("hub", name), "this address is not encrypted", expected="https://",
            mend="put a proxy with a certificate before the hub", severity="warning",
        )  # fmt: skip
