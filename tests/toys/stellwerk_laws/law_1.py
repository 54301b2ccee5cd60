"""An opt-out wins."""

from __future__ import annotations

from stellwerk_laws.player import Player
from stellwerk_laws.truth import Out, Truth
from stellwerk_laws.watched import Touch
from stellwerk_toys.crm import API_SOURCE, Record

MARGIN_SECONDS = 7200.0
CLAIM_SECONDS = 3600.0
BRINGS_IN = ("doi", "create")


def holds(player: Player) -> None:
    truth = player.truth
    for touch in player.world.touches:
        if touch.what in ("doi", "create", "update") and touch.email is not None:
            _after_an_opt_out(truth, touch)
            _while_one_is_claimed(truth, touch)
        if touch.what == "move":
            assert touch.before is not None
            for email in (touch.before.email, touch.email):
                outs = truth.standing(email or "", touch.at)
                assert not outs, f"a permission went along though an opt-out by {outs[-1].by} stands"
        if touch.what == "update":
            assert touch.before is not None
            assert touch.before.email is not None, "data was put on an anonymised record"
        if touch.what == "fields" and touch.field == "no_mail":
            assert touch.value == "yes", "the shop's opt-out was lifted"
    for email, ledger in truth.ledgers.items():
        proved = [out for out in truth.standing(email, player.world.clock.now) if out.by == "news"]
        if proved:
            assert ledger.suppressed, "an address that left is not on the suppression list"
            assert any(fact["kind"] == "opted_out" for fact in ledger.facts), "the ledger does not know that it left"


def _after_an_opt_out(truth: Truth, touch: Touch) -> None:
    outs = [out for out in truth.standing(touch.email or "", touch.at) if touch.what != "update" or out.by != "no_mail"]
    if not outs:
        return
    assert touch.what == "doi", f"{touch.what} after an opt-out by {outs[-1].by}"
    assert not any(truth.is_closed(out, touch.at) for out in outs), "asked, and the shop says no mail at all"
    answers = [
        (record, entry) for record, entry in truth.answers(touch.email or "") if entry.at.timestamp() <= touch.at
    ]
    wishes = [
        (record, entry.at.timestamp())
        for record, entry in answers
        if entry.value == "yes" and entry.source in ("form", "clerk")
    ]
    assert any(all(_is_younger(truth, wish, out) for out in outs) for wish in wishes), (
        f"asked after an opt-out by {outs[-1].by} without a younger wish"
    )


def _is_younger(truth: Truth, wish: tuple[Record, float], out: Out) -> bool:
    """By one clock where that is possible, else by two hours. The no that we set may stand at a contact that has moved on."""
    record, at = wish
    if at <= out.at:
        return False
    if out.by == "no":
        return True
    said = record.history["wants_news"]
    noes = [
        entry.at.timestamp()
        for _, entry in truth.answers(out.email)
        if entry.value == "no" and entry.source == API_SOURCE
    ]
    if any(out.at < no < at for no in noes):
        return True
    stood = [entry.value for entry in said if entry.at.timestamp() <= out.at]
    return (bool(stood) and stood[-1] == "no") or at > out.at + MARGIN_SECONDS


def _while_one_is_claimed(truth: Truth, touch: Touch) -> None:
    """A claim counts at once for everything we would send, until an hour later it proves wrong."""
    for claim in truth.false_claims:
        if claim.email == touch.email and claim.known < touch.at < claim.at + CLAIM_SECONDS:
            since = [one.at for one in truth.confirmations(claim.email) if one.at > claim.at]
            left = truth.left(claim.email)
            assert since or any(at < touch.at for at in left), f"{touch.what} while an opt-out is claimed"
