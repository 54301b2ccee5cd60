"""Whatever stands in the file: it loads, or has problems with a place inside the file. Never a traceback."""

from __future__ import annotations

import io
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from stellwerk.config.load import Loaded, load_bytes, ruleset
from stellwerk.config.tree import read_tree
from stellwerk.config.verdict import judge
from stellwerk.registry import Registry
from stellwerk_rules.plan import compile_plan

scalars = (
    st.none() | st.booleans() | st.integers(-5, 10**20) | st.floats(allow_nan=False) | st.text(max_size=8)
    | st.sampled_from(["settings.ask", "settings.nope", "shop", "post", "env:KEY", "env:", "file:x", "yes", "all", "{brand}", "a" * 300])
)  # fmt: skip
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def spots(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [spot for key, part in inside for spot in ((*path, key), *spots(part, (*path, key)))]


def mutated(tree: Any, path: tuple[str | int, ...], draw: Any) -> None:
    """One mutation of what stands at `path`: dropped, renamed, of another value, or a neighbour's."""
    holder = tree
    for step in path[:-1]:
        holder = holder[step]
    last = path[-1]
    kind = draw(st.sampled_from(["drop", "rename", "replace", "borrow"]))
    event(kind)
    if kind == "drop":
        del holder[last]
    elif kind == "rename" and isinstance(holder, dict):
        holder[draw(st.text(max_size=5) | st.sampled_from(["id", "kind", "names", "shop", "with", "any"]))] = (
            holder.pop(last)
        )
    elif kind == "borrow":
        other = tree
        for step in draw(st.sampled_from(spots(tree))):
            other = other[step]
        # A copy, since one list in two places would be written as an alias.
        holder[last] = read_tree(written(other), "f").value
    else:
        holder[last] = draw(values)


def written(tree: Any) -> bytes:
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.representer.ignore_aliases = lambda _: True
    stream = io.BytesIO()
    yaml.dump(tree, stream)
    return stream.getvalue()


def is_sound(loaded: Loaded, text: bytes) -> None:
    lines = text.decode("utf-8", "replace").count("\n") + 1
    errors = loaded.errors
    assert (loaded.integration is None) == bool(errors)
    for problem in loaded.problems:
        assert 1 <= problem.line <= lines
        assert problem.column >= 1
        assert problem.what
        assert str(problem)
    if loaded.integration is not None:
        # A file without an error also serves: the rules take it, and its tests can be played.
        plan = compile_plan(ruleset(loaded))
        for trial in loaded.integration.tests:
            assert judge(plan, trial, 1).name == trial.name
    event("loads" if loaded.integration is not None else "has problems")


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_mutated_file_loads_or_says_where_it_is_wrong(
    data: st.DataObject, toys: Registry, toy_file: str, environ: dict[str, str]
) -> None:
    tree = read_tree(toy_file.encode(), "f").value
    for _ in range(data.draw(st.integers(1, 3))):
        paths = spots(tree)
        if paths:
            mutated(tree, data.draw(st.sampled_from(paths)), data.draw)
    text = written(tree)
    is_sound(load_bytes(text, environ, toys), text)


@settings(max_examples=100, deadline=None)
@given(keys=st.dictionaries(st.sampled_from(["version", "title", "hub", "systems", "login", "provide", "settings", "fields", "rules", "mirror", "limits", "keep", "connections", "tests"]), values))  # fmt: skip
def test_parts_of_any_shape_load_or_say_where_they_are_wrong(
    keys: dict[str, Any], toys: Registry, environ: dict[str, str]
) -> None:
    text = written(keys)
    is_sound(load_bytes(text, environ, toys), text)


@settings(max_examples=200, deadline=None)
@given(text=st.binary(max_size=80))
def test_any_bytes_load_or_say_where_they_are_wrong(text: bytes, toys: Registry, environ: dict[str, str]) -> None:
    loaded = load_bytes(text, environ, toys)
    assert loaded.integration is None
    is_sound(loaded, text)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_file_cut_or_with_a_piece_of_text_put_in_says_where_it_is_wrong(
    data: st.DataObject, toys: Registry, toy_file: str, environ: dict[str, str]
) -> None:
    start = data.draw(st.integers(0, len(toy_file)))
    end = data.draw(st.integers(start, min(len(toy_file), start + 40)))
    text = (toy_file[:start] + data.draw(st.text(alphabet=" \n\t{}[]:,'\"&*!x-", max_size=6)) + toy_file[end:]).encode()
    is_sound(load_bytes(text, environ, toys), text)
