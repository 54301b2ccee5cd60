"""The JSON Schema of integration.yaml as what is installed makes it: for editors, and for whoever writes the file by program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from stellwerk.config.assemble import RESERVED
from stellwerk.config.convert import description_of, fields_of
from stellwerk.config.spec import Connection, Integration
from stellwerk.registry import Registry
from stellwerk.sdk.settings import Secret

__all__ = ["RENEW", "integration_schema", "schema_text"]

RENEW = "stellwerk schema > integration.schema.json"
_TEMPLATE = "#/$defs/{name}"
_SYSTEM_NAME = f"^(?!({'|'.join(sorted(RESERVED))})$)[a-z_][a-z0-9_]*$"


def schema_text(registry: Registry) -> str:
    """The schema as it stands in the committed file, with a line end."""
    return (
        msgspec.json.format(msgspec.json.encode(integration_schema(registry), order="sorted"), indent=1).decode() + "\n"
    )


def integration_schema(registry: Registry) -> dict[str, Any]:
    """JSON Schema 2020-12 of a file for the usable connectors."""
    connectors = sorted(registry.connectors.items())
    kinds: list[type[Any]] = [Integration]
    for _, connector in connectors:
        kinds += [connector.system_type, connector.account_type]
    references, found = msgspec.json.schema_components(kinds, schema_hook=_hook, ref_template=_TEMPLATE)
    defs: dict[str, Any] = dict(found)
    # msgspec lengthens the names of Structs that are called alike: only the references know them.
    names = [reference["$ref"].rpartition("/")[2] for reference in references]
    for index, (name, _) in enumerate(connectors):
        _name_connector(defs, name, defs[names[1 + 2 * index]], defs[names[2 + 2 * index]])
    for name in ("System", *names[1:]):
        defs.pop(name, None)
    whole = defs.pop(names[0])
    systems = description_of(dict(_hints(Integration))["systems"])
    whole["properties"]["systems"] = {
        "type": "object",
        "description": systems,
        "propertyNames": {"pattern": _SYSTEM_NAME},
        "minProperties": 1,
        "additionalProperties": _one_of([f"system-{name}" for name, _ in connectors]),
    }
    _open_to_systems(defs["FieldRow"], "names", {"type": "string"})
    accounts = _one_of([f"account-{name}" for name, _ in connectors])
    _open_to_systems(defs[Connection.__name__], "accounts", accounts)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **whole, "$defs": defs}


def _hook(kind: type[Any]) -> dict[str, Any]:
    if kind is Secret:
        return {"type": "string", "pattern": "^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$"}
    # `Any` stands only where the connector's own Struct is put in.
    raise NotImplementedError(kind.__name__)


def _hints(kind: type[msgspec.Struct]) -> list[tuple[str, Any]]:
    return [(info.encode_name, hint) for info, hint in fields_of(kind)]


def _name_connector(defs: dict[str, Any], name: str, system: dict[str, Any], account: dict[str, Any]) -> None:
    """Adds the connector's two Structs under names that no other connector has."""
    properties = {
        "connector": {"const": name, "description": "Name of an installed connector."},
        **_or_reference(system.get("properties", {})),
    }
    required = ["connector", *system.get("required", [])]
    defs[f"system-{name}"] = {**system, "properties": properties, "required": required}
    defs[f"account-{name}"] = {**account, "properties": _or_reference(account.get("properties", {}))}


def _or_reference(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Text fields may be written as `env:NAME` or `file:PATH`, whatever their own pattern is."""
    reference = {"type": "string", "pattern": "^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$"}
    found: dict[str, Any] = {}
    for key, schema in properties.items():
        limits = {limit: schema[limit] for limit in ("pattern", "maxLength", "enum") if limit in schema}
        if schema.get("type") == "string" and limits and schema.get("pattern") != reference["pattern"]:
            rest = {word: value for word, value in schema.items() if word not in limits and word != "type"}
            found[key] = {**rest, "anyOf": [{"type": "string", **limits}, reference]}
        else:
            found[key] = schema
    return found


def _one_of(names: list[str]) -> dict[str, Any]:
    return {"anyOf": [{"$ref": _TEMPLATE.format(name=name)} for name in names]} if names else {"not": {}}


def _open_to_systems(schema: dict[str, Any], ours: str, value: dict[str, Any]) -> None:
    """Replaces the key that only the code knows by keys that are systems' names."""
    del schema["properties"][ours]
    schema["required"] = [name for name in schema.get("required", []) if name != ours]
    schema["additionalProperties"] = value
