"""The pages a person can use in a browser."""

from __future__ import annotations

import re

ADA = "ada@example.com"


def link(text, target):
    found = re.search(rf'href="(/{target}/[^"]+)"', text)
    assert found, f"no link to /{target}/"
    return found[1]


def test_every_page_is_headed_maileon_twin(maileon) -> None:
    for path in ("/", "/outbox", "/newsletter", "/contacts", "/webhooks-registered"):
        answer = maileon.browser.get(path)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert '<a href="/">Maileon twin</a>' in answer.text
        assert "<script" not in answer.text


def test_the_stylesheet_is_served(maileon) -> None:
    assert maileon.browser.get("/twin.css").headers["content-type"] == "text/css"


def test_an_unknown_page_is_404(maileon) -> None:
    for path in ("/nothing", "/outbox/0", "/outbox/x", "/confirm/x", "/unsubscribe/x", "/contacts/1", "/contacts/1/x"):
        assert maileon.browser.get(path).status_code == 404


def test_the_outbox_leads_to_the_mail_and_its_confirmation_link(maileon) -> None:
    maileon.create(ADA, doi="true", doimailing="K1")
    outbox = maileon.browser.get("/outbox", params={"to": ADA}).text
    assert "Double opt-in" in outbox
    mail = maileon.browser.get(link(outbox, "outbox")).text
    answer = maileon.browser.get(link(mail, "confirm"))
    assert "Your subscription is confirmed" in answer.text
    assert maileon.permission(ADA) == "4"
    assert "confirmed already" in maileon.browser.get(link(mail, "confirm")).text


def test_a_newsletter_goes_to_everybody_with_a_permission(maileon) -> None:
    for i in range(1, 7):
        maileon.create(f"c{i}@example.com", permission=i)
    assert [mail["to"] for mail in maileon.newsletter()] == [f"c{i}@example.com" for i in range(2, 7)]


def test_a_person_unsubscribes_by_the_link_in_the_newsletter(maileon) -> None:
    maileon.create(ADA, permission=4)
    number = maileon.newsletter(subject="Spring & more")[0]["number"]
    mail = maileon.browser.get(f"/outbox/{number}").text
    assert "Spring &amp; more" in mail
    target = link(mail, "unsubscribe")
    assert '<form method="post"' in maileon.browser.get(target).text
    maileon.browser.post(target, data={"confirm": "yes"})
    assert maileon.dump()["markers"] == [ADA]
    assert "already" in maileon.browser.get(target).text


def test_a_person_changes_data_by_the_profile_link(maileon) -> None:
    maileon.create(ADA, permission=4)
    token = maileon.newsletter()[0]["token"]
    assert 'name="CITY"' in maileon.browser.get(f"/profile/{token}").text
    maileon.browser.post(f"/profile/{token}", data={"CITY": "Bonn"})
    assert maileon.dump()["contacts"][0]["standard_fields"] == {"CITY": "Bonn"}


def test_the_contact_page_shows_edits_and_unsubscribes(maileon) -> None:
    number = maileon.number(maileon.create(ADA, {"external_id": "hs-1"}))
    assert ADA in maileon.browser.get("/contacts", params={"email": ADA}).text
    assert 'value="hs-1"' in maileon.browser.get(f"/contacts/{number}").text
    form = {"permission": "4", "external_id": "", "standard.FIRSTNAME": "Ada", "custom.Position": "Engineer"}
    assert maileon.browser.post(f"/contacts/{number}", data=form).status_code == 200
    contact = maileon.dump()["contacts"][0]
    assert (contact["permission"], contact["external_id"]) == (4, None)
    assert (contact["standard_fields"], contact["custom_fields"]) == ({"FIRSTNAME": "Ada"}, {"Position": "Engineer"})
    maileon.browser.post(f"/contacts/{number}/unsubscribe", data={})
    assert maileon.dump()["markers"] == [ADA]


def test_a_value_its_field_does_not_take_is_refused_on_the_page(maileon) -> None:
    number = maileon.number(maileon.create(ADA))
    assert maileon.browser.post(f"/contacts/{number}", data={"standard.GENDER": "x"}).status_code == 400
    assert maileon.browser.post(f"/contacts/{number}", data={"phone": "1"}).status_code == 400
    assert maileon.browser.post(f"/contacts/{number}", json={}).status_code == 415


def test_an_anonymous_contact_has_a_page_without_form(maileon) -> None:
    maileon.option(anonymise_seconds=0)
    number = maileon.number(maileon.create(ADA))
    maileon.unsubscribe(ADA)
    text = maileon.browser.get(f"/contacts/{number}").text
    assert "Anonymous contact" in text
    assert "<form" not in text


def test_names_in_the_data_cannot_break_the_page(maileon) -> None:
    number = maileon.number(maileon.create(ADA, {"standard_fields": {"CITY": '"><script>'}}))
    assert "<script>" not in maileon.browser.get(f"/contacts/{number}").text


def test_registered_webhooks_are_shown(maileon) -> None:
    maileon.hook("doi", standardFields=["email"])
    assert f"https://hub.test/{maileon.id}/doi" in maileon.browser.get("/webhooks-registered").text
