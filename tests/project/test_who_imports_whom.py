"""Imports point inwards: plugins to the SDK, the SDK to the model, the shell to the rules, and nobody to a plugin."""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

OURS = ("stellwerk", "stellwerk_rules", "stellwerk_hubspot", "stellwerk_maileon", "stellwerk_demo")
PLUGINS = ("stellwerk_hubspot", "stellwerk_maileon")
LAYERS = {
    # package of the shell: what of ours it may import besides itself
    "stellwerk.errors": (),
    "stellwerk.sdk": ("stellwerk.errors", "stellwerk_rules.model"),
    "stellwerk.registry": ("stellwerk.errors", "stellwerk.sdk"),
    "stellwerk.config": ("stellwerk.errors", "stellwerk.sdk", "stellwerk.registry", "stellwerk_rules"),
    "stellwerk.store": ("stellwerk.errors", "stellwerk_rules.model"),
    "stellwerk.relay": (
        "stellwerk.errors", "stellwerk.sdk", "stellwerk.registry", "stellwerk.config", "stellwerk.store", "stellwerk_rules",
    ),
    "stellwerk.view": (
        "stellwerk.errors", "stellwerk.sdk", "stellwerk.registry", "stellwerk.config", "stellwerk.store", "stellwerk.relay",
        "stellwerk_rules",
    ),
    "stellwerk.web": (
        "stellwerk.errors", "stellwerk.sdk", "stellwerk.registry", "stellwerk.config", "stellwerk.store", "stellwerk.relay",
        "stellwerk.view", "stellwerk_rules",
    ),
}  # fmt: skip


def folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(next(iter(spec.submodule_search_locations)))


def modules(package: str) -> Iterator[tuple[str, Path]]:
    root = folder(package)
    for path in sorted(root.rglob("*.py")):
        parts = [package, *path.relative_to(root).with_suffix("").parts]
        yield ".".join(part for part in parts if part != "__init__"), path


def imports(module: str, path: Path) -> Iterator[str]:
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parents, base] if base else parents)
            yield base


def inside(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def outside_library(name: str) -> bool:
    return name.partition(".")[0] not in sys.stdlib_module_names and not inside(name, *OURS)


def every(package: str) -> list[tuple[str, str]]:
    return [(module, name) for module, path in modules(package) for name in imports(module, path)]


def test_rules_import_msgspec_and_the_standard_library_only() -> None:
    wrong = [
        (module, name)
        for module, name in every("stellwerk_rules")
        if not inside(name, "stellwerk_rules", "msgspec") and (inside(name, *OURS) or outside_library(name))
    ]
    assert wrong == []


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_plugin_imports_the_sdk_alone(plugin: str) -> None:
    wrong = [
        (module, name)
        for module, name in every(plugin)
        if not inside(module, f"{plugin}.twin")
        and not inside(name, plugin, "stellwerk.sdk", "msgspec")
        and (inside(name, *OURS) or outside_library(name))
    ]
    assert wrong == []


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_plugin_does_not_import_its_twin_nor_the_twin_the_plugin(plugin: str) -> None:
    twin = f"{plugin}.twin"
    wrong = [
        (module, name)
        for module, name in every(plugin)
        if (inside(name, twin) and not inside(module, twin))
        or (inside(module, twin) and inside(name, *OURS) and not inside(name, twin))
    ]
    assert wrong == []


def test_nobody_imports_a_plugin_or_the_demo_by_name() -> None:
    for package in OURS:
        others = [one for one in (*PLUGINS, "stellwerk_demo") if one != package]
        wrong = [(module, name) for module, name in every(package) if inside(name, *others)]
        assert wrong == []


def test_the_demo_imports_nothing_of_the_hub() -> None:
    wrong = [
        (module, name)
        for module, name in every("stellwerk_demo")
        if inside(name, *OURS) and not inside(name, "stellwerk_demo")
    ]
    assert wrong == []


@pytest.mark.parametrize("layer", LAYERS)
def test_the_layers_of_the_hub_point_inwards(layer: str) -> None:
    wrong = [
        (module, name)
        for module, name in every("stellwerk")
        if inside(module, layer)
        and inside(name, "stellwerk", "stellwerk_rules")
        and not inside(name, layer, *LAYERS[layer])
    ]
    assert wrong == []


def test_httpx_is_imported_in_one_module_of_the_hub() -> None:
    assert {module for module, name in every("stellwerk") if inside(name, "httpx", "httpcore")} == {
        "stellwerk.sdk.http"
    }


def test_sdk_and_plugins_never_see_the_web_framework_or_the_database() -> None:
    for package in ("stellwerk", *PLUGINS):
        wrong = [
            (module, name)
            for module, name in every(package)
            if inside(module, "stellwerk.sdk", *PLUGINS)
            and ".twin" not in module
            and inside(name, "litestar", "sqlite_utils", "sqlite3")
        ]
        assert wrong == []
