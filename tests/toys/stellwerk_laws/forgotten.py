"""Law 9 of who was deleted for privacy: asked of the database once everything has come to rest."""

from __future__ import annotations

from stellwerk.store.store import Tx
from stellwerk.store.vault import Vault
from stellwerk_laws.truth import Truth


def erased_is_forgotten(tx: Tx, truth: Truth, vault: Vault) -> None:
    """Of who was erased, and has not come back, nothing is left but ledger and suppression."""
    if "forgotten" not in truth.file.rules:
        return
    for act in truth.acts:
        if act.what != "erased" or truth.in_a_gap(act.at):
            continue
        linked = tx.all("select contact from link where system = 'shop' and remote = :one", one=act.record.id)
        assert not linked, "an erased contact is still linked"
        said = "select id from inbox where subject = :subject and body is not null"
        assert not tx.all(said, subject=f"id:{act.record.id}"), "events of an erased contact are kept"
        if any(one is not act.record for one in truth.records(act.email)):
            continue  # somebody else has had the address
        digest = vault.address(act.email)
        known = tx.all("select id from contact where address = :digest", digest=digest)
        assert not known, "an erased contact is still known"
        traces = tx.all("select id from trace where address = :digest and contact is not null", digest=digest)
        assert not traces, "what was decided on an erased contact is kept"
