"""`tests:` speak of rules, systems and settings that exist."""

from __future__ import annotations

from stellwerk.config.check.settings import catalogue
from stellwerk.config.check.values import check_setting_values
from stellwerk.config.draft import Draft
from stellwerk.config.problems import did_you_mean, one_of
from stellwerk.config.trial import Expect

__all__ = ["check_trials"]


def check_trials(draft: Draft) -> None:
    known = catalogue(draft)
    rules = {rule.id: rule for _, rule in draft.rules()}
    names: set[str] = set()
    for path, trial in draft.trials():
        if trial.name in names:
            draft.note("name-taken", (*path, "name"), "another test has this name", mend="rename one of them")
        names.add(trial.name)
        rule = rules.get(trial.rule) if trial.rule is not None else None
        if trial.rule is not None and rule is None and draft.whole("rules"):
            mend = did_you_mean(trial.rule, rules)
            draft.note("unknown-name", (*path, "rule"), f"no rule is called '{trial.rule}'", mend=mend)
        system = trial.given.system
        if system is not None and system not in draft.names:
            here = (*path, "given", "system")
            draft.note("unknown-name", here, f"no system is called '{system}'", expected=one_of(draft.names))
        if trial.rule is None:
            for key, value in (("system", system), ("event", trial.given.event)):
                if value is None:
                    draft.note(
                        "missing-key", path, f"it is not said which {key} is meant",
                        mend=f"add 'rule:', or '{key}:' under 'given'",
                    )  # fmt: skip
        if trial.expect == Expect():
            draft.note(
                "missing-key", (*path, "expect"), "nothing is expected", mend="add 'changes:', 'skips:' or 'because:'"
            )
        check_setting_values(draft, (*path, "given", "settings"), trial.given.settings, known)
