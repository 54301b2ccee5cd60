"""The JSON API plays what its own description allows and what it forbids: schemathesis draws the calls and judges the answers."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from stellwerk.store import api_tokens

pytestmark = [pytest.mark.anyio]

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
ENDS = ("POST", "/api/disconnect")
"""Played last: nothing answers but 401 afterwards."""


async def described(person: Any) -> Any:
    """The description as a program reads it."""
    document = (await person.client.get("/schema/openapi.json")).json()
    document["servers"] = [{"url": "http://hub.test"}]
    # Tokens are no drawn value: without one that works nothing but 401 would be seen.
    config = SchemathesisConfig.from_dict({"generation": {"with-security-parameters": False}})
    return schemathesis.openapi.from_dict(document, config=config)


async def play(person: Any, operation: Any, mode: Any, examples: int, header: dict[str, str]) -> None:
    """Draw calls of one operation, make them, and judge what came back. Raises what is wrong."""

    def answer(prepared: requests.PreparedRequest) -> Any:
        async def call() -> Any:
            sent = {name: str(value) for name, value in prepared.headers.items()}
            return await person.client.request(
                prepared.method, prepared.url, headers=sent, content=prepared.body, follow_redirects=False
            )

        return anyio.from_thread.run(call)

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(mode))
    def one(case: Any) -> None:
        sent = case.as_transport_kwargs(base_url="http://hub.test", headers=header)
        prepared = requests.Session().prepare_request(
            requests.Request(**{name: sent[name] for name in sent if name in WANTED})
        )
        prepared.headers.update(header)
        case.validate_response(answer(prepared), checks=CHECKS, headers=header)

    await anyio.to_thread.run_sync(one)


WANTED = frozenset({"method", "url", "headers", "params", "data", "json", "cookies"})


@pytest.mark.parametrize("examples", [pytest.param(5, id="some"), pytest.param(100, id="many", marks=pytest.mark.long)])
async def test_every_call_answers_what_its_description_says(person: Any, hub: Any, examples: int) -> None:
    await person.sets_up()
    (one,) = await hub.connections_of("shop:7")
    text = await hub.store.write(
        lambda tx: api_tokens.add(
            tx, hub.vault, connection=one.id, name="s", rights="change", made_by="jo", now=hub.now(), expires=9e12
        )
    )
    header = {"Authorization": f"Bearer {text}"}
    operations = [found.ok() for found in (await described(person)).get_all_operations()]
    operations = [one for one in operations if one.path.startswith("/api")]
    operations.sort(key=lambda one: (one.method.upper(), one.path) == ENDS)
    assert (operations[-1].method.upper(), operations[-1].path) == ENDS
    wrong: list[str] = []
    for operation in operations:
        takes = operation.body or operation.query or operation.path_parameters
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE) if takes else (GenerationMode.POSITIVE,):
            try:
                await play(person, operation, mode, examples, header)
            except (FailureGroup, Failure) as found:
                wrong.append(f"{operation.method.upper()} {operation.path} ({mode.value}): {found}")
    assert not wrong, "\n\n".join(wrong)
