# Everything a person or CI does here. It needs Python 3.11 or newer and make; `make` alone lists it.

PYTHON ?= python3
CONFIG ?= config.toml
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
LOCK = $(BIN)/uv pip compile --quiet --no-header --generate-hashes --no-emit-index-url --universal --python-version 3.11 pyproject.toml

.DEFAULT_GOAL := help
.PHONY: help install demo run servers test check format bench lock clean

help: ## List what there is to do
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | while IFS='	' read -r target does; do printf '  make %-9s %s\n' "$$target" "$$does"; done

install: $(INSTALLED) ## Make .venv from the lock and put the project into it (PYTHON=python3.12 for another Python)

# The stamp is written last: an install that was cut short is done again.
$(INSTALLED): requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "fleetpulse needs Python 3.11 or newer: make $(or $(MAKECMDGOALS),install) PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make virtual environments here: apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@echo "Installing the locked packages into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: install ## Watch simulated fleets until Ctrl-C (ARGS="--devices 5000")
	@$(BIN)/fleetpulse demo $(ARGS)

run: install ## Run the service (CONFIG=config.toml)
	@$(BIN)/fleetpulse run --config $(CONFIG) $(ARGS)

servers:
	@.ci/servers

test: install servers ## Run the tests (ARGS="tests/fleet -x" for some of them)
	@$(BIN)/python -m pytest $(ARGS)

check: install ## Check format, lint, types and import rules, as CI does
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: install ## Format the code and mend what the linter can mend
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

bench: install ## Measure 100,000 devices beside a naive script (ARGS="--devices 20000"), then a full queue
	@$(BIN)/python -m benchmarks.bench $(ARGS)
	@$(BIN)/python -m benchmarks.full_queue

lock: install ## Write the locks anew (ARGS=--upgrade for newer versions)
	@$(LOCK) $(ARGS) -o requirements.txt
	@$(LOCK) $(ARGS) --group dev -o requirements-dev.txt

clean: ## Remove .venv and every cache
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .tools
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
