"""A connection that was made on the page and is exported goes on under its name when the file has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from stellwerk.cli.export import as_yaml
from stellwerk.config.load import load
from stellwerk.relay.connect import bring_in_file
from stellwerk.store import connections
from stellwerk.store.connections import IN_FILE
from stellwerk.view.as_written import as_written
from stellwerk_toys.world import MAIL_KEY, World
from stellwerk_toys.yard import ENVIRON, FILE, TOYS, Yard, load_toys

pytestmark = pytest.mark.anyio
YES = {"wants_news": "yes", "name": "Ada", "stage": "visitor", "language": "de"}
ADA = "ada@example.com"


async def test_it_keeps_its_links_its_beginning_and_who_agreed(tmp_path: Path, world: World) -> None:
    page = Yard(tmp_path, world)
    await page.start()
    before = await page.connect({"letter": "spring", "silence": "yes"})
    world.form(ADA, YES)
    await page.settle(60)
    links = await page.look(lambda tx: tx.all("select * from link order by remote"))
    written = await page.look(lambda tx: as_written(tx, page.hub.vault, load_toys(), TOYS, connections.every(tx)))
    await page.stop()

    file = tmp_path / "integration-toys.yaml"
    file.write_text(FILE.read_text("utf-8") + "\n" + as_yaml(written), "utf-8")
    loaded = load(file, {**ENVIRON, **dict.fromkeys(written.environment, MAIL_KEY)}, TOYS)
    assert [str(problem) for problem in loaded.problems] == []
    now = Yard(tmp_path, world, loaded)
    await now.start()
    await bring_in_file(now.hub)
    (after,) = await now.look(connections.every)
    assert (after.id, after.origin, after.accounts, after.began) == (before.id, IN_FILE, before.accounts, before.began)
    assert dict(after.settings) == dict(before.settings)
    assert after.agreed is not None
    assert after.agreed.by == "Jo Doe"
    assert await now.look(lambda tx: tx.all("select * from link order by remote")) == links
    world.form(ADA, {**YES, "name": "Lady Ada"})
    await now.settle(60)
    assert len(world.mails_to(ADA)) == 1
    await now.stop()


async def test_a_process_whose_file_has_no_entry_of_a_connection_leaves_its_accounts_to_the_others(
    tmp_path: Path, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Else nobody here would know who belongs to it, and everybody would be brought in."""
    older = Yard(tmp_path, world)
    await older.start()
    await older.connect({"letter": "spring"})
    written = await older.look(lambda tx: as_written(tx, older.hub.vault, load_toys(), TOYS, connections.every(tx)))
    await older.store.write(lambda tx: tx.run("update connection set origin = 'file'"))  # as one with a newer file did
    world.form(ADA, YES)
    await older.settle(60)
    assert (world.mail.sent, world.news(ADA)) == ([], None)
    assert sum("is not in the integration.yaml of this process" in one for one in caplog.messages) == 1
    await older.stop()

    file = tmp_path / "integration-toys.yaml"
    file.write_text(FILE.read_text("utf-8") + "\n" + as_yaml(written), "utf-8")
    newer = Yard(tmp_path, world, load(file, {**ENVIRON, **dict.fromkeys(written.environment, MAIL_KEY)}, TOYS))
    await newer.start()
    await newer.settle(60)
    assert [mail.email for mail in world.mail.sent] == [ADA]
    await newer.stop()
