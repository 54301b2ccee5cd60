"""What a bulk call's report says of each row it refuses (reference, section 6.4)."""

from __future__ import annotations

import pytest

from stellwerk_maileon import bulkreport
from stellwerk_maileon.problem import WireError
from stellwerk_toys.bulk_reports import invalid, report


@pytest.mark.parametrize("code", range(1, 28))
def test_each_of_the_27_codes_has_a_reason_of_its_own(code: int) -> None:
    found = bulkreport.read(report(invalid=invalid("a@example.com", code)).encode())
    reason = found.invalid[0].faults[0].reason
    assert reason != "invalid"
    assert [name for name, _ in bulkreport.REASONS.values()].count(reason) == 1
    assert found.invalid[0].faults[0].mend != bulkreport.UNKNOWN[1]


@pytest.mark.parametrize(
    "error",
    [
        "<errors><error><code>19</code><error_field>GENDER</error_field></error></errors>",
        "<error>19</error><error_field>GENDER</error_field>",
        '<error code="19"/><error_field>GENDER</error_field>',
        "<error><error_code>19</error_code><error_field>GENDER</error_field></error>",
    ],
)
def test_an_error_is_read_however_it_is_nested(error: str) -> None:
    body = report(invalid=f"<contact><email>a@example.com</email>{error}</contact>")
    (fault,) = bulkreport.read(body.encode()).invalid[0].faults
    assert (fault.code, fault.field) == (19, "GENDER")


@pytest.mark.parametrize("error", ["", "<error/>", '<error code="99"/>', "<error>worse</error>"])
def test_an_unknown_reason_is_still_a_refusal(error: str) -> None:
    body = report(invalid=f"<contact><email>a@example.com</email>{error}</contact>")
    assert bulkreport.read(body.encode()).invalid[0].faults[0].reason == "invalid"


def test_a_report_whose_counts_are_no_numbers_is_not_believed() -> None:
    with pytest.raises(WireError):
        bulkreport.read(b"<report><count_new_contacts>many</count_new_contacts></report>")
