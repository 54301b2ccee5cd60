"""Somebody agreed to what a connection of the file mails and grants. Asked of files without an error, as the rules see it."""

from __future__ import annotations

from stellwerk.config.draft import Draft
from stellwerk.config.problems import Path
from stellwerk.config.spec import Connection
from stellwerk_rules.model import CONFIRMED_BY_CONTACT
from stellwerk_rules.plan import Plan
from stellwerk_rules.settings import effective, mails_or_grants

__all__ = ["check_agreement"]


def check_agreement(draft: Draft, path: Path, connection: Connection, plan: Plan) -> None:
    agreed = connection.agreed
    if agreed is None and mails_or_grants(plan, connection.settings):
        draft.note(
            "no-agreement", path, "nobody has agreed, so an unset answer counts as no and nothing is granted",
            expected="agreed: {by: NAME, at: DATE}", mend="let the responsible person agree, and write it here",
            severity="warning",
        )  # fmt: skip
    terms = effective(plan, connection.settings).terms
    granted = terms.grant if terms is not None and not terms.ask else None
    if granted in CONFIRMED_BY_CONTACT and (agreed is None or agreed.confirmation_given is None):
        draft.note(
            "breaks-a-law", path, "a confirmation is granted, and nobody says where it was given",
            expected="nothing against law 2 (docs/problems.md)", mend="write 'confirmation_given' under 'agreed', or grant less",
        )  # fmt: skip
