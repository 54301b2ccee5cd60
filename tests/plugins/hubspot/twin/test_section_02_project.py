"""Section 2: the project files, validated as HubSpot's CLI would."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from stellwerk_hubspot.twin.project import ProjectError, load

APP = "src/app/app-hsmeta.json"
HOOKS = "src/app/webhooks/webhooks-hsmeta.json"

Change = Callable[[dict[str, Any]], Any]


def app(files: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = files[APP]["config"]
    return found


def hooks(files: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = files[HOOKS]["config"]
    return found


def subscribe(files: dict[str, Any], place: str, **row: Any) -> None:
    hooks(files)["subscriptions"][place].append(row)


def test_section_2_a_good_project_loads(files: Any, write: Any) -> None:
    project = load(write(files))
    assert project.name == "Stellwerk"
    assert project.target_url == "https://hub.demo/webhooks/hubspot"
    assert len(project.subscriptions) == 9


def test_section_8_an_inactive_subscription_is_none(files: Any, write: Any) -> None:
    subscribe(files, "legacyCrmObjects", subscriptionType="contact.associationChange", active=False)
    assert len(load(write(files)).subscriptions) == 9


def test_section_2_a_project_without_webhooks_loads(files: Any, write: Any) -> None:
    del files[HOOKS]
    assert load(write(files)).target_url is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f["hsproject.json"].update(platformVersion="2024.1"), "platformVersion"),
        (lambda f: f["hsproject.json"].update(extra=1), "extra"),
        (lambda f: f[APP].update(uid="x" * 65), "uid"),
        (lambda f: f[APP].update(uid=""), "uid"),
        (lambda f: f[APP].update(type="webhooks"), "type"),
        (lambda f: app(f).update(logo="x"), "logo"),
        (lambda f: app(f).update(distribution="public"), "public"),
        (lambda f: app(f)["auth"].update(requiredScopes=["crm.objects.contacts.read"]), "oauth"),
        (lambda f: app(f)["auth"].update(redirectUrls=["http://hub.example/callback"]), "https"),
        (lambda f: app(f)["auth"].update(redirectUrls=["http://127.0.0.1:8000/callback"]), "https"),
        (lambda f: app(f)["auth"].update(redirectUrls=[]), "redirectUrls"),
        (lambda f: app(f)["auth"].update(scopes=[]), "scopes"),
        (lambda f: (app(f).update(distribution="marketplace"), app(f)["auth"].update(type="static")), "marketplace"),
        (lambda f: hooks(f)["settings"].update(targetUrl="http://hub.demo/x"), "https"),
        (lambda f: hooks(f)["settings"].update(targetUrl="http://localhost:8000/x"), "https"),
        (lambda f: hooks(f)["settings"].update(maxConcurrentRequests=5), "maxConcurrentRequests"),
        (lambda f: hooks(f).update(extra=1), "extra"),
        (lambda f: subscribe(f, "legacyCrmObjects", subscriptionType="contact.change"), "contact.change"),
        (lambda f: subscribe(f, "legacyCrmObjects", subscriptionType="object.creation"), "object.creation"),
        (lambda f: subscribe(f, "legacyCrmObjects", subscriptionType="contact.propertyChange"), "propertyName"),
        (
            lambda f: subscribe(f, "legacyCrmObjects", subscriptionType="contact.merge", propertyName="email"),
            "propertyName",
        ),
        (lambda f: subscribe(f, "legacyCrmObjects", subscriptionType="contact.creation"), "twice"),
        (
            lambda f: subscribe(
                f, "legacyCrmObjects", subscriptionType="contact.propertyChange", propertyName="hs_lastmodifieddate"
            ),
            "hs_lastmodifieddate",
        ),
        (
            lambda f: subscribe(f, "crmObjects", subscriptionType="object.privacyDeletion", objectType="contact"),
            "privacyDeletion",
        ),
        (lambda f: subscribe(f, "crmObjects", subscriptionType="object.creation", objectType="unicorn"), "unicorn"),
        (lambda f: subscribe(f, "crmObjects", subscriptionType="object.creation"), "objectType"),
        (lambda f: subscribe(f, "hubEvents", subscriptionType="contact.creation"), "hub event"),
        (lambda f: f.pop(APP), "app-hsmeta.json"),
        (lambda f: f.pop("hsproject.json"), "hsproject.json"),
    ],
)
def test_section_2_a_bad_project_is_refused_with_file_and_reason(
    files: Any, write: Any, change: Change, words: str
) -> None:
    change(files)
    with pytest.raises(ProjectError, match=words):
        load(write(files))
