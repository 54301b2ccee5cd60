"""The converters of a row of `fields:` as they stand in integration.yaml."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct, field


class DateConverter(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="date"):
    """Free text to a date."""

    formats: Annotated[
        tuple[str, ...], Meta(description="`iso` or patterns of DD, MM, YYYY; tried in order.", min_length=1)
    ] = ("iso",)


class LookupConverter(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="lookup"):
    """A value by its entry in `table`; the way back reads the table from right to left, first match."""

    table: Annotated[dict[str, str], Meta(description="First system's value to second's.", min_length=1)]
    otherwise: Annotated[Literal["keep", "skip"], Meta(description="Keep the value, or leave the field out.")] = "skip"


class LocaleConverter(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="locale"):
    """`de-de` to `de_DE` and back."""


class CaseConverter(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="case"):
    """Lower or upper case."""

    to: Annotated[Literal["lower", "upper"], Meta(description="Which case.")]


class NumberConverter(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="number"):
    """A decimal number with a point."""


class YesNoConverter(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="yes_no"):
    """Yes, no and their usual spellings to the words the target uses."""

    yes: Annotated[str, Meta(description="Word for yes at the target.")] = "true"
    no_: Annotated[str, Meta(description="Word for no at the target.")] = field(default="false", name="no_word")


class CountryConverter(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="country"):
    """A country written as code (DE, DEU) or name, English or German, to one spelling at each system."""

    first: Annotated[
        Literal["code", "en", "de"], Meta(description="Spelling at the file's first system: code, en or de.")
    ] = "en"
    second: Annotated[
        Literal["code", "en", "de"], Meta(description="Spelling at the file's second system: code, en or de.")
    ] = "code"


class PhoneConverter(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="phone"):
    """A phone number to `+` and digits, at both systems."""

    country: Annotated[
        Annotated[str, Meta(pattern=r"^[1-9]\d{0,2}$")] | None,
        Meta(description="Calling code for numbers without one, such as 49; without it those are left out."),
    ] = None
    trunk: Annotated[
        str,
        Meta(pattern=r"^\d{0,2}$", description="Digits that fall away behind the calling code: 0 in most countries."),
    ] = "0"


class ChoicesConverter(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="choices"):
    """Several choices in one text, separated in another way at each system; each by its entry in `table`, if there is one."""

    separators: Annotated[
        tuple[Annotated[str, Meta(min_length=1)], Annotated[str, Meta(min_length=1)]],
        Meta(description="What stands between choices at the first system and at the second."),
    ] = (";", ", ")
    table: Annotated[
        Annotated[dict[str, str], Meta(min_length=1)] | None,
        Meta(description="First system's choice to second's; without it choices stay as they are."),
    ] = None
    otherwise: Annotated[
        Literal["keep", "skip"], Meta(description="Keep a choice that is not in the table, or leave it out.")
    ] = "skip"


Converter: TypeAlias = (
    DateConverter
    | LookupConverter
    | LocaleConverter
    | CountryConverter
    | PhoneConverter
    | ChoicesConverter
    | CaseConverter
    | NumberConverter
    | YesNoConverter
)
