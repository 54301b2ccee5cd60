"""Every YAML and Python block of README and docs is what it says: it loads, and its tests pass."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from stellwerk.config.load import Loaded, load_bytes, ruleset
from stellwerk.config.verdict import judge
from stellwerk.registry import Registry
from stellwerk_rules.plan import compile_plan


def spliced(sample: str, fragment: str) -> str:
    """The sample with a fragment put in: mappings are merged, lists are appended to."""
    yaml = YAML()
    whole, part = yaml.load(sample), yaml.load(fragment)
    written = StringIO()
    yaml.dump(put_in(whole, part), written)
    return written.getvalue()


def put_in(whole: Any, part: Any) -> Any:
    if isinstance(whole, dict) and isinstance(part, dict):
        for key, value in part.items():
            whole[key] = put_in(whole[key], value) if key in whole else value
        return whole
    return [*whole, *part] if isinstance(whole, list) and isinstance(part, list) else part


def loaded(block: Any, root: Path, registry: Registry) -> Loaded:
    """A block with `version:` is a whole file; any other is a fragment of the sample."""
    whole = block.text.startswith("version:")
    text = block.text if whole else spliced((root / "integration.yaml").read_text("utf-8"), block.text)
    return load_bytes(text.encode(), None, registry)


def test_each_integration_file_that_is_shown_loads(yaml_block: Any, root: Path, registry: Registry) -> None:
    found = loaded(yaml_block, root, registry)
    assert [str(problem) for problem in found.errors] == []


def test_the_tests_of_each_file_that_is_shown_pass(yaml_block: Any, root: Path, registry: Registry) -> None:
    found = loaded(yaml_block, root, registry)
    assert found.integration is not None
    plan = compile_plan(ruleset(found))
    verdicts = [judge(plan, trial, 1) for trial in found.integration.tests]
    assert [verdict.name for verdict in verdicts if not verdict.good] == []


def test_a_fragment_that_is_wrong_does_not_load(root: Path, registry: Registry) -> None:
    sample = (root / "integration.yaml").read_text("utf-8")
    found = load_bytes(spliced(sample, "limits: {wishes_valid_days: 3}").encode(), None, registry)
    assert [problem.code for problem in found.errors] == ["unknown-key"]


def test_each_python_block_compiles_and_is_a_file_of_the_example(python_block: Any) -> None:
    compile(python_block.text, str(python_block), "exec", dont_inherit=True)
    assert python_block.title.endswith(".py")
