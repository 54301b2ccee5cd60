"""The sentences that people agreed to, kept as they read: a hash alone would prove nothing once the phrases change."""

from __future__ import annotations

from msgspec import Struct

from stellwerk.store.store import Tx


class Sentence(Struct, frozen=True, kw_only=True):
    """One sentence in its language."""

    language: str
    sentence: str


def keep(tx: Tx, words: str, said: Sentence, now: float) -> None:
    """`words` is the hash that is stored with the tick; kept once, and never changed."""
    tx.run(
        "insert into words (hash, language, sentence, saved) values (:hash, :language, :sentence, :now)"
        " on conflict do nothing",
        hash=words,
        language=said.language,
        sentence=said.sentence,
        now=now,
    )


def kept(tx: Tx, words: str) -> Sentence | None:
    """None for what was agreed to before sentences were kept, or outside the page."""
    row = tx.one("select language, sentence from words where hash = :hash", hash=words)
    return None if row is None else Sentence(language=row["language"], sentence=row["sentence"])
