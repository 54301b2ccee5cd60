"""Property groups (section 6)."""

from __future__ import annotations

from msgspec import Struct

from .call import Answer, Call, answer, no_content
from .catalogue import Group
from .errors import conflict, invalid, not_found
from .portal import Portal

__all__ = ["create_group", "delete_group", "list_groups", "read_group", "update_group"]


class GroupCreation(Struct, rename="camel", forbid_unknown_fields=True):
    name: str
    label: str
    display_order: int = -1


class GroupUpdate(Struct, rename="camel", forbid_unknown_fields=True):
    label: str | None = None
    display_order: int | None = None


def _group(portal: Portal, name: str) -> Group:
    group = portal.groups.get(name)
    if group is None:
        raise not_found(f"Property group {name} does not exist")
    return group


def list_groups(call: Call) -> Answer:
    return answer({"results": list(call.portal.groups.values())})


def read_group(call: Call) -> Answer:
    return answer(_group(call.portal, call.params["name"]))


def create_group(call: Call) -> Answer:
    """201; 409 for a name that is taken."""
    wanted = call.json(GroupCreation)
    if wanted.name in call.portal.groups:
        raise conflict(
            f'A property group named "{wanted.name}" already exists.',
            category="OBJECT_ALREADY_EXISTS",
            sub_category="Properties.GROUP_WITH_NAME_EXISTS",
        )
    group = Group(name=wanted.name, label=wanted.label, display_order=wanted.display_order)
    call.portal.groups[group.name] = group
    return answer(group, 201)


def update_group(call: Call) -> Answer:
    group, wanted = _group(call.portal, call.params["name"]), call.json(GroupUpdate)
    group.label = wanted.label if wanted.label is not None else group.label
    group.display_order = wanted.display_order if wanted.display_order is not None else group.display_order
    return answer(group)


def delete_group(call: Call) -> Answer:
    """204; 400 while it has properties that are not archived."""
    group = _group(call.portal, call.params["name"])
    if any(one.group == group.name and one.archived_ms is None for one in call.portal.properties.values()):
        raise invalid(f"Property group {group.name} has active properties and cannot be deleted")
    del call.portal.groups[group.name]
    return no_content()
