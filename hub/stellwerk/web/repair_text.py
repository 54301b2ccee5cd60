"""What a repair tells a person."""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct

Button: TypeAlias = Literal["login", "key", "set-up", "letters", "held", "settings", "watch", "none"]


class RepairText(Struct, frozen=True):
    """`meaning` and `mend` are (English, German); `{system}` is the title of the system it concerns, where it is one's."""

    meaning: tuple[str, str]
    mend: tuple[str, str]
    button: Button = "none"


OPERATOR = (
    "Whoever runs this hub must mend it; please tell them what stands under “In full”.",
    "Das muss der Betreiber dieses Hubs beheben; bitte nennen Sie ihm, was unter „Im Wortlaut“ steht.",
)
