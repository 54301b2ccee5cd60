"""Section 8: signatures, by the vectors of the reference."""

from __future__ import annotations

from typing import Any

import pytest

from stellwerk_hubspot.twin import signature

SECRET = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"
URI = "https://www.example.com/webhook_uri"
SINGLE = b"{'example_field':'example_value'}"
DOUBLE = b'{"example_field":"example_value"}'
EVENT = (
    b'[{"eventId":1,"subscriptionId":12345,"portalId":62515,"occurredAt":1564113600000,'
    b'"subscriptionType":"contact.creation","attemptNumber":0,"objectId":123,"changeSource":"CRM",'
    b'"changeFlag":"NEW","appId":54321}]'
)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (SINGLE, "69fc6631a867edd4f9e9e627fc5c1148e3fbdd8b21837b6d2b8901c1fa57f750"),
        (EVENT, "232db2615f3d666fe21a8ec971ac7b5402d33b9a925784df3ca654d05f4817de"),
    ],
)
def test_section_8_v1_vectors(body: bytes, expected: str) -> None:
    assert signature.v1(SECRET, body) == expected


@pytest.mark.parametrize(
    ("method", "body", "expected"),
    [
        ("POST", SINGLE, "4fe4e3a7d3cf09db53be39d0a58130e2aaba074ec123a9e355b876a689a1c383"),
        ("POST", DOUBLE, "9569219f8ba981ffa6f6f16aa0f48637d35d728c7e4d93d0d52efaa512af7900"),
        ("GET", b"", "eee2dddcc73c94d699f5e395f4b9d454a069a6855fbfa152e91e88823087200e"),
    ],
)
def test_section_8_v2_vectors(method: str, body: bytes, expected: str) -> None:
    assert signature.v2(SECRET, method, URI, body) == expected


@pytest.mark.parametrize(
    ("timestamp", "expected"),
    [
        (1693657560000, "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y="),
        (1700000300000, "RnbPH7+UMKVkbV32P8bz450N4M56aPmcru1+D3kSDtw="),
    ],
)
def test_section_8_v3_vectors(timestamp: int, expected: str) -> None:
    assert signature.v3(SECRET, "POST", URI, SINGLE, timestamp) == expected


def test_section_8_only_twelve_escapes_are_decoded_before_hashing() -> None:
    escaped = "https://h/%3A%2f%3F%40%21%24%27%28%29%2A%2C%3B%20%25%C3%A4?a=%26"
    assert signature.decoded_uri(escaped) == "https://h/:/?@!$'()*,;%20%25%C3%A4?a=%26"


@pytest.mark.anyio
async def test_section_8_a_delivery_carries_v3_over_the_declared_url_and_the_v1_pair(world: Any) -> None:
    await world.create(email="ada@example.com")
    await world.settled()
    one = world.inbox.arrived[0]
    stamp = int(one.headers["x-hubspot-request-timestamp"])
    expected = signature.v3(SECRET, "POST", "https://hub.demo/webhooks/hubspot", one.body, stamp)
    assert one.headers["x-hubspot-signature-v3"] == expected
    assert one.headers["x-hubspot-signature"] == signature.v1(SECRET, one.body)
    assert one.headers["x-hubspot-signature-version"] == "v1"
    assert one.headers["host"] == "hub.demo"
    assert one.path == "/webhooks/hubspot"


@pytest.mark.anyio
async def test_section_14_whether_v3_is_sent_to_static_apps_can_be_played_both_ways(world: Any) -> None:
    await world.control.post("/settings", json={"signature_v3": False})
    await world.create(email="ada@example.com")
    await world.settled()
    headers = world.inbox.arrived[0].headers
    assert "x-hubspot-signature-v3" not in headers
    assert headers["x-hubspot-signature-version"] == "v1"


@pytest.mark.anyio
async def test_section_8_after_the_client_secret_was_rotated_the_new_one_signs(world: Any) -> None:
    await world.control.post("/settings", json={"client_secret": "another"})
    await world.create(email="ada@example.com")
    await world.settled()
    one = world.inbox.arrived[0]
    assert one.headers["x-hubspot-signature"] == signature.v1("another", one.body)
    assert (await world.token(grant_type="refresh_token")).json()["status"] == "BAD_CLIENT_SECRET"
