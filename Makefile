# Two commands on a machine with nothing but Python 3.11+ and make:
#   make demo    a small fleet, tailed live into a real Elasticsearch
#   make test    all tests, the real Elasticsearch included
# Each makes its own virtual environment: with uv if it is there, else with venv.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
KB := build/kb

.PHONY: demo test check lint types imports bodies generated views check-views format bench chaos mutants fuzz soak clean

demo: $(VENV)/.demo
	$(BIN)/clisvc demo

test: $(VENV)/.dev
	$(BIN)/pytest

check: lint types imports

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

# What pipelines/ sends, against the types of Elasticsearch's clients; needs Node.
bodies: $(VENV)/.dev
	$(BIN)/python -m tools.typecheck

imports: $(VENV)/.dev
	$(BIN)/lint-imports

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# What is made from what we know: the ingest pipeline, all forms of the alert rules,
# the tables of docs/knowledge.md. Tests fail when one of them is out of date.
generated: $(VENV)/.dev
	$(BIN)/python -m tools.pipeline
	$(BIN)/python -m tools.rules
	$(BIN)/python -m tools.knowledge

# The dashboards, from dashboards/views; their compiler needs Python 3.12 or newer.
views: $(VENV)/.dev $(KB)/.done
	KB_DASHBOARD=$(KB)/bin/kb-dashboard $(BIN)/python -m tools.views build

check-views: $(VENV)/.dev $(KB)/.done
	KB_DASHBOARD=$(KB)/bin/kb-dashboard $(BIN)/python -m tools.views check

$(KB)/.done: tools/views/requirements.txt
	@"$$(tools/newer_python.sh)" -m venv $(KB)
	@$(KB)/bin/python -m pip install --quiet --requirement tools/views/requirements.txt
	@touch $@

bench: $(VENV)/.dev
	$(BIN)/python bench/ship.py

# Ten minutes of kills, cuts and rotations; ARGS="--minutes 2 --seed 7" for others.
chaos: $(VENV)/.dev
	$(BIN)/python -m tests.chaos $(ARGS)

# Breaks a copy in one place at a time; each fault has to turn a test red.
mutants: $(VENV)/.dev
	$(BIN)/python -m tools.mutants

# Damaged input for everything that reads bytes it did not write.
fuzz: $(VENV)/.dev
	nice -n 19 $(BIN)/python -m tools.fuzz --inputs $(or $(INPUTS),1000000)

# The whole pipeline against a writer, a share and a server at their worst.
soak: $(VENV)/.dev
	MACHINE_EXAMPLES=$(or $(EXAMPLES),5000) nice -n 19 $(BIN)/pytest tests/machine

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist

# What is installed is written down in a stamp, so that the second time is quick.
$(VENV)/.demo: pyproject.toml
	@tools/venv.sh "$(PYTHON)" "$(VENV)" embedded
	@touch $@

$(VENV)/.dev: pyproject.toml
	@tools/venv.sh "$(PYTHON)" "$(VENV)" dev
	@touch $@ $(VENV)/.demo
