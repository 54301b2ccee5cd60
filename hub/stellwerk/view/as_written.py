"""Connections of the database as an operator writes them in the file. Secrets stay here: the file gets references to fill in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import chain, count
from typing import Any

import msgspec
from msgspec import Struct

from stellwerk.config.convert import description_of, fields_of, holds_secret
from stellwerk.config.load import Loaded, ruleset
from stellwerk.registry import Registry
from stellwerk.relay.rulebook import typed_settings
from stellwerk.store import accounts
from stellwerk.store.accounts import AccountRow
from stellwerk.store.connections import Connection
from stellwerk.store.store import Tx
from stellwerk.store.vault import Vault
from stellwerk_rules.plan import Plan, compile_plan
from stellwerk_rules.settings import check_values

ACCOUNT = "account"
"""The field of account settings that names the account where a login alone leads to it."""


class AsWritten(Struct, frozen=True, kw_only=True):
    """`connections` as they stand in the file. `environment` says of each variable named there what it is to hold.

    `notes` are what could not be written, for a person.
    """

    connections: list[dict[str, Any]]
    environment: dict[str, str]
    notes: list[str]


def as_written(tx: Tx, vault: Vault, loaded: Loaded, registry: Registry, found: Sequence[Connection]) -> AsWritten:
    """`found` as entries of the file that `loaded` is."""
    return _Writer(tx, vault, loaded, registry).written(found)


class _Writer:
    def __init__(self, tx: Tx, vault: Vault, loaded: Loaded, registry: Registry) -> None:
        self._tx = tx
        self._vault = vault
        self._loaded = loaded
        self._registry = registry
        self._environment: dict[str, str] = {}
        self._owners: dict[str, tuple[str, str]] = {}
        self._notes: list[str] = []
        self._plans: dict[str, Plan] = {}

    def written(self, found: Sequence[Connection]) -> AsWritten:
        entries = [entry for one in found if (entry := self._entry(one)) is not None]
        return AsWritten(connections=entries, environment=self._environment, notes=self._notes)

    def _entry(self, one: Connection) -> dict[str, Any] | None:
        integration = self._loaded.integration
        assert integration is not None
        missing = [system for system in integration.systems if system not in one.accounts]
        if missing:
            self._notes.append(f"{one.id}: no account at {', '.join(missing)} yet; left out")
            return None
        entry: dict[str, Any] = {"id": one.id}
        for system, spec in integration.systems.items():
            row = accounts.by_id(self._tx, self._vault, one.accounts[system])
            assert row is not None
            entry[system] = self._account(one.id, row, self._registry.connectors[spec.connector].account_type)
        entry["settings"] = self._settings(one)
        if one.agreed is not None and one.agreed.by:
            given = one.agreed.confirmation_given
            told = {} if given is None else {"confirmation_given": given}
            entry["agreed"] = {"by": one.agreed.by, "at": one.agreed.at.date(), **told}
        entry |= {"brand": one.brand} if one.brand else {}
        return entry | ({"state": one.state} if one.state != "runs" else {})

    def _account(self, connection: str, row: AccountRow, kind: type[Any]) -> dict[str, Any]:
        """The account's settings; of a secret only the name of a variable."""
        stored: Mapping[str, Any] = (
            {} if row.secrets is None else msgspec.json.decode(self._vault.open(row.id, row.secrets))
        )
        account: dict[str, Any] = {}
        for info, hint in fields_of(kind):
            name, value = info.encode_name, stored.get(info.encode_name)
            if holds_secret(hint):
                # Whoever came by a login has no such secret yet; the file knows no login.
                if value is not None or info.required or row.oauth is not None:
                    account[name] = f"env:{self._variable(row, name, description_of(hint))}"
            elif value is not None and value != info.default:
                account[name] = value
            elif info.required:
                if name != ACCOUNT:
                    self._notes.append(f"{connection}: fill in {row.system}.{name}, which is not kept here")
                account[name] = row.remote
        if row.oauth is not None:
            self._notes.append(
                f"{connection}: {row.system} is reached by a login; in the file it needs a token of its own"
            )
        return account

    def _variable(self, row: AccountRow, field: str, description: str) -> str:
        """A name for the environment; the same for every connection that shares the account."""
        first = re.sub(r"[^A-Z0-9]+", "_", f"STELLWERK_{row.system}_{row.remote}_{field}".upper())
        names = chain((first,), (f"{first}_{number}" for number in count(2)))
        name = next(one for one in names if self._owners.setdefault(one, (row.id, field)) == (row.id, field))
        self._environment[name] = f"{row.name or row.remote}: {description}"
        return name

    def _settings(self, one: Connection) -> dict[str, Any]:
        plan = self._plan(one.brand)
        wrong = {problem.setting for problem in check_values(plan, typed_settings(plan, one.settings), {})}
        wrong |= {name for name in one.settings if name not in plan.settings_by_id}
        for name in sorted(wrong & set(one.settings)):
            self._notes.append(f"{one.id}: the setting {name} has a value that the file does not know today; left out")
        return {name: _plain(value) for name, value in one.settings.items() if name not in wrong}

    def _plan(self, brand: str) -> Plan:
        if brand not in self._plans:
            self._plans[brand] = compile_plan(ruleset(self._loaded, brand=brand or None))
        return self._plans[brand]


def _plain(value: Any) -> Any:
    """A stage move without what was never chosen."""
    return {key: part for key, part in value.items() if part is not None} if isinstance(value, Mapping) else value
