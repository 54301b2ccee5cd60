"""A drawn cast: other names, stages, language, mailing keys and property names, from a seed that is printed."""

from __future__ import annotations

import random

from stellwerk_demo.scene import Cast

__all__ = ["draw"]

FIRST = ("Zoë", "Ólafur", "Mai", "Jürgen", "Anaïs", "Łukasz", "Nora", "Ivo")
LAST = ("Brandt", "Keller", "Okafor", "Silva", "Novak", "Haddad", "Moreau", "Lindqvist")
LETTERS = "abcdefghijklmnopqrstuvwxyz"
PROPERTIES = (
    "maileon_subscribe",
    "maileon_status",
    "maileon_permission",
    "maileon_contact_doi",
    "maileon_unsubscribed_at",
)


def draw(seed: int) -> Cast:
    """The cast of this seed, always the same one."""
    dice = random.Random(seed)

    def word(length: int) -> str:
        return "".join(dice.choice(LETTERS) for _ in range(length))

    first, last = dice.sample(FIRST, 4), dice.sample(LAST, 4)
    names = tuple(part for pair in zip(first, last, strict=True) for part in pair)
    stages = tuple(
        (word(6) if dice.random() < 0.5 else str(dice.randrange(10**7, 10**8)), word(8).title()) for _ in range(5)
    )
    source, target = sorted(dice.sample(range(len(stages)), 2))
    return Cast(
        portal=dice.randrange(10_000, 9_999_999),
        portal_name=f"{word(7).title()} KG",
        mailing=word(5).upper(),
        mailing_plus=word(6).upper(),
        rename={name: f"{word(4)}_{name.removeprefix('maileon_')}" for name in PROPERTIES},
        stages=stages,
        move=(stages[source][0], stages[target][0]),
        language=dice.choice(("en", "de")),
        names=names,
    )
