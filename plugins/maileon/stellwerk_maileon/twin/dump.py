"""Everything an account holds, as JSON for the control API: what tests compare with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from .account import Account, Contact, Entry

if TYPE_CHECKING:
    from .maileon import Maileon


def contact(account: Account, found: Contact) -> dict[str, Any]:
    return {
        "id": found.id,
        "email": found.email,
        "external_id": found.external_id,
        "permission": found.permission,
        "standard_fields": found.standard,
        "custom_fields": found.custom,
        "source": found.source,
        "subscription_page": found.subscription_page,
        "anonymous": found.anonymous,
        "unsubscribed": found.unsubscribed,
        "sendout_status": account.sendout_status(found),
        "checksum": found.checksum,
        "created": found.created,
        "updated": found.updated,
    }


def entry(found: Entry) -> dict[str, Any]:
    values = msgspec.structs.asdict(found)
    values["contact"] = {"id": found.contact.id, "email": found.contact.email, "external_id": found.contact.external_id}
    return {name: value for name, value in values.items() if value is not None}


def account(maileon: Maileon, found: Account) -> dict[str, Any]:
    return {
        "account": {"id": found.id, "name": found.name, "options": found.options},
        "contacts": [contact(found, one) for one in found.contacts.values()],
        "markers": sorted(found.markers),
        "mails": [msgspec.structs.asdict(mail) for mail in found.mails],
        "custom_fields": found.custom_fields,
        "mailings": [msgspec.structs.asdict(mailing) for mailing in found.mailings.values()],
        "webhooks": list(found.webhooks.values()),
        "reports": {
            "unsubscriptions": [entry(one) for one in found.unsubscriptions],
            "subscribers": [entry(one) for one in found.subscribers],
            "bounces": [entry(one) for one in found.bounces],
            "blocks": [entry(one) for one in found.blocks],
        },
    }
