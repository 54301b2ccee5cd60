"""`stellwerk check --fields`: how changes of each field arrive, and how late."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from stellwerk.cli.check import check

SAMPLE = Path(__file__).parents[3] / "integration.yaml"
CONNECTION = """
connections:
  - id: acme
    crm: {account: "4711", access_token: env:HUBSPOT_TOKEN}
    mail: {api_key: env:MAILEON_API_KEY}
    agreed: {by: Jo Doe, at: 2026-11-23}
"""


def printed(*arguments: str) -> str:
    result = CliRunner().invoke(check, [*arguments, "--no-secrets"])
    assert result.exit_code == 0, result.output
    return result.output


def test_each_field_has_its_way() -> None:
    lines = printed(str(SAMPLE), "--fields").splitlines()
    assert "crm.firstname  by webhook, at once; a lost one is found within 120 s" in lines
    assert any(line.startswith("mail.FIRSTNAME  by asking, within ") for line in lines)
    assert lines[-1].startswith(f"{SAMPLE}: good")


def test_without_being_asked_nothing_is_said_of_fields() -> None:
    assert "by webhook" not in printed(str(SAMPLE))
    assert "fields" not in json.loads(printed(str(SAMPLE), "--format", "json"))


def test_a_program_reads_the_same() -> None:
    rows = json.loads(printed(str(SAMPLE), "--fields", "--format", "json"))["fields"]
    assert {"system": "crm", "field": "lastname", "way": "event", "seconds": 120.0} in rows
    assert {row["way"] for row in rows if row["system"] == "mail"} == {"poll"}


@pytest.mark.parametrize(("more", "told"), [("", False), (CONNECTION, True)])
def test_the_weaker_signature_is_told_where_an_account_of_the_file_may_use_it(
    tmp_path: Path, more: str, told: bool
) -> None:
    text = SAMPLE.read_text()
    (tmp_path / "integration.yaml").write_text(text + more)
    output = printed(str(tmp_path / "integration.yaml"), "--fields")
    assert ("weaker signature counts for an account with a fixed token" in output) is told
