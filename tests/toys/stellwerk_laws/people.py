"""The people of a history: who writes, confirms, leaves, signs up elsewhere; and clerks who delete, merge and restore records."""

from __future__ import annotations

import itertools

import msgspec

from stellwerk_laws import reached
from stellwerk_laws.happenings import (
    PEOPLE,
    Claim,
    Confirm,
    Delete,
    EditThere,
    Erase,
    Leave,
    Merge,
    Move,
    Restore,
    Returned,
    Shut,
    SignsUpThere,
    Step,
    Write,
)
from stellwerk_laws.truth import Confirmed, FalseClaim, Truth
from stellwerk_laws.watched import WatchedWorld
from stellwerk_toys.crm import Record
from stellwerk_toys.post import Post

SOURCES = {"form": "form", "import": "upload", "person": "clerk", "workflow": "robot"}


def address(who: int) -> str:
    return f"{PEOPLE[who]}@example.com"


class People:
    """What they do is done in `world` and told to `truth`; `reached` gets what of it is rare."""

    def __init__(self, world: WatchedWorld, truth: Truth, reached_so_far: set[str]) -> None:
        self.world = world
        self.truth = truth
        self.reached = reached_so_far
        self._texts = itertools.count(1)

    def act(self, step: Step) -> None:
        email = address(getattr(step, "who", 0))
        match step:
            case Write():
                self._write(email, step)
            case Confirm():
                self._confirm(email, first=step.first)
            case Leave():
                self._note_leaving(email)
                self.world.unsubscribe(email)
            case SignsUpThere():
                self._signs_up_there(email, step.permission)
            case EditThere():
                if self.world.news(email) is not None:
                    value = self._fresh(f"news-{step.field}")
                    self.truth.edited_there(email, step.field, value)
                    self.world.edit_at_mail(email, step.field, value)
            case Returned():
                if step.again:
                    self.world.mail.tell_again()
                else:
                    self.world.mail.mail_returns(email)
            case Shut():
                self.world.mail.shut(email, open_again=step.open_again)
            case Claim():
                self._claim(email, step.topic)
            case Delete() | Restore() | Erase() | Merge() | Move():
                self._record(email, step)
            case _:
                raise AssertionError(step)

    def _write(self, email: str, step: Write) -> None:
        known = self.world.crm.holder(email)
        known = None if known is None or known.gone else known
        values = {name: self._fresh(name) if value == "…" else value for name, value in step.values.items()}
        values = {name: value for name, value in values.items() if name in self.world.crm.fields}
        source = SOURCES[step.by]
        if known is not None:
            if known.stages and "stage" in values:
                self.truth.staged.append((self.world.clock.now, known.id))
            self.world.crm.write(known.id, values, source)
        elif step.by != "workflow":
            self.world.crm.create({"email": email, **values}, source)

    def _confirm(self, email: str, *, first: bool) -> None:
        mails = self.world.mails_to(email)
        if not mails:
            return
        mail = mails[0] if first else mails[-1]
        before = self.world.clock.now
        if self.world.confirm(mail):
            self.truth.confirmed.append(Confirmed(at=before, email=email, mark=mail.mark, plus=mail.plus))

    def _note_leaving(self, email: str) -> None:
        if self.world.news(email) is None:
            return
        mails = self.world.mails_to(email)
        if not mails:
            self.reached.add(reached.BEFORE)
        elif any(one.at > mails[-1].at.timestamp() for one in self.truth.confirmations(email)):
            self.reached.add(reached.AFTER)
        else:
            self.reached.add(reached.BETWEEN)

    def _signs_up_there(self, email: str, permission: str) -> None:
        mail = self.world.mail
        if permission == "full":
            at = self.world.clock.now
            mail.joins_there(email)
            self.truth.confirmed.append(Confirmed(at=at, email=email, mark=None, plus=False))
        elif mail.find(email) is None and not mail.marked(email):
            mail.create(email, permission, None, {"FIRST": self._fresh("news-FIRST")})

    def _claim(self, email: str, topic: str) -> None:
        url = self.world.mail.hooks.get(topic)
        if url is None:
            return
        path = tuple(url.split("/webhooks/toymail/", 1)[1].split("/"))
        self.world.posts.append(
            Post(connector="toymail", path=path, body=msgspec.json.encode({"who": email}), what=topic)
        )
        if topic == "goodbye":
            self.truth.false_claims.append(FalseClaim(email=email, at=self.world.clock.now))

    def _fresh(self, name: str) -> str:
        text = f"{name}~{next(self._texts)}~".lower()
        self.truth.texts.add(text)
        return text

    def _record(self, email: str, step: Delete | Restore | Erase | Merge | Move) -> None:
        crm, truth, record = self.world.crm, self.truth, self.world.shop(email)
        if isinstance(step, Restore):
            gone = next((one for one in crm.records.values() if one.gone and one.value("email") == email), None)
            if gone is not None and self._is_free(email):
                truth.happened("restored", email, gone)
                crm.restore(gone.id)
                self._reach(reached.RESTORED, gone)
            return
        if record is None:
            return
        match step:
            case Delete():
                truth.happened("deleted", email, record)
                crm.remove(record.id)
                self._reach(reached.DELETED, record)
            case Erase():
                truth.happened("erased", email, record)
                truth.past[record.id] = record
                crm.erase(record.id)
                self._reach(reached.ERASED, record)
            case Merge():
                into = self.world.shop(address(step.into))
                if into is None or into is record:
                    return
                self._reach(reached.MERGED, record)
                truth.past[record.id] = record
                merged = crm.records[crm.merge(into.id, record.id, new_number=step.new_number)]
                truth.happened("merged", address(step.into), merged)
                truth.happened("merged away", email, record)
            case Move():
                to = address(step.to)
                if self._is_free(to):
                    truth.happened("moved", email, record, by=step.by)
                    crm.write(record.id, {"email": to}, SOURCES[step.by])
                    self._reach(reached.MOVED, record)

    def _is_free(self, email: str) -> bool:
        holder = self.world.crm.holder(email)
        return holder is None or holder.gone

    def _reach(self, name: str, record: Record) -> None:
        """Counted where the hub had to do with the record: it wrote something of it, here or there."""
        known = {record.id, *record.took_in}
        touched = (
            touch.contact in known or (touch.after is not None and touch.after.extern in known)
            for touch in self.world.touches
        )
        if any(touched):
            self.reached.add(name)
