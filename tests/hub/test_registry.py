"""Connectors are found each alone; what cannot be used is named and hurts nobody else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, ClassVar

import pytest

from stellwerk.registry import GROUP, Registry, has, load_connectors, lookup_entry_points, missing_names
from stellwerk.sdk import Asker, Connector, OAuth, Reader, Reporter, Settings, Target, Twin

GOOD = """
from typing import ClassVar
from stellwerk.sdk import Settings, hookimpl

class Toy:
    name: ClassVar[str] = "{name}"
    system_type = Settings
    account_type = Settings
    rate = (1, 1.0)
    @classmethod
    def open(cls, system, account, services, /): ...
    async def check(self): ...

@hookimpl
def stellwerk_connector():
    return {answer}
"""

Install = Callable[..., EntryPoint]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Writes a plugin's module and gives its entry point."""
    monkeypatch.syspath_prepend(tmp_path)
    made: list[str] = []

    def write(name: str, source: str) -> EntryPoint:
        module = f"toy_plugin_{len(made)}"
        made.append(module)
        (tmp_path / f"{module}.py").write_text(source)
        return EntryPoint(name=name, value=module, group=GROUP)

    yield write
    for module in made:
        sys.modules.pop(module, None)


def good(name: str = "toy", answer: str = "Toy") -> str:
    return GOOD.format(name=name, answer=answer)


def codes(registry: Registry) -> list[tuple[str, str]]:
    return [(problem.name, problem.code) for problem in registry.problems]


def test_a_good_plugin_is_found_under_its_name(install: Install) -> None:
    registry = load_connectors([install("toy", good())])
    assert list(registry.connectors) == ["toy"]
    assert registry.problems == ()


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("import not_there_at_all", "import-failed"),
        ("raise SystemExit(3)", "import-failed"),
        ("this is no python", "import-failed"),
        (good().replace("def stellwerk_connector", "def stellwerk_conector"), "unknown-hook"),
        (good().replace("def stellwerk_connector()", "def stellwerk_connector(nonsense)"), "unknown-hook"),
        (good().replace("@hookimpl\n", ""), "no-connector"),
        (good(answer="None"), "no-connector"),
        (good(answer="Toy()"), "no-connector"),
        (good(answer="1 / 0"), "hook-failed"),
        (good().replace("async def check(self): ...", ""), "wrong-protocol"),
        (good().replace("rate = (1, 1.0)", ""), "wrong-protocol"),
        (good().replace("system_type = Settings", "system_type = dict"), "wrong-protocol"),
        (good(name="another"), "wrong-name"),
    ],
)
def test_a_bad_plugin_is_named_and_the_good_one_beside_it_loads(install: Install, source: str, code: str) -> None:
    registry = load_connectors([install("toy", source), install("fine", good(name="fine"))])
    assert codes(registry) == [("toy", code)]
    assert list(registry.connectors) == ["fine"]


def test_of_two_plugins_with_one_name_the_second_is_named(install: Install) -> None:
    registry = load_connectors([install("toy", good()), install("toy", good())])
    assert codes(registry) == [("toy", "name-taken")]
    assert registry.connectors["toy"].__module__ == "toy_plugin_0"


def test_a_problem_names_the_plugin_its_distribution_and_the_reason(install: Install) -> None:
    (problem,) = load_connectors([install("toy", "import not_there_at_all")]).problems
    assert str(problem) == (
        "toy (unknown): cannot be imported: ModuleNotFoundError: No module named 'not_there_at_all' [import-failed]"
    )


def test_nobody_can_take_a_name_of_the_hubs_own_distribution(monkeypatch: pytest.MonkeyPatch) -> None:
    class Dist:
        def __init__(self, name: str) -> None:
            self.name = name

    class Point:
        def __init__(self, name: str, dist: str) -> None:
            self.name, self.dist = name, Dist(dist)

    points = [Point("x", "aaa"), Point("x", "stellwerk"), Point("b", "zzz")]
    monkeypatch.setattr("stellwerk.registry.entry_points", lambda group: points)
    assert [point.dist.name for point in lookup_entry_points() if point.dist] == ["stellwerk", "aaa", "zzz"]


def test_the_bundled_connectors_are_found_like_any_other() -> None:
    registry = load_connectors()
    assert {"hubspot", "maileon"} <= set(registry.connectors)
    assert registry.problems == ()


# --- abilities ----------------------------------------------------------------------------------------------------------


class Half:
    batch_sizes: ClassVar[dict[str, int]] = {}

    async def apply(self, deliveries: Any, /) -> Any: ...


def test_an_ability_needs_every_name_of_its_protocol() -> None:
    assert not has(Half, Target)
    assert missing_names(Half, Target) == ("find_mark", "marked")


def test_class_variables_of_a_protocol_count_as_names() -> None:
    asker = type("A", (), {"ask_type": object, "ask_plus": False})
    assert has(asker, Asker)
    assert not has(type("A", (), {"ask_type": object}), Asker)
    assert has(type("T", (), {"twin_module": "x"}), Twin)


def test_what_a_protocol_declares_for_instances_is_not_asked_of_the_class() -> None:
    assert has(type("R", (), {"poll": lambda self, cursor: None}), Reporter)


def test_class_methods_count_as_names() -> None:
    names = {name: classmethod(lambda cls: None) for name in ("authorize_url", "exchange", "refresh")}
    assert has(type("O", (), names), OAuth)
    assert not has(type("O", (), {}), OAuth)


def test_a_name_set_to_none_is_an_ability_taken_back() -> None:
    assert not has(type("N", (), {"read": None}), Reader)


def test_every_bundled_connector_is_a_connector() -> None:
    for connector in load_connectors().connectors.values():
        assert has(connector, Connector)
        assert issubclass(connector.system_type, Settings)
