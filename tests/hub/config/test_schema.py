"""The JSON Schema says what the loader says, and every part of it is described."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

import stellwerk.config
from stellwerk.config.convert import description_of, fields_of
from stellwerk.config.problems import CODES
from stellwerk.config.schema import RENEW, integration_schema, schema_text
from stellwerk.config.spec import Integration, System
from stellwerk.registry import Registry, load_connectors

ROOT = Path(__file__).parents[3]


def structs_in(hint: Any, seen: dict[type, None]) -> dict[type, None]:
    """Every Struct that can be reached from an annotation."""
    for info in msgspec.inspect.multi_type_info([hint]):
        _walk(info, seen)
    return seen


def _walk(info: Any, seen: dict[type, None]) -> None:
    if isinstance(info, msgspec.inspect.StructType):
        if info.cls in seen:
            return
        seen[info.cls] = None
        for field in info.fields:
            _walk(field.type, seen)
    for name in ("type", "item_type", "value_type", "types", "item_types"):
        inner = getattr(info, name, ())
        for part in inner if isinstance(inner, tuple) else (inner,):
            _walk(part, seen)


def undescribed(kinds: Iterator[type] | dict[type, None]) -> list[str]:
    return [
        f"{kind.__name__}.{info.name}" for kind in kinds for info, hint in fields_of(kind) if not description_of(hint)
    ]


def test_every_field_of_the_file_has_a_description() -> None:
    found = structs_in(Integration, {})
    found.pop(System)
    assert len(found) > 40
    assert undescribed(found) == []


def test_every_field_of_every_installed_connector_has_a_description() -> None:
    for connector in load_connectors().connectors.values():
        assert undescribed(structs_in(connector.system_type, {})) == []
        assert undescribed(structs_in(connector.account_type, {})) == []


def test_the_committed_schema_is_that_of_the_bundled_connectors() -> None:
    installed = load_connectors().connectors
    bundled = Registry(connectors={name: installed[name] for name in ("hubspot", "maileon")})
    committed = (ROOT / "integration.schema.json").read_text("utf-8")
    assert committed == schema_text(bundled), f"renew it with: {RENEW}"


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for part in value.values():
            yield from references(part)
    elif isinstance(value, list):
        for part in value:
            yield from references(part)


def test_every_reference_of_the_schema_leads_somewhere_and_everything_is_used(toys: Registry) -> None:
    schema = integration_schema(toys)
    used = {reference.rpartition("/")[2] for reference in references(schema)}
    assert used == set(schema["$defs"])


def test_the_schema_knows_systems_and_accounts_of_each_connector(toys: Registry) -> None:
    defs = integration_schema(toys)["$defs"]
    assert defs["system-toyshop"]["required"] == ["connector", "client_id", "client_secret"]
    assert defs["system-toyshop"]["properties"]["connector"]["const"] == "toyshop"
    assert defs["account-toypost"]["properties"]["key"]["pattern"].startswith("^(env:")


def test_rows_and_connections_are_open_to_names_of_systems_and_to_nothing_of_ours(toys: Registry) -> None:
    defs = integration_schema(toys)["$defs"]
    assert "names" not in defs["FieldRow"]["properties"]
    assert defs["FieldRow"]["additionalProperties"] == {"type": "string"}
    assert "accounts" not in defs["Connection"]["properties"]
    assert defs["Connection"]["additionalProperties"]["anyOf"]


def test_connectors_whose_structs_are_called_alike_are_told_apart(toys: Registry) -> None:
    shop = toys.connectors["toyshop"]
    alike = type("Alike", (shop,), {"name": "alike", "system_type": _renamed(shop.system_type)})
    defs = integration_schema(Registry(connectors={"toyshop": shop, "alike": alike}))["$defs"]
    assert set(defs["system-alike"]["properties"]) == {"connector", "other"}
    assert "client_id" in defs["system-toyshop"]["properties"]


def _renamed(kind: type) -> type:
    return msgspec.defstruct(kind.__name__, [("other", str)], module="elsewhere", kw_only=True)


def test_every_problem_code_has_a_section_and_no_section_is_left_over() -> None:
    text = (ROOT / "docs" / "problems.md").read_text("utf-8")
    sections = [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")]
    assert sections == list(CODES)


def test_no_code_is_used_that_is_not_listed() -> None:
    folder = Path(next(iter(stellwerk.config.__path__)))
    source = "".join(path.read_text("utf-8") for path in folder.rglob("*.py"))
    used = set(re.findall(r"(?:note|problem|BadReference)\(\s*\"([a-z-]+)\"", source))
    assert used <= set(CODES)
    assert len(used) > 15
