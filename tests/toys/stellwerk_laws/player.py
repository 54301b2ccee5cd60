"""Plays a history: the real hub on a database in a folder, the toys as its remotes, crashes and all."""

from __future__ import annotations

import functools
import itertools
import logging
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from stellwerk.relay.lanes import Lanes
from stellwerk.sdk.http import Http
from stellwerk.store import inbox
from stellwerk.store.lease import SECONDS as LEASE_SECONDS
from stellwerk.store.store import Tx
from stellwerk_laws import law_8, reached
from stellwerk_laws.crashed import crashed_where, suppressed_with_the_ledger
from stellwerk_laws.freezing import FreezingStore
from stellwerk_laws.steps import (
    PEOPLE,
    Again,
    CallFails,
    Claim,
    Confirm,
    Delete,
    EditThere,
    FailsAfter,
    Freezes,
    History,
    Jump,
    Leave,
    Meanwhile,
    Returned,
    Shut,
    SignsUpThere,
    Step,
    StopsAtWrite,
    Then,
    Wait,
    Write,
)
from stellwerk_laws.truth import Confirmed, FalseClaim, Ledger, Truth
from stellwerk_laws.watched import WatchedWorld
from stellwerk_toys.crm import sign
from stellwerk_toys.faults import Stopped
from stellwerk_toys.post import Post
from stellwerk_toys.world import HOOK_KEY
from stellwerk_toys.yard import MOST_TURNS, Yard

QUIET_SECONDS = 20.0
LONGEST_REST_SECONDS = 4000.0
MOST_CRASHES = 40
END_SECONDS = 2 * 3600.0 + 900.0
SOURCES = {"form": "form", "import": "upload", "person": "clerk", "workflow": "robot"}
_NUMBERS = itertools.count(1)


class LawYard(Yard):
    """A yard whose shop signs at the moment of delivery, and that remembers who was told of."""

    http = Http()

    def __init__(self, folder: Path, world: WatchedWorld, history: History) -> None:
        super().__init__(folder, world, history.file.loaded())
        self.told: set[str] = set()

    async def start(self) -> None:
        await super().start()
        self.freezing = self.hub.store = FreezingStore(self.store, self._taken_over)

    async def _taken_over(self) -> None:
        """Another process does all there is to do, after the lease of the frozen one has ended."""
        self.world.clock.advance(LEASE_SECONDS + 1.0)
        other = Lanes(self.hub)
        for _ in range(MOST_TURNS):
            if not await other.turn():
                return

    async def post(self, post: Post) -> None:
        if post.connector == "toycrm":
            at = self.world.clock.moment().isoformat()
            headers = {"x-toy-time": at, "x-toy-signature": sign(HOOK_KEY, at, post.body)}
            post = msgspec.structs.replace(post, headers=headers)
        await super().post(post)
        if post.what == "goodbye":
            self.told.add(msgspec.json.decode(post.body)["who"])


class Player:
    """One history being played.

    `truth` is what happened, `log` what the hub wrote into its log, `names` what its database calls addresses and values.
    """

    def __init__(self, history: History, folder: Path) -> None:
        self.history = history
        self.file = history.file
        self.world = WatchedWorld(f"world {next(_NUMBERS)}")
        self.world.crm.fields |= {"secret_wish"}
        self.world.mail.fields |= {"SECRET"}
        self.yard = LawYard(folder, self.world, history)
        self.truth = Truth(self.file, self.world)
        self.reached: set[str] = set()
        self.log: list[str] = []
        self.names: set[str] = set()
        self._dice = random.Random(history.seed)
        self._texts = itertools.count(1)
        self._crashes = 0
        self._struck = 0

    # --- from beginning to end ----------------------------------------------------------------------------------------

    async def play(self, *, again: bool = False) -> None:
        with _listening(self.log):
            await self.yard.start()
            try:
                await self.yard.connect(self.file.settings(), agreed=self.file.agreed, confirmation_given=self._given)
                self.truth.began = self.world.clock.now
                for scripted in self.history.steps:
                    await self._step(scripted.step)
                    await self._then(scripted.then)
                await self.finish()
                await self._keep_ledgers()
                self.reached |= reached.afterwards(self.truth)
                if again:
                    before = self.world.picture()
                    await self.again()
                    await self.rest(END_SECONDS)
                    assert self.world.picture() == before, "what was handled was delivered again, and something changed"
            finally:
                await self.yard.stop()

    async def finish(self) -> None:
        """No more faults; everything arrives, and everything that waits has its time."""
        self.world.faults.none_any_more()
        self.world.fail_after.clear()
        self.world.between.clear()
        self.yard.store.stop_at = self.yard.freezing.freeze_at = None
        await self.rest(QUIET_SECONDS)
        await self.rest(END_SECONDS)

    async def again(self) -> None:
        """Everything that was ever delivered comes once more, twice and in another order."""
        posts = list(self.yard.delivered) * 2
        self._dice.shuffle(posts)
        for post in posts:
            await self._surviving(functools.partial(self.yard.post, post))
        await self.rest(QUIET_SECONDS)

    @property
    def _given(self) -> str | None:
        return "on paper" if self.file.confirmation_given else None

    # --- steps --------------------------------------------------------------------------------------------------------

    async def _step(self, step: Step) -> None:
        match step:
            case Wait():
                if step.seconds > LONGEST_REST_SECONDS:
                    self.world.clock.advance(step.seconds - QUIET_SECONDS)  # asleep: each poll would cost its time
                await self.rest(step.seconds if step.seconds <= LONGEST_REST_SECONDS else QUIET_SECONDS)
            case Jump():
                self.world.clock.advance(step.seconds)
            case Again():
                await self.again()
                self.reached.add(reached.TWICE)
            case CallFails():
                self.world.faults.at_next(step.fault, step.calls_before)
            case Freezes():
                self.yard.freezing.freeze_at = self.yard.store.writes + 1 + step.writes_before
            case FailsAfter():
                self.world.fail_after[step.effect] = step.fault
            case StopsAtWrite():
                self.yard.store.after = step.after
                self.yard.store.stop_at = self.yard.store.writes + 1 + step.writes_before
            case Meanwhile():
                call = self.world.faults.calls + 1 + step.calls_before
                self.world.between[call] = functools.partial(self._between, step)
            case _:
                self._act(step)

    async def _between(self, step: Meanwhile) -> None:
        """People act while a call of the hub is on its way; told of it, the hub knows before its next but one.

        Nothing freezes meanwhile: a call that is on its way for longer than a lease is what no lease can help against.
        """
        self._act(step.step)
        if not step.told:
            return
        freeze_at, self.yard.freezing.freeze_at = self.yard.freezing.freeze_at, None
        while self.world.posts:
            await self.yard.post(self.world.posts[0])
            self.world.posts.pop(0)
        self.yard.freezing.freeze_at = freeze_at
        self.truth.told_at_once(self.yard.told)

    def _act(self, step: Step) -> None:
        email = f"{PEOPLE[getattr(step, 'who', 0)]}@example.com"
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
            case Delete():
                record = self.world.shop(email)
                if record is not None:
                    self.world.person_deletes(record.id)
            case _:
                raise AssertionError(step)

    def _write(self, email: str, step: Write) -> None:
        known = self.world.shop(email)
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

    # --- webhooks and time --------------------------------------------------------------------------------------------

    async def _then(self, then: Then) -> None:
        posts = self.world.posts
        match then:
            case "hold":
                return
            case "twice":
                if posts:
                    self.reached.add(reached.TWICE)
                posts.extend(list(posts))
            case "shuffled":
                self._dice.shuffle(posts)
            case "dropped":
                posts[:] = [post for post in posts if post.connector != "toymail"]
        await self.rest(0.0 if then == "run" else QUIET_SECONDS)

    async def rest(self, seconds: float) -> None:
        """Everything that waits is delivered, and the hub runs until nothing is due; then time passes in the same way."""
        until = self.world.clock.now + seconds
        await self._surviving(lambda: self.yard.settle(max(until - self.world.clock.now, 0.0)))
        await self.yard.look(law_8.at_rest)
        waiting = (await self.yard.look(inbox.counts)).get("waiting", 0)
        if self._struck == self.world.struck + self._crashes or not waiting:
            self.truth.quiet(self.yard.told)
            self.yard.told.clear()
        self._struck = self.world.struck + self._crashes

    async def _surviving(self, work: Callable[[], Awaitable[object]]) -> None:
        while True:
            try:
                await work()
            except Stopped:
                self._crashes += 1
                assert self._crashes < MOST_CRASHES, "stopped too often"
                self.reached |= await crashed_where(self.yard, self.world)
                await suppressed_with_the_ledger(self.yard)
                await self.yard.look(law_8.at_rest)
                await self.yard.restart()
            else:
                return

    async def _keep_ledgers(self) -> None:
        """What the database says of every address: its facts as they were stored, and whether it is suppressed."""
        vault = self.yard.hub.vault
        for person in PEOPLE:
            digest = vault.address(f"{person}@example.com")

            def load(tx: Tx, digest: str = digest) -> Ledger:
                self.names.update(row["address"] for row in tx.all("select address from contact"))
                self.names.update(row["remembered"] for row in tx.all("select remembered from contact"))
                rows = tx.all("select body from ledger where address = :address order by id", address=digest)
                out = tx.one("select since from suppression where address = :address", address=digest)
                return Ledger(facts=tuple(msgspec.json.decode(row["body"]) for row in rows), suppressed=out is not None)

            self.truth.ledgers[f"{person}@example.com"] = await self.yard.look(load)


@contextmanager
def _listening(lines: list[str]) -> Iterator[None]:
    """Everything that is logged, at every level."""

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    root, ear = logging.getLogger(), Ear()
    ear.setFormatter(logging.Formatter("%(name)s %(message)s %(exc_text)s"))
    level = root.level
    root.addHandler(ear)
    root.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        root.removeHandler(ear)
        root.setLevel(level)
