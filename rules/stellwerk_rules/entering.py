"""Who enters: new contacts and those who wish it, on the terms that hold for each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec.structs import replace

from stellwerk_rules import backfill, laws, layers, permission
from stellwerk_rules.asking_again import ALLOWED, Wish, ask_again
from stellwerk_rules.chosen import as_switch, as_text, resolve
from stellwerk_rules.consent import Consent
from stellwerk_rules.entry import Case, Entry
from stellwerk_rules.fields import entering
from stellwerk_rules.layers import Effective, Terms
from stellwerk_rules.model import (
    ADDRESS,
    AskTerms,
    Because,
    Enter,
    Event,
    Held,
    Known,
    Origin,
    Permission,
    Planned,
    Skip,
)
from stellwerk_rules.plan import CompiledRule, Plan
from stellwerk_rules.reasons import at_rule, because, skip
from stellwerk_rules.spec import EnterSpec, SettingValue
from stellwerk_rules.wishes import answer_of, changed_hands, mark_of, of_address

OLD_WISH = "old-wish"
"""Code of the repair that shows wishes whose turn came too late."""

ONCE_MORE = "again:"
"""How the key of an entry begins that a person asked for: what was given up of the contact's coming in ends with it."""


def enter(
    plan: Plan,
    rule: CompiledRule,
    spec: EnterSpec,
    event: Event,
    known: Known,
    consent: Consent,
    settings: Mapping[str, SettingValue],
    effective: Effective,
    *,
    moved: bool,
) -> Entry:
    """Whether the event's contact enters by `rule`."""
    answer = answer_of(event.contact, spec.answer, known)
    if moved:  # whoever enters by a new address enters by no yes that a person could ask for
        event = replace(event, asked_again=False)
    if changed_hands(event.contact, moved=moved):
        answer = of_address(answer, event.contact)
    case = Case(
        plan=plan,
        rule=rule,
        spec=spec,
        event=event,
        known=known,
        consent=consent,
        settings=settings,
        effective=effective,
        answer=answer,
        moved=moved,
    )
    out = _is_not_asked_again(case) or _stays_out(case) or _waits(case) or _may_not(case)
    if out is not None:
        return replace(out, waits=False) if event.asked_again else out
    entry = _settled(case)
    mails = entry.planned is not None and isinstance(entry.planned.change, Enter) and entry.planned.change.mails
    if event.asked_again and entry.skip is None and not mails:
        return Entry(skip=skip(rule, "asks-nobody", "a mail was asked for, and as things stand none would be sent"))
    return entry


def _stays_out(case: Case) -> Entry | None:
    """Those whom nothing brings in: too old, already in, or by their answer."""
    if case.spec.answer is not None and case.spec.answer not in case.event.contact.fields:
        text = f"{case.spec.answer} could not be read, and no answer is guessed"
        return Entry(skip=skip(case.rule, "answer-unread", text), waits=True)
    who = as_text(resolve(case.spec.who, case.effective.base, case.event.contact.fields))
    linked = case.rule.spec.to in case.known.remembered.ids
    if linked and case.rule.spec.consent is None:
        return Entry()
    if who == "ignore":
        return Entry(skip=skip(case.rule, "ignored", "contacts of this system are not brought over"))
    if case.known.began_at is None:
        return Entry(skip=skip(case.rule, "not-begun", "the connection has not begun"), waits=True)
    if case.event.backfill is not None:
        return backfill.stays_out(case, case.event.backfill) or _by_answer(case)
    if case.is_wish:
        return None
    if case.known.remembered.entered:
        return Entry()
    if who != "create" and not case.is_new:
        text = "merged or restored" if case.known.remembered.by_wish else _older(case)
        return Entry(skip=skip(case.rule, "older", f"{text}, and no explicit yes"))
    return _by_answer(case)


def _older(case: Case) -> str:
    created, began = case.event.contact.created_at, case.known.began_at
    if created is None or began is None:
        return "older than the connection"
    return f"created on {created:%Y-%m-%d}, the connection began on {began:%Y-%m-%d}"


def _by_answer(case: Case) -> Entry | None:
    if case.answer.value == "no":
        text = f"{case.spec.answer} is {case.event.contact.fields.get(case.spec.answer or '')}"
        return Entry(skip=skip(case.rule, "said-no", text))
    if case.answer.value == "yes" or case.spec.answer is None:
        return None
    if not as_switch(resolve(case.spec.without_answer, case.effective.base, case.event.contact.fields)):
        if case.event.contact.fields.get(case.spec.answer) == "yes":
            text = f"{case.spec.answer} was set to yes before a form or a merge changed the address"
            return Entry(skip=skip(case.rule, "no-answer", text), only_wish=True)
        return Entry(skip=skip(case.rule, "no-answer", f"{case.spec.answer} is not set, which counts as no"))
    if case.known.agreed is None:
        text = f"{case.spec.answer} is not set, which counts as no until somebody agreed"
        return Entry(skip=skip(case.rule, "no-answer", text))
    return None


def _waits(case: Case) -> Entry | None:
    """Those who enter as soon as something changes."""
    contact = case.event.contact
    if not contact.email or contact.id is None:
        return Entry(skip=skip(case.rule, "no-address", "the contact has no address yet"), waits=True)
    if case.consent.claimed():
        text = "an opt-out was claimed for this address and is neither proved nor denied"
        return Entry(skip=skip(case.rule, "opt-out-claimed", text), waits=True)
    return None


def _may_not(case: Case) -> Entry | None:
    """Those who opted out, where nothing leads back."""
    if case.event.contact.opted_out:
        return Entry(skip=skip(case.rule, "opted-out-at-source", f"opted out of all mail at {case.event.system}"))
    if case.consent.opted_out and (not case.is_wish or case.event.backfill is not None):
        text = "this address opted out, and this is no explicit yes"
        # A sync leads nobody back: that yes is still to be heard as an event of its own.
        return Entry(skip=skip(case.rule, "opted-out", text), waits=case.is_wish)
    return None


def _is_not_asked_again(case: Case) -> Entry | None:
    """Whom a person asks for once more: only for an explicit yes for which no mail went out."""
    if not case.event.asked_again:
        return None
    written = case.answer.written
    wish = None
    if case.is_wish and written is not None:
        wish = Wish(at=written.at, mark=mark_of(case.known.digest, case.event.contact, written.at))
    told = ask_again(wish, case.consent, case.plan.limits, case.event.at, wished_by=case.event.system)
    if told.code == ALLOWED:
        return None
    seen = "" if told.seen is None else f", by what happened at {told.seen:%Y-%m-%d %H:%M}"
    return Entry(skip=skip(case.rule, told.code, f"a mail was asked for, and the yes does not allow it{seen}"))


def _settled(case: Case) -> Entry:
    """The contact enters, if the laws let it."""
    contact = case.event.contact
    terms = _terms(case)
    granted = permission.grantable(terms.grant, case.known.agreed)
    notices = list(case.effective.notices)
    if granted is not terms.grant:
        notices.append(because(case.rule, "grant-not-agreed", f"nobody agreed to granting {terms.grant.value}"))
    carried = entering(case.rule.ways, contact, case.known.digest)
    said_at, wished_at = _times(case)
    change = Enter(
        email=contact.email or "",
        peer_id=contact.id or "",
        wish=mark_of(case.known.digest, contact, said_at),
        wished_at=wished_at,
        explicit=case.is_wish,
        ask=_ask_terms(case, terms),
        grant=Permission.NONE if terms.ask else granted,
        fields=carried.values,
        way_back=case.consent.opted_out,
        again=terms.again,
        origin=_origin(case),
        backfill=case.event.backfill is not None,
        all_the_same=case.known.remembered.by_wish,
    )
    refused = _refusal(case, change)
    if refused is not None and _is_linked_now(case, change, refused):
        change, why = (
            replace(change, links=True, fields={} if _is_known_there(case) else change.fields),
            because(case.rule, "linked", "linked with who stands there, not asked"),
        )
        notices.append(at_rule(case.rule, refused))
    elif refused is not None:
        return Entry(skip=Skip(because=at_rule(case.rule, refused)), notices=(*notices, *carried.notices))
    else:
        why = _why(case)
    if case.event.backfill is not None and (out := backfill.is_not_confirmed(case, case.event.backfill, change)):
        return out
    planned = Planned(system=case.rule.spec.to, change=change, key=_key(case, change), because=why)
    return Entry(
        planned=planned,
        held=None if case.event.released else held_for_age(case.plan, change, case.event.at),
        notices=(*notices, *carried.notices),
    )


def held_for_age(plan: Plan, change: Enter, at: datetime) -> Held | None:
    """A wish older than the limit is not mailed or granted without a person; of a sync a person confirmed how many are."""
    days = plan.limits.wish_valid_days
    mails_or_grants = change.mails or change.grant is not Permission.NONE
    if at - change.wished_at <= timedelta(days=days) or not mails_or_grants or change.backfill:
        return None
    text = f"the wish is older than {days} days; a person decides"
    return Held(repair=OLD_WISH, because=Because(code=OLD_WISH, text=text))


def _refusal(case: Case, change: Enter) -> Because | None:
    if case.rule.spec.consent is None:
        return None
    refused = laws.may_enter(change, case.consent, case.event.system)
    if refused is not None or change.ask is None:
        return refused
    return laws.may_ask(change, case.consent, case.event.at)


def _is_linked_now(case: Case, change: Enter, refused: Because) -> bool:
    """Whether somebody who is not asked now, and is not known there yet, is linked with who stands there.

    Of whoever is known there an explicit yes shows whether she still is: nothing tells of a contact that was deleted there.
    """
    if _is_known_there(case):
        return change.explicit and refused.code == laws.ALREADY_CONFIRMED
    return refused.code in laws.NOT_ASKED_NOW


def _is_known_there(case: Case) -> bool:
    return case.rule.spec.to in case.known.remembered.ids


def _terms(case: Case) -> Terms:
    consent = case.rule.spec.consent
    if consent is None or case.effective.terms is None:
        return Terms()
    if case.event.backfill is not None:
        return backfill.terms(case, consent, case.event.backfill)
    if case.consent.opted_out:
        return layers.way_back(case.plan, consent, case.settings, case.event.contact)
    return case.effective.terms


def _ask_terms(case: Case, terms: Terms) -> AskTerms | None:
    """How to ask. Where the connection itself asks for none, a way back needs an option to send."""
    if not terms.ask:
        return None
    options = {name: one for name, one in terms.options.items() if one}
    usual = case.effective.terms
    if terms.options and not options and not (usual is not None and usual.ask):
        return None
    return AskTerms(plus=terms.plus, options=options)


def _key(case: Case, change: Enter) -> str:
    """What a sync brings in is an effect of that run: one that was cancelled is made up for by the next.

    So is what a person asks for once more: what its wish had planned before has ended without a mail. And a way back, where the
    same wish had met the opt-out that nobody here knew of; or whoever is made anew, where it met nobody.
    """
    run = case.event.backfill
    if case.event.asked_again:
        return f"{ONCE_MORE}{case.event.id}:{change.wish}"
    if run is not None:
        return f"sync:{run.run}:{change.wish}"
    if change.way_back:
        return f"back:{change.wish}"
    return f"anew:{change.wish}" if case.consent.removed and not change.links else f"enter:{change.wish}"


def _times(case: Case) -> tuple[datetime | None, datetime]:
    """What names the wish in time, and when it was made: a yes when it was written, else the contact's creation or move."""
    contact, written = case.event.contact, case.answer.written
    if case.moved and not case.is_wish:
        return _moved_at(case), case.event.at
    if case.answer.value == "yes" and written is not None:
        return written.at, written.at
    return contact.created_at, contact.created_at or case.event.at


def _moved_at(case: Case) -> datetime:
    """When the contact got this address: back at one it had before, it has moved once more."""
    written = case.event.contact.history.get(ADDRESS, ())
    return written[0].at if written else case.event.at


def _origin(case: Case) -> Origin:
    written = case.answer.written
    return case.event.contact.origin if written is None or not case.is_wish else written.origin


def _why(case: Case) -> Because:
    if case.event.backfill is not None:
        return because(case.rule, "sync", "brought in by a sync, on its terms")
    if case.consent.opted_out:
        return because(case.rule, "way-back", "an explicit yes younger than the opt-out")
    if case.is_wish:
        return because(case.rule, "wish", f"{case.spec.answer} is yes, said by {_origin(case).value}")
    if case.moved:
        return because(case.rule, "new-address", "a new address starts as a new contact")
    return because(
        case.rule, "new", f"a new contact; {case.spec.answer or 'answer'} is {case.answer.value or 'not set'}"
    )
