"""Several choices in one text: a multiple choice there, a list of words here."""

from __future__ import annotations

from stellwerk_rules.converted import Convert, Converted, left_out


def choices(one: Convert, *, split: str, join: str, most: int | None) -> Convert:
    """A text of choices separated by `split` to one separated by `join`, each choice changed by `one`.

    Each choice stands once. One that `one` leaves out, or that holds the other separator, is missed, and it is said; none
    is ever cut in the middle.
    """
    apart, together = split.strip() or split, join.strip() or join

    def convert(text: str) -> Converted:
        code: str | None = None
        found: list[str] = []
        for part in filter(None, (part.strip() for part in text.split(apart))):
            changed = one(part)
            word = (changed.text or "").strip()
            if not word:
                code = changed.code or "not-a-choice"
            elif together in word:
                code = "choice-holds-separator"
            elif word not in found:
                found.append(word)
        while found and most is not None and len(join.join(found)) > most:
            found.pop()
            code = "cut"
        return Converted(text=join.join(found), code=code) if found else left_out(code or "no-choice")

    return convert
