"""Property definitions: their shape, and those that every portal has (section 6, default contact properties)."""

from __future__ import annotations

from dataclasses import dataclass, field

from msgspec import Struct

__all__ = ["STAGES", "Group", "Option", "Property", "built_in_groups", "built_in_properties"]


def _words(text: str) -> list[str]:
    return text.split()


STAGES = (
    ("subscriber", "Subscriber"),
    ("lead", "Lead"),
    ("marketingqualifiedlead", "Marketing Qualified Lead"),
    ("salesqualifiedlead", "Sales Qualified Lead"),
    ("opportunity", "Opportunity"),
    ("customer", "Customer"),
    ("evangelist", "Evangelist"),
    ("other", "Other"),
)

TEXTS = _words(
    "email firstname lastname salutation jobtitle company website industry annualrevenue address city state zip country"
)
PHONES = _words("phone mobilephone fax hs_whatsapp_phone_number")
AD_TEXTS = _words(
    "date_of_birth gender marital_status relationship_status degree school seniority job_function start_date work_email"
)
LANGUAGES = _words(
    "ar bg cs da de de-at de-ch de-de de-lu el en en-au en-ca en-gb en-ie en-us es es-es es-mx et fi fr fr-be fr-ca "
    "fr-ch fr-fr hr hu it it-ch it-it ja ko lt lv nl nl-be nl-nl no pl pt pt-br pt-pt ro ru sk sl sv tr uk zh zh-cn"
)
LEAD_STATUSES = _words("NEW OPEN IN_PROGRESS OPEN_DEAL UNQUALIFIED ATTEMPTED_TO_CONTACT CONNECTED BAD_TIMING")
LEGAL_BASES = (
    "Legitimate interest – prospect/lead",
    "Legitimate interest – existing customer",
    "Legitimate interest - other",
    "Performance of a contract",
    "Freely given consent from contact",
    "Not applicable",
)
SIZES = _words("1-5 5-25 25-50 50-100 100-500 500-1000 1000+")
ZONES = _words("europe_slash_berlin europe_slash_london europe_slash_vienna europe_slash_zurich us_slash_eastern utc")


class Option(Struct, rename="camel", forbid_unknown_fields=True):
    """An option of an enumeration; `value` is what the API uses."""

    label: str
    value: str
    display_order: int = -1
    hidden: bool = False
    description: str | None = None


class Group(Struct, rename="camel"):
    name: str
    label: str
    display_order: int = -1
    archived: bool = False


@dataclass(slots=True)
class Property:
    """A definition. `read_only` is the value's, `fixed` the definition's, `fixed_options` the options'."""

    name: str
    label: str
    type: str
    field_type: str
    group: str = "contactinformation"
    description: str = ""
    options: list[Option] = field(default_factory=list)
    display_order: int = -1
    hidden: bool = False
    form_field: bool = False
    unique: bool = False
    external_options: bool = False
    calculated: bool = False
    built_in: bool = False
    read_only: bool = False
    fixed: bool = False
    fixed_options: bool = False
    archived_ms: int | None = None
    created_ms: int = 0
    updated_ms: int = 0

    def stage_order(self) -> list[str]:
        return [option.value for option in sorted(self.options, key=lambda option: option.display_order)]


def _enumeration(
    name: str, values: list[tuple[str, str]], field_type: str = "select", *, read_only: bool = False
) -> Property:
    options = [Option(label=label, value=value, display_order=place) for place, (value, label) in enumerate(values)]
    return Property(
        name, name.replace("_", " ").title(), "enumeration", field_type, options=options, read_only=read_only
    )


def _read_only(name: str, kind: str, field_type: str = "text") -> Property:
    return Property(name, name.replace("_", " ").title(), kind, field_type, read_only=True, fixed=True)


def built_in_groups() -> dict[str, Group]:
    names = {
        "contactinformation": "Contact information",
        "emailinformation": "Email information",
        "facebook_ads_properties": "Facebook Ads properties",
    }
    return {
        name: Group(name=name, label=label, display_order=place) for place, (name, label) in enumerate(names.items())
    }


def built_in_properties(now_ms: int) -> dict[str, Property]:
    """The default set of a new portal, a subset of the dump in section 6."""
    ads = "facebook_ads_properties"
    found = [Property(name, name.title(), "string", "text", form_field=True) for name in TEXTS]
    found += [Property(name, name.title(), "string", "phonenumber", form_field=True) for name in PHONES]
    found += [Property(name, name.title(), "string", "text", group=ads, form_field=True) for name in AD_TEXTS]
    stage = _enumeration("lifecyclestage", list(STAGES), "radio")
    stage.external_options, stage.fixed_options, stage.form_field = True, True, True
    found += [
        stage,
        _enumeration("hs_language", [(code, code) for code in LANGUAGES]),
        _enumeration("hs_lead_status", [(status, status) for status in LEAD_STATUSES], "radio"),
        _enumeration("numemployees", [(size, size) for size in SIZES]),
        _enumeration("hs_timezone", [(zone, zone) for zone in ZONES]),
        _enumeration("hs_legal_basis", [(basis, basis) for basis in LEGAL_BASES], "checkbox"),
        _enumeration("hubspot_owner_id", [("1", "Jo Doe")]),
        _enumeration("hs_pipeline", [("contacts-lifecycle-pipeline", "Lifecycle")]),
        _enumeration("hs_marketable_status", [("true", "Marketing"), ("false", "Non-marketing")], read_only=True),
        _read_only("hs_additional_emails", "enumeration", "checkbox"),
        _read_only("hs_email_optout", "bool", "booleancheckbox"),
        _read_only("hs_email_bounce", "number", "number"),
        _read_only("hs_email_hard_bounce_reason_enum", "enumeration", "select"),
        _read_only("hs_email_quarantined", "bool", "booleancheckbox"),
        _read_only("createdate", "datetime", "date"),
        _read_only("lastmodifieddate", "datetime", "date"),
        _read_only("notes_last_updated", "datetime", "date"),
        _read_only("num_notes", "number", "number"),
        _read_only("hs_object_id", "number", "number"),
        _read_only("hs_merged_object_ids", "enumeration", "checkbox"),
        _read_only("hs_calculated_merged_vids", "string"),
        _read_only("hs_all_contact_vids", "string"),
        _read_only("hs_object_source", "string"),
        _read_only("hs_object_source_id", "string"),
        _read_only("hs_object_source_label", "string"),
        *(_read_only(f"hs_lifecyclestage_{value}_date", "datetime", "date") for value, _ in STAGES),
    ]
    for definition in found:
        definition.built_in = True
        definition.created_ms = definition.updated_ms = now_ms
        definition.calculated = definition.name == "hs_additional_emails"
        definition.external_options = definition.external_options or definition.name == "hubspot_owner_id"
    return {definition.name: definition for definition in found}
