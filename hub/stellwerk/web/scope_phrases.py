"""What pages and repairs say of rights that a login did not bring, in English and German, by key."""

from __future__ import annotations

from collections.abc import Mapping

from stellwerk.web.repair_text import RepairText

SCOPES: Mapping[str, tuple[str, str]] = {
    "scopes-lacking": (
        "{system} did not grant everything that this login asked for",
        "{system} hat nicht alles erteilt, worum diese Anmeldung bat",
    ),
    "scopes-scope": ("Missing: {name}", "Es fehlt: {name}"),
    "scopes-without": ("Without it:", "Ohne dies:"),
    "scopes-rest": (
        "Everything else works. To add it, log in again and grant access with everything that is asked for.",
        "Alles andere geht. Um es nachzuholen, melden Sie sich noch einmal an und gewähren alles, worum gebeten wird.",
    ),
    "scopes-rest-others": (
        "Everything else works. To add it, ask somebody who logs in with {system} to log in again and grant everything that is asked for.",
        "Alles andere geht. Um es nachzuholen, bitten Sie jemanden, der sich mit {system} anmeldet, sich neu anzumelden und alles zu gewähren, worum gebeten wird.",
    ),
    "scopes-mend-shared": (
        "Log in once more as somebody who may grant it, and grant all that is asked for. If you can do without, whoever runs the hub can take it off the list.",
        "Melden Sie sich noch einmal an als jemand, der es erteilen darf, und gewähren Sie alles. Wenn Sie darauf verzichten können, kann der Betreiber des Hubs es von der Liste nehmen.",
    ),
}

SCOPE_REPAIRS: Mapping[str, RepairText] = {
    "missing-scopes": RepairText(
        (
            "{system} no longer allows all that is needed.",
            "{system} erlaubt nicht mehr alles, was nötig ist.",
        ),
        ("Log in once more and grant access.", "Melden Sie sich noch einmal an und gewähren Sie Zugriff."),
        "login",
    ),
    "scope-not-granted": RepairText(
        (
            "{system} did not grant everything at the login, so a part does not work.",
            "{system} hat bei der Anmeldung nicht alles erteilt, daher geht ein Teil nicht.",
        ),
        (
            "Log in once more as somebody who may grant it, and grant all that is asked for; or end this if you can do without.",
            "Melden Sie sich noch einmal an als jemand, der es erteilen darf, und gewähren Sie alles; oder beenden Sie dies, wenn Sie darauf verzichten können.",
        ),
        "login",
    ),
}
