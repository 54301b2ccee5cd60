"""`stellwerk hubspot project`: the developer project, taken by the twin as HubSpot's CLI would."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from stellwerk.sdk import CommandContext, FieldSpec
from stellwerk_hubspot.connector import HubspotConnector
from stellwerk_hubspot.settings import HubspotSystem
from stellwerk_hubspot.twin.project import load

FILES = ["hsproject.json", "src/app/app-hsmeta.json", "src/app/webhooks/webhooks-hsmeta.json"]


@pytest.fixture
def context(system: HubspotSystem) -> CommandContext:
    return CommandContext(
        system=system,
        title="Maileon for HubSpot",
        public_url="https://hub.example",
        webhook_url="https://hooks.example/",
        redirect_url="https://hub.example/oauth/crm/callback",
        fields=(FieldSpec(name="company"), FieldSpec(name="firstname"), FieldSpec(name="hs_lastmodifieddate")),
    )


@pytest.fixture
def project() -> Callable[..., int]:
    return HubspotConnector.commands()["project"][1]


def read(folder: Path, name: str) -> Any:
    return json.loads((folder / name).read_text(encoding="utf-8"))


def test_three_files_are_written_and_the_next_steps_said(
    project: Any, context: CommandContext, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert project(context, [str(tmp_path)]) == 0
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*")) == FILES
    assert "hs project upload" in capsys.readouterr().out
    assert read(tmp_path, "hsproject.json")["platformVersion"] == "2026.09"


def test_the_app_asks_for_the_scopes_of_the_login(project: Any, context: CommandContext, tmp_path: Path) -> None:
    project(context, [str(tmp_path)])
    app = read(tmp_path, FILES[1])["config"]
    assert app["auth"]["redirectUrls"] == ["https://hub.example/oauth/crm/callback"]
    assert app["auth"]["requiredScopes"] == [
        "oauth",
        "crm.objects.contacts.read",
        "crm.objects.contacts.write",
        "crm.schemas.contacts.read",
        "crm.schemas.contacts.write",
    ]
    assert (app["distribution"], app["permittedUrls"]["fetch"]) == ("private", ["https://api.hubapi.com"])
    assert app["support"] == {"supportUrl": "https://hub.example"}


def test_each_used_property_and_each_kind_of_event_is_subscribed_once(
    project: Any, context: CommandContext, tmp_path: Path
) -> None:
    project(context, [str(tmp_path)])
    config = read(tmp_path, FILES[2])["config"]
    assert config["settings"]["targetUrl"] == "https://hooks.example/webhooks/hubspot"
    entries = config["subscriptions"]["crmObjects"]
    kinds = [one["subscriptionType"] for one in entries if "propertyName" not in one]
    assert kinds == ["object.creation", "object.deletion", "object.merge", "object.restore"]
    properties = [one["propertyName"] for one in entries if "propertyName" in one]
    # HubSpot takes no subscription on hs_lastmodifieddate.
    assert properties == ["company", "email", "firstname", "hs_email_optout"]
    assert {one["objectType"] for one in entries} == {"contact"}
    assert config["subscriptions"]["hubEvents"] == [{"subscriptionType": "contact.privacyDeletion", "active": True}]


def test_writing_again_changes_nothing_and_says_so(
    project: Any, context: CommandContext, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project(context, [str(tmp_path)])
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")}
    capsys.readouterr()
    assert project(context, [str(tmp_path)]) == 0
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")} == before
    assert capsys.readouterr().out.count("unchanged") == 3


def test_another_field_changes_only_the_subscriptions(
    project: Any, context: CommandContext, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project(context, [str(tmp_path)])
    capsys.readouterr()
    project(replace(context, fields=(*context.fields, FieldSpec(name="city"))), [str(tmp_path)])
    assert f"written    {FILES[2]}" in capsys.readouterr().out
    assert "city" in (tmp_path / FILES[2]).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"title": " "}, "title"),
        ({"webhook_url": "http://hooks.example"}, "webhook_url"),
        ({"redirect_url": "http://hub.example/oauth"}, "redirect"),
        ({"redirect_url": "http://127.0.0.1:8000/oauth"}, "redirect"),
        ({"fields": (FieldSpec(name="First Name"),)}, "First Name"),
        ({"fields": (FieldSpec(name="x" * 100),)}, "x" * 100),
        ({"webhook_url": "https://"}, "webhook_url"),
        ({"fields": tuple(FieldSpec(name=f"p{number}") for number in range(994))}, "1001 subscriptions"),
    ],
)
def test_what_hubspot_would_refuse_is_said_and_nothing_written(
    project: Any,
    context: CommandContext,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: dict[str, Any],
    word: str,
) -> None:
    assert project(replace(context, **change), [str(tmp_path / "new")]) == 1
    assert word in capsys.readouterr().out
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("arguments", [[], ["a", "b"], ["--help"]])
def test_wrong_usage_is_said(
    project: Any, context: CommandContext, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert project(context, arguments) == 2
    assert "usage" in capsys.readouterr().out


@pytest.mark.parametrize("title", ["Ü", "x" * 200, "Kampagnen & Kontakte"])
def test_any_title_gives_names_hubspot_takes(project: Any, context: CommandContext, tmp_path: Path, title: str) -> None:
    assert project(replace(context, title=title), [str(tmp_path)]) == 0
    uids = [read(tmp_path, name)["uid"] for name in FILES[1:]]
    assert len(set(uids)) == 2
    assert all(uid.isascii() and 0 < len(uid) <= 64 for uid in uids)


def test_as_many_properties_as_hubspot_takes_are_taken_by_the_twin(
    project: Any, context: CommandContext, tmp_path: Path
) -> None:
    fields = tuple(FieldSpec(name=f"p{number}") for number in range(993))
    assert project(replace(context, fields=fields), [str(tmp_path)]) == 0
    assert len(load(tmp_path).subscriptions) == 1_000


def test_a_local_demo_is_taken_by_the_twin(project: Any, context: CommandContext, tmp_path: Path) -> None:
    local = replace(
        context, public_url="http://localhost:8000", redirect_url="http://localhost:8000/oauth/crm/callback"
    )
    assert project(local, [str(tmp_path)]) == 0
    assert read(tmp_path, FILES[1])["config"]["support"] == {}
    command = [sys.executable, "-m", "stellwerk_hubspot.twin", "--project", str(tmp_path), "--exit-with-stdin"]
    found = subprocess.run(command, input="", capture_output=True, text=True, timeout=30, check=False)
    assert (found.returncode, found.stderr) == (0, "")
