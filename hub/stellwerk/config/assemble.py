"""Puts the file together from pieces, each converted alone so that all their problems are found."""

from __future__ import annotations

from typing import Any, get_args

from msgspec import Struct
from msgspec.structs import replace

from stellwerk.config.convert import MISSING, Converter, bare, fields_of
from stellwerk.config.draft import Draft
from stellwerk.config.problems import Path, did_you_mean, one_of
from stellwerk.config.spec import Connection, HubSpec, Integration, System
from stellwerk.registry import Registry
from stellwerk.sdk.connector import Connector
from stellwerk.sdk.settings import Settings
from stellwerk_rules.spec import FieldRow

__all__ = ["RESERVED", "assemble"]

LISTS = ("settings", "fields", "rules", "mirror", "connections", "tests")

# Words that a row of `fields:` or a connection uses itself; a system of that name could not be told from them.
RESERVED = frozenset(info.encode_name for kind in (FieldRow, Connection) for info, _ in fields_of(kind))


def assemble(raw: Any, converter: Converter, registry: Registry) -> Draft:
    """What of `raw` fits its types; the rest is noted at the converter."""
    return _Assembly(converter, registry).draft(raw)


class _Assembly:
    def __init__(self, converter: Converter, registry: Registry) -> None:
        self.converter = converter
        self.registry = registry
        self.connectors: dict[str, type[Connector]] = {}
        self.systems: dict[str, System] = {}
        self.names: tuple[str, ...] = ()
        self.broken: set[str] = set()

    def draft(self, raw: Any) -> Draft:
        kinds = {info.encode_name: (info, hint) for info, hint in fields_of(Integration)}
        parts: dict[str, Any] = {}
        if isinstance(raw, dict):
            self._note_keys(raw, kinds)
            # The other parts name the systems, so these come first.
            self._convert_systems(raw.get("systems", {}))
            parts["systems"] = self.systems
            for name, (_, hint) in kinds.items():
                if name in raw and name != "systems":
                    parts[name] = self._part(name, raw[name], hint)
        else:
            self.converter.note(
                "wrong-type", (), "the file is no mapping", expected="version:, title:, hub:, systems: …"
            )
            self.broken.update(kinds)
        return Draft(
            parts={name: part for name, part in parts.items() if part is not MISSING},
            names=self.names,
            broken=frozenset(self.broken),
            registry=self.registry,
            converter=self.converter,
        )

    def _note_keys(self, raw: dict[str, Any], kinds: dict[str, Any]) -> None:
        for key in raw:
            if key not in kinds:
                mend = did_you_mean(key, kinds)
                self.converter.note("unknown-key", (key,), f"unknown key '{key}'", mend=mend, key=True)
        for name, (info, _) in kinds.items():
            if info.required and name not in raw:
                self.converter.note("missing-key", (), f"'{name}' is missing", mend=f"add '{name}:'")
                self.broken.add(name)

    def _part(self, name: str, raw: Any, hint: Any) -> Any:
        path: Path = (name,)
        if name in LISTS and isinstance(raw, list):
            found = {index: self._item(name, item, hint, (*path, index)) for index, item in enumerate(raw)}
            if any(item is MISSING for item in found.values()):
                self.broken.add(name)
            return {index: item for index, item in found.items() if item is not MISSING}
        if name == "hub":
            raw = self.converter.resolved(raw, HubSpec, path)
        part = self.converter.convert(raw, hint, path)
        if part is MISSING:
            self.broken.add(name)
        return part

    def _item(self, name: str, raw: Any, hint: Any, path: Path) -> Any:
        if name == "fields" and isinstance(raw, dict):
            return self._row(raw, path)
        if name == "connections" and isinstance(raw, dict):
            return self._connection(raw, path)
        return self.converter.convert(raw, get_args(bare(hint))[0], path)

    # --- systems --------------------------------------------------------------------------------------------------------

    def _convert_systems(self, raw: Any) -> None:
        if not isinstance(raw, dict):
            self.converter.note(
                "wrong-type", ("systems",), "this is no mapping", expected="a system's name to its connector"
            )
            self.broken.add("systems")
            return
        self.names = tuple(raw)
        for name, entry in raw.items():
            path: Path = ("systems", name)
            if name in RESERVED or not name.isidentifier() or name != name.lower():
                self.converter.note(
                    "not-allowed", path, f"a system cannot be called '{name}'", key=True,
                    expected="a word of small letters, digits and _ that this file uses for nothing else",
                    mend="choose another name",
                )  # fmt: skip
            settings = self._system_settings(name, entry, path)
            if settings is MISSING:
                self.broken.add("systems")
            else:
                self.systems[name] = System(connector=entry["connector"], settings=settings)

    def _system_settings(self, name: str, entry: Any, path: Path) -> Any:
        if not isinstance(entry, dict) or not isinstance(entry.get("connector"), str):
            mend = f"add 'connector:', {one_of(self.registry.connectors)}"
            self.converter.note("missing-key", path, "'connector' is missing", expected="connector: NAME", mend=mend)
            return MISSING
        connector = self.registry.connectors.get(entry["connector"])
        if connector is None:
            self._note_connector(entry["connector"], (*path, "connector"))
            return MISSING
        self.connectors[name] = connector
        rest = {key: value for key, value in entry.items() if key != "connector"}
        return self._connector_settings(rest, connector.system_type, path)

    def _note_connector(self, name: str, path: Path) -> None:
        unusable = next((problem for problem in self.registry.problems if problem.name == name), None)
        if unusable is not None:
            self.converter.note(
                "unusable-connector", path, f"the connector '{name}' cannot be used: {unusable.text}",
                mend=f"mend or update the distribution {unusable.distribution}; see stellwerk connectors",
            )  # fmt: skip
            return
        self.converter.note(
            "unknown-connector", path, f"unknown connector '{name[:60]}'", expected=one_of(self.registry.connectors),
            mend=f"use one of these, or pip install the distribution that brings '{name[:60]}'",
        )  # fmt: skip

    # --- parts with keys that the file names ----------------------------------------------------------------------------

    def _row(self, raw: dict[str, Any], path: Path) -> Any:
        """`{crm: a, mail: b, to: mail}` is read as `{names: {crm: a, mail: b}, to: mail}`."""
        instead: dict[Path, Path] = {(*path, "names", name): (*path, name) for name in self.names}
        names = {key: value for key, value in raw.items() if key in self.names}
        rest = self._without_unknown(raw, path, FieldRow, "names")
        return self.converter.convert({**rest, "names": names}, FieldRow, path, instead=instead)

    def _connection(self, raw: dict[str, Any], path: Path) -> Any:
        accounts = {name: self._account(name, raw[name], (*path, name)) for name in self.names if name in raw}
        rest = self._without_unknown(raw, path, Connection, "accounts")
        connection = self.converter.convert(rest, Connection, path)
        if connection is MISSING or any(account is MISSING for account in accounts.values()):
            return MISSING
        return replace(connection, accounts=accounts)

    def _account(self, name: str, raw: Any, path: Path) -> Any:
        """What the account's connector asks for; also read where its system does not fit, so that both are told at once."""
        connector = self.connectors.get(name)
        if connector is None:
            return MISSING
        account = self._connector_settings(raw, connector.account_type, path)
        return account if name in self.systems else MISSING

    def _connector_settings(self, raw: Any, kind: type[Settings], path: Path) -> Any:
        """Settings of a connector; None where all is well but secrets are not looked up."""
        before = len(self.converter.problems)
        found = self.converter.convert(self.converter.resolved(raw, kind, path), kind, path)
        if found is MISSING and self.converter.vault.environ is None and len(self.converter.problems) == before:
            return None
        return found

    def _without_unknown(self, raw: dict[str, Any], path: Path, kind: type[Struct], ours: str) -> dict[str, Any]:
        """The known keys, less the systems' names; notes the others, the systems' names among what may be meant."""
        known = {info.encode_name for info, _ in fields_of(kind)} - {ours}
        for key in raw:
            if key not in known and key not in self.names:
                mend = did_you_mean(key, (*known, *self.names))
                self.converter.note("unknown-key", (*path, key), f"unknown key '{key}'", mend=mend, key=True)
        return {key: value for key, value in raw.items() if key in known}
