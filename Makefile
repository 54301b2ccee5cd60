# Every command of the project. The two a stranger needs: make demo, make test.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WHEEL_ROOM := .wheel-room

# Planted faults that every run tries; `make mutants` tries all of them and takes about half an hour.
ONE_OF_EACH_LAW := law-1-an-older-yes law-2-nobody-need-agree law-3-an-unknown-outcome law-4-plus-follows \
  law-5-the-stage-is-not-compared law-8-an-event-forgets law-9-payloads

# Simulated histories that CI plays, of four kinds: as first drawn, with what was thought of later, with trouble everywhere, with all. They take about two minutes on two idle cores.
SIMULATED := --seeds 300
SIMULATED_LATER := --first 10001 --seeds 200
SIMULATED_LATEST := --first 20315 --seeds 85
SIMULATED_UNLINKED := --first 40001 --seeds 80

SIMULATION = PYTHONPATH=tests/toys $(BIN)/python -m stellwerk_simulation

.PHONY: demo test test-all check format crash simulate bench screenshots mutants mutation clean

demo: $(VENV)/.ready  ## hub and both twins on free loopback ports; prints what to open
	@$(BIN)/stellwerk demo

test: $(VENV)/.ready-dev  ## everything this machine can run; lists what it left out and why
	@$(BIN)/pytest -n 2 --dist loadgroup -q

test-all: $(VENV)/.ready-dev check  ## what CI runs: nothing may be skipped, and the built wheel is what is tested
	@$(BIN)/python tests/project/in_a_wheel.py $(WHEEL_ROOM)
	@$(BIN)/python tests/mutants/run.py $(ONE_OF_EACH_LAW)
	@$(SIMULATION) $(SIMULATED)
	@$(SIMULATION) $(SIMULATED_LATER)
	@$(SIMULATION) $(SIMULATED_LATEST)
	@$(SIMULATION) $(SIMULATED_UNLINKED)

check: $(VENV)/.ready-dev  ## format, lint, types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

format: $(VENV)/.ready-dev
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

crash: $(VENV)/.ready-dev  ## kill -9 at every commit and every call, and what is lost or doubled; about half an hour
	@PYTHONPATH=tests/toys $(BIN)/python -m stellwerk_crash $(CRASH)

simulate: $(VENV)/.ready-dev  ## SEEDS=N drawn histories over both twins, from FIRST on; SEED=n one again, shrunk when it fails
	@$(SIMULATION) $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),100) --first $(or $(FIRST),21001))

screenshots: $(VENV)/.ready-dev  ## docs/images/ anew, with Debian's chromium against the demo
	@$(BIN)/python tests/docs/pictures.py

bench: $(VENV)/.ready-dev  ## every aim of speed beside peers, into docs/performance.md; BENCH=name for one line, SCALE=0.1 for a quick look
	@PYTHONPATH=tests/toys $(BIN)/python -m stellwerk_bench $(BENCH) --scale $(or $(SCALE),1)

mutants: $(VENV)/.ready-dev  ## planted faults: each must turn the property suite red
	@$(BIN)/python tests/mutants/run.py

mutation: $(VENV)/.ready-dev  ## mutation testing of rules/; takes a while
	@$(BIN)/python tests/project/mutation.py

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Stellwerk needs Python 3.11 or newer; $(PYTHON) is older. Say which one: make PYTHON=python3.12 …"; exit 2; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "$(PYTHON) has no venv module. On Debian: apt-get install python3-venv"; exit 2; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.ready: pyproject.toml | $(VENV)/bin/python
	@echo "installing Stellwerk into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.ready-dev: pyproject.toml | $(VENV)/bin/python
	@echo "installing Stellwerk and its development tools into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(VENV)/.ready

clean:
	rm -rf $(VENV) $(WHEEL_ROOM) .bench-peers dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
