"""Reports of bulk calls as Maileon answers them."""

from __future__ import annotations


def report(new: int = 0, existing: int = 0, marked: int = 0, invalid: str = "", count: int | None = None) -> str:
    counted = invalid.count("<contact>") if count is None else count
    return (
        f"<report><success>true</success><count_new_contacts>{new}</count_new_contacts>"
        f"<count_existing_contacts>{existing}</count_existing_contacts>"
        f"<count_unsubscribed_contacts>{marked}</count_unsubscribed_contacts>"
        f"<count_invalid_contacts>{counted}</count_invalid_contacts>"
        f"<invalid_contacts>{invalid}</invalid_contacts></report>"
    )


def invalid(email: str, code: int, field: str = "GENDER", external_id: str = "") -> str:
    return (
        f"<contact><email>{email}</email><external_id>{external_id}</external_id>"
        f'<error code="{code}"><error_field>{field}</error_field></error></contact>'
    )
