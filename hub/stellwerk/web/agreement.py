"""The tick: before anything mails or grants, a named person agrees to a sentence that says so."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from msgspec import Struct

from stellwerk.relay.hub import Hub
from stellwerk.store.words import Sentence
from stellwerk.web.language import LANGUAGES, Language
from stellwerk.web.pages import system_title
from stellwerk.web.phrases import phrase
from stellwerk_rules.chosen import as_permission, as_switch, possible
from stellwerk_rules.model import CONFIRMED_BY_CONTACT, Agreement, Permission
from stellwerk_rules.plan import Plan
from stellwerk_rules.settings import effective, mails_or_grants
from stellwerk_rules.spec import SettingValue


class Words(Struct, frozen=True, kw_only=True):
    """What is to be agreed to: the sentence in each language, and whether it must be said where contacts confirmed."""

    source: str
    sentences: dict[Language, str]
    confirmed: bool

    def hash(self, language: Language) -> str:
        """Names the sentence and its language; what is stored with the tick."""
        return hashlib.sha256(f"{language}\n{self.sentences[language]}".encode()).hexdigest()[:32]

    def agreed(self, words: str) -> bool:
        """Whether `words` is the hash of this sentence in one of the languages."""
        return any(words == self.hash(language) for language in LANGUAGES)

    def read(self, words: str) -> Sentence:
        """The sentence that `words` is the hash of."""
        language = next(one for one in LANGUAGES if words == self.hash(one))
        return Sentence(language=language, sentence=self.sentences[language])

    def stand_in(self, agreement: Agreement | None) -> bool:
        """Whether this has been agreed to."""
        if agreement is None or not self.agreed(agreement.words):
            return False
        return bool(agreement.confirmation_given) or not self.confirmed


def words_for(hub: Hub, plan: Plan, values: Mapping[str, SettingValue]) -> Words | None:
    """The words that these values need; None when they neither mail nor grant."""
    rule = plan.consent_rule
    if rule is None or rule.consent is None or not mails_or_grants(plan, values):
        return None
    seen = effective(plan, values).values
    asks = any(as_switch(one) for one in possible(rule.consent.ask, seen))
    grants = {as_permission(one) for one in possible(rule.consent.grant, seen)} - {Permission.NONE}
    unanswered = rule.enter is not None and any(as_switch(one) for one in possible(rule.enter.without_answer, seen))
    keys = ["agree-mail"] if asks else [] if grants else ["agree-mail-own"]
    keys += ["agree-grant"] if grants else []
    keys += ["agree-unanswered"] if unanswered else []

    def sentence(language: Language) -> str:
        named = ", ".join(phrase(language, f"permission-{one.value}") for one in sorted(grants))
        source, target = (system_title(hub.systems[name]) for name in (rule.from_, rule.to))
        return " ".join(phrase(language, key, source=source, target=target, permission=named) for key in keys)

    return Words(
        source=rule.from_,
        sentences={language: sentence(language) for language in LANGUAGES},
        confirmed=bool(grants & CONFIRMED_BY_CONTACT),
    )
