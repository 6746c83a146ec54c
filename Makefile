# Every target sets up what it needs; nothing but python3 (3.11 or newer) and make is presumed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
EXIT ?=
WORKERS ?= 3
N ?= 100
FAULTS ?= 42

.DEFAULT_GOAL := help
.PHONY: help setup demo up test check bench chaos lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## make .venv from requirements.lock

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Evergreen needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(READY) ## the main job on the embedded stack, a year in a minute (EXIT=1: end by itself)
	$(BIN)/python starter.py demo $(if $(EXIT),--exit)

up: $(READY) ## the embedded stack, kept up until Ctrl-C
	$(BIN)/python starter.py up

test: $(READY) ## all tests, on real servers (and in Chromium, which .ci/chromium installs)
	.ci/chromium
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadscope

check: $(READY) ## lint, types, architecture, docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/architecture

bench: $(READY) ## measure, each figure beside its floor in the same run
	$(BIN)/python -m benchmarks

chaos: $(READY) ## a year with faults from a seed, and an independent checker (SEED=7 N=200 FAULTS=42, RESUME=folder)
	$(BIN)/python -m chaos $(if $(RESUME),--resume $(RESUME),$(if $(SEED),--seed $(SEED)) --subscriptions $(N) --faults $(FAULTS))

lock: $(READY) ## renew the two locks from pyproject.toml: all of it, and what runs in the image
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-annotate --no-header --upgrade --output-file requirements.lock
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-annotate --no-header --constraint requirements.lock --output-file requirements-runtime.lock

clean: ## forget the virtual environment and the embedded stack's data
	rm -rf $(VENV) .evergreen
