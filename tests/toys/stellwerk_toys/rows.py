"""Events and deliveries as a dictionary knows them, which cannot be wrong: what the store's histories are held against."""

from __future__ import annotations

from msgspec import Struct


class ModelEvent(Struct):
    subject: str
    dedup: str | None
    urgency: int
    due: float
    state: str = "waiting"


class ModelDelivery(Struct):
    contact: int
    tag: str
    once: str | None
    urgency: int
    due: float
    body: bytes
    state: str = "waiting"
    progress: str = ""
    attempts: int = 0
