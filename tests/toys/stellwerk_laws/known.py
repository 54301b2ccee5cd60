"""Random contacts and random ledgers, for the laws as the rules alone keep them: thousands of moments a minute."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from random import Random

from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from stellwerk.config.load import ruleset
from stellwerk.relay.rulebook import rulebook, typed_settings
from stellwerk_laws.variants import OVERRIDES, STAGES, File, pooled
from stellwerk_rules.model import (
    Agreement,
    Contact,
    Event,
    EventKind,
    Fact,
    FactKind,
    Known,
    Origin,
    Permission,
    Presence,
    Remembered,
    Written,
)
from stellwerk_rules.plan import Plan
from stellwerk_rules.spec import SettingValue

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
BEGAN = NOON - timedelta(days=60)
ADA = "ada@example.com"


class Moment(Struct, frozen=True, kw_only=True):
    """A contact of the shop as it reads, what is known of it, what stands at the newsletter, and the file that decides."""

    file: File
    plan: Plan
    settings: Mapping[str, SettingValue]
    contact: Contact
    known: Known
    there: Contact

    @property
    def event(self) -> Event:
        return Event(id="e1", kind=EventKind.CHANGED, system="shop", contact=self.contact, at=NOON)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:22]


ORIGINS = (Origin.FORM, Origin.FORM, Origin.PERSON, Origin.IMPORT, Origin.INTEGRATION, Origin.WORKFLOW, Origin.OTHER)
WISHES = (Origin.FORM, Origin.PERSON)
KINDS = (
    FactKind.ASKED,
    FactKind.ASKED,
    FactKind.ASK_UNKNOWN,
    FactKind.ASK_FAILED,
    FactKind.CONFIRMED,
    FactKind.CONFIRMED,
    FactKind.GRANTED,
    FactKind.OPTED_OUT,
    FactKind.OPTED_OUT,
    FactKind.OPTED_OUT,
    FactKind.NO_SET,
    FactKind.OPT_OUT_DENIED,
)
TIED: Mapping[FactKind, tuple[FactKind, ...]] = {
    FactKind.CONFIRMED: (FactKind.ASKED, FactKind.ASK_UNKNOWN),
    FactKind.ASK_FAILED: (FactKind.ASKED,),
    FactKind.NO_SET: (FactKind.OPTED_OUT,),
    FactKind.OPT_OUT_DENIED: (FactKind.OPTED_OUT,),
}
"""Facts that are told of an earlier one, by its key."""

OWN_VALUES: Mapping[str, tuple[str | None, ...]] = {
    "ask_first": (None, "yes", "no", "no", "no", "maybe"),
    "ask_tracking": (None, None, "yes", "no", "ja"),
    "level": (None, None, *Permission, "high"),
    "letter": (None, None, "spring"),
}
PRESENCES = (
    Presence.PRESENT,
    Presence.PRESENT,
    Presence.ABSENT,
    Presence.ABSENT,
    Presence.ANONYMOUS,
    Presence.TWICE,
)
REMEMBERED = (
    Remembered(),
    Remembered(),
    Remembered(ids={"shop": "c1"}),
    Remembered(ids={"shop": "c1"}, entered=True),
    Remembered(ids={"shop": "c1", "news": "m1"}, entered=True),
)
POOL = 200


def _time(dice: Random) -> datetime:
    return NOON - timedelta(minutes=dice.choice([dice.randint(0, 300), dice.randint(0, 60 * 24 * 45)]))


def _days_ago(dice: Random) -> datetime:
    return NOON - timedelta(days=dice.randint(1, 29))


def _rarely(dice: Random, one_in: int) -> bool:
    return dice.randrange(one_in) == 0


def _ledger(dice: Random) -> tuple[Fact, ...]:
    """Facts of one address, oldest first, as the hub may have written them."""
    facts: list[Fact] = []
    asks_alone = _rarely(dice, 6)
    times = [_days_ago(dice) if asks_alone else _time(dice) for _ in range(dice.randint(0, 5))]
    for number, at in enumerate(sorted(times)):
        kind = FactKind.ASKED if asks_alone else dice.choice(KINDS)
        earlier = [fact.key for fact in facts if fact.kind in TIED.get(kind, ())]
        permission = {
            FactKind.CONFIRMED: dice.choice([Permission.DOUBLE, Permission.DOUBLE_PLUS]),
            FactKind.GRANTED: Permission.SINGLE,
        }
        told_by = dice.choice(["news", "shop", ""])
        facts.append(
            Fact(
                kind=kind,
                key=dice.choice(earlier) if earlier else f"fact {number}",
                at=at,
                event="e0",
                told_by=told_by,
                unzoned=told_by == "news" and _rarely(dice, 3),
                final=kind is not FactKind.OPTED_OUT or not _rarely(dice, 3),
                permission=permission.get(kind),
            )
        )
    return tuple(facts)


def _shop_contact(dice: Random) -> Contact:
    """A contact of the shop, its own values and who wrote them."""
    fields: dict[str, str | None] = {"name": "Ada", "town": None, "language": dice.choice(["de", "en", None])}
    fields["wants_news"] = dice.choice(["yes", "yes", "yes", "no", None])
    for name, field in OVERRIDES.items():
        own = dice.choice(OWN_VALUES[name])
        fields[field] = None if own is None else str(own)
    history: dict[str, tuple[Written, ...]] = {}
    for name in ("wants_news", *OVERRIDES.values()):
        written = Written(value=fields[name], at=_time(dice), origin=dice.choice(ORIGINS), ours=_rarely(dice, 10))
        history[name] = () if fields[name] is None or _rarely(dice, 10) else (written,)
    return Contact(
        id="c1",
        email=ADA,
        fields=fields,
        history=history,
        stage=dice.choice([None, *STAGES]),
        opted_out=_rarely(dice, 10),
        origin=dice.choice(ORIGINS),
        created_at=dice.choice([_time(dice), _time(dice), BEGAN - timedelta(days=3)]),
        updated_at=NOON,
        read_at=NOON,
    )


def _news_contact(dice: Random) -> Contact:
    """What a read of the address finds at the newsletter."""
    presence = dice.choice(PRESENCES)
    if presence is not Presence.PRESENT:
        return Contact(presence=presence, opted_out=_rarely(dice, 2), read_at=NOON)
    return Contact(
        id="m1",
        email=ADA,
        fields={"FIRST": dice.choice([None, "Augusta"]), "TOWN": None, "LANG": None},
        permission=dice.choice(list(Permission)),
        opted_out=_rarely(dice, 4),
        blocked=_rarely(dice, 6),
        peer_id=dice.choice([None, None, "c1", "c2"]),
        mark=dice.choice([None, "fact 0"]),
        created_at=_time(dice),
        updated_at=_time(dice),
        read_at=NOON,
    )


def _known(dice: Random, file: File) -> Known:
    facts = _ledger(dice)
    proof = "on paper" if file.confirmation_given else None
    return Known(
        digest=digest,
        began_at=BEGAN,
        agreed=Agreement(by="Jo", at=BEGAN, words="words", confirmation_given=proof) if file.agreed else None,
        remembered=dice.choice(REMEMBERED),
        facts=facts,
        suppressed=any(fact.kind is FactKind.OPTED_OUT for fact in facts) or _rarely(dice, 10),
        suppressed_at=NOON - timedelta(days=3),
        stages=STAGES,
    )


@functools.lru_cache(maxsize=POOL)
def _compiled(number: int) -> tuple[File, Plan, Mapping[str, SettingValue]]:
    file = pooled(number)
    plan = rulebook(ruleset(file.loaded())).plan
    return file, plan, typed_settings(plan, file.settings())


def _moment(seed: int) -> Moment:
    dice = Random(seed)
    file, plan, settings = _compiled(dice.randrange(POOL))
    moment = Moment(
        file=file,
        plan=plan,
        settings=settings,
        contact=_shop_contact(dice),
        known=_known(dice, file),
        there=_news_contact(dice),
    )
    return _somebody_who_came_back(dice, moment) if _rarely(dice, 4) else moment


def _somebody_who_came_back(dice: Random, moment: Moment) -> Moment:
    """The same, who left lately by the newsletter and then said yes in the shop: thrown alone, the two seldom meet."""
    left = NOON - timedelta(minutes=dice.randint(60, 60 * 40))
    out = Fact(
        kind=FactKind.OPTED_OUT,
        key="left lately",
        at=left,
        event="e0",
        told_by="news",
        unzoned=_rarely(dice, 2),
    )
    earlier = (fact for fact in moment.known.facts if fact.at < left)
    said = left + (NOON - left) * dice.random()
    yes = Written(value="yes", at=said, origin=dice.choice(WISHES), ours=False)
    contact = moment.contact
    return replace(
        moment,
        known=replace(moment.known, facts=(*earlier, out), suppressed=True, suppressed_at=left),
        contact=replace(
            contact,
            opted_out=False,
            fields={**contact.fields, "wants_news": "yes"},
            history={**contact.history, "wants_news": (yes,)},
        ),
    )


moments = st.integers(0, 2**40).map(_moment)
"""A contact at a moment, under one of many files. Thrown by dice: drawn one by one it would take a hundred times as long."""


def outs(facts: tuple[Fact, ...]) -> list[Fact]:
    """The opt-outs that stand, claims included, told without the rules: those after the last confirmation."""
    denied = {fact.key for fact in facts if fact.kind is FactKind.OPT_OUT_DENIED}
    standing: list[Fact] = []
    for fact in facts:
        if fact.kind is FactKind.CONFIRMED:
            standing.clear()
        elif fact.kind is FactKind.OPTED_OUT and (fact.final or fact.key not in denied):
            standing.append(fact)
    return standing
