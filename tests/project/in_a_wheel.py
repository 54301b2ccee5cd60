"""Builds the wheel, installs it into an environment of its own, and runs every test against it with the sources out of reach.

Run by `make test-all`: `python tests/project/in_a_wheel.py FOLDER`. Nothing may be left out; branch coverage is required.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NEEDED = (
    "tests",
    "docs",
    "integration.yaml",
    "integration.schema.json",
    "pyproject.toml",
    "README.md",
    "CHANGELOG.md",
    "Makefile",
)
RULES_COVERAGE = 100
REST_COVERAGE = 90


def run(*command: str | Path, cwd: Path, **environment: str) -> None:
    print("$", " ".join(str(part) for part in command), flush=True)
    subprocess.run([str(part) for part in command], cwd=cwd, env={**os.environ, **environment}, check=True)


def main(room: Path) -> int:
    shutil.rmtree(room, ignore_errors=True)
    tree = room / "tree"
    tree.mkdir(parents=True)
    run(sys.executable, "-m", "build", "--wheel", "--outdir", room / "dist", ROOT, cwd=ROOT)
    (wheel,) = (room / "dist").glob("*.whl")
    venv.create(room / "venv", with_pip=True)
    python = room / "venv" / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"{wheel}[dev]", cwd=room)
    for name in NEEDED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, tree / name)
    everything = {"STELLWERK_TEST_ALL": "1", "COVERAGE_FILE": str(tree / ".coverage")}
    try:
        run(
            python,
            "-m",
            "pytest",
            "-n",
            "2",
            "--dist",
            "loadgroup",
            "-q",
            "--cov",
            "--cov-report=",
            cwd=tree,
            **everything,
        )
        report = (python, "-m", "coverage", "report", "--skip-covered", "--show-missing")
        run(*report, "--include=*/stellwerk_rules/*", f"--fail-under={RULES_COVERAGE}", cwd=tree, **everything)
        run(*report, "--omit=*/stellwerk_rules/*", f"--fail-under={REST_COVERAGE}", cwd=tree, **everything)
    except subprocess.CalledProcessError as failed:
        return failed.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))
