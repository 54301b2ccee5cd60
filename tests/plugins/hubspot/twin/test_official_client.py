"""HubSpot's official Python client against the twin: the v3 paths it knows (section 1, table of paths)."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import pytest

HAVE = "pip install hubspot-api-client (in the dev extra)"
hubspot = pytest.importorskip("hubspot", reason=HAVE)
contacts = pytest.importorskip("hubspot.crm.contacts", reason=HAVE)
properties_of = pytest.importorskip("hubspot.crm.properties", reason=HAVE)


@pytest.fixture
def client(twin: Any) -> Iterator[Any]:
    with warnings.catch_warnings():
        # urllib3's pool leaves its sockets to the collector.
        warnings.simplefilter("ignore", ResourceWarning)
        made = hubspot.HubSpot(access_token=twin.token)
        made.config["host"] = twin.url
        yield made


def new(client: Any, **properties: str) -> Any:
    return client.crm.contacts.basic_api.create(
        contacts.SimplePublicObjectInputForCreate(properties=properties, associations=[])
    )


def test_it_creates_reads_and_updates(client: Any, twin: Any) -> None:
    address = twin.address()
    made = new(client, email=address, firstname="Ada")
    found = client.crm.contacts.basic_api.get_by_id(made.id, properties=["firstname", "email"])
    assert (found.properties["email"], found.properties["firstname"]) == (address, "Ada")
    client.crm.contacts.basic_api.update(
        made.id, contacts.SimplePublicObjectInput(properties={"firstname": "Lady Ada"})
    )
    assert twin.contact(made.id)["properties"]["firstname"] == "Lady Ada"


def test_an_address_that_is_taken_is_its_409(client: Any, twin: Any) -> None:
    address = twin.address()
    made = new(client, email=address)
    with pytest.raises(contacts.ApiException) as refused:
        new(client, email=address)
    assert refused.value.status == 409
    assert f"Existing ID: {made.id}" in refused.value.body


def test_it_reads_in_batches(client: Any, twin: Any) -> None:
    ids = [twin.new(firstname=f"N{number}") for number in range(3)]
    wanted = contacts.BatchReadInputSimplePublicObjectId(
        inputs=[contacts.SimplePublicObjectId(id=one) for one in ids],
        properties=["firstname"],
        properties_with_history=[],
    )
    answer = client.crm.contacts.batch_api.read(wanted)
    assert {one.id: one.properties["firstname"] for one in answer.results} == dict(
        zip(ids, ("N0", "N1", "N2"), strict=True)
    )


def test_it_upserts(client: Any, twin: Any) -> None:
    there, fresh = twin.address(), twin.address()
    twin.plant({"email": there, "firstname": "Old"})
    rows = [
        contacts.SimplePublicObjectBatchInputUpsert(id=one, id_property="email", properties={"firstname": "New"})
        for one in (there, fresh)
    ]
    answer = client.crm.contacts.batch_api.upsert(contacts.BatchInputSimplePublicObjectBatchInputUpsert(inputs=rows))
    assert sorted(one.new for one in answer.results) == [False, True]
    assert {one.properties["firstname"] for one in answer.results} == {"New"}


def test_it_searches(client: Any, twin: Any) -> None:
    one = twin.new(company="Search & Sons")
    twin.new(company="Others")
    equal = {"propertyName": "company", "operator": "EQ", "value": "Search & Sons"}
    wanted = contacts.PublicObjectSearchRequest(filter_groups=[{"filters": [equal]}], properties=["company"], limit=10)
    answer = client.crm.contacts.search_api.do_search(wanted)
    assert (answer.total, [found.id for found in answer.results]) == (1, [one])


def test_it_merges_into_a_new_record(client: Any, twin: Any) -> None:
    primary, loser = twin.new(), twin.new()
    merged = client.crm.contacts.basic_api.merge(
        contacts.PublicMergeInput(primary_object_id=primary, object_id_to_merge=loser)
    )
    assert merged.id not in (primary, loser)
    assert client.crm.contacts.basic_api.get_by_id(loser).id == merged.id


def test_it_archives(client: Any, twin: Any) -> None:
    one = twin.new()
    client.crm.contacts.basic_api.archive(one)
    with pytest.raises(contacts.ApiException) as refused:
        client.crm.contacts.basic_api.get_by_id(one)
    assert refused.value.status == 404


def test_it_manages_properties_and_groups(client: Any, twin: Any) -> None:
    properties = client.crm.properties
    name = f"official_{next(twin.numbers)}"
    group = properties_of.PropertyGroupCreate(name=f"{name}_group", label="Official", display_order=-1)
    properties.groups_api.create("contacts", group)
    wanted = properties_of.PropertyCreate(
        name=name, label="One", type="string", field_type="text", group_name=group.name
    )
    assert properties.core_api.create("contacts", wanted).name == name
    properties.core_api.update("contacts", name, properties_of.PropertyUpdate(label="Two"))
    assert properties.core_api.get_by_name("contacts", name).label == "Two"
    assert name in {one.name for one in properties.core_api.get_all("contacts").results}
    properties.core_api.archive("contacts", name)
    with pytest.raises(Exception, match="404"):
        properties.core_api.get_by_name("contacts", name)


def test_nothing_it_sends_is_unknown_to_the_reference(client: Any, twin: Any) -> None:
    before = max((seen["number"] for seen in twin.requests()), default=0)
    new(client, email=twin.address())
    (seen,) = twin.requests(before)
    assert (seen["path"], seen["refused"], seen["status"]) == ("/crm/v3/objects/contacts", False, 201)
