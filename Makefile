# Everything runs from a virtual environment in the checkout that the first target makes by itself.
SHELL := /bin/bash
# Commands started by the hundred in tests and benchmarks must not be compiled anew each time.
unexport PYTHONDONTWRITEBYTECODE
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The environment is made anew when what it is made from changes, and only then. What the product
# alone needs is there sooner than what its tests need.
MADE_FROM := $(shell cat pyproject.toml constraints.txt | sha256sum | cut -c1-12)
STAMP := $(VENV)/.made-from-$(MADE_FROM)
PRODUCT := $(VENV)/.product-made-from-$(MADE_FROM)
# Modules are compiled when they are first imported: most of what is installed never is.
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check --no-compile --constraint constraints.txt
SERVERS := $(PYTHON) -m tests.servers.provision
PARALLEL ?= 2
PEERS ?=
DEMO_FLAGS ?=

.PHONY: help venv demo demo-prometheus test servers lint format bench clean update-constraints update-golden

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-20s %s\n", $$1, $$2}'

venv: $(STAMP)

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Headroom needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12 ...")'
	@$(PYTHON) -m venv $(VENV)

$(STAMP): pyproject.toml constraints.txt | $(BIN)/pip
	@echo "making $(VENV) (a minute or two the first time)" >&2
	@rm -rf $(VENV)/.made-from-* $(VENV)/.product-made-from-*
	@$(INSTALL) --editable '.[dev]'
	@touch $(PRODUCT) $(STAMP)

$(PRODUCT): pyproject.toml constraints.txt | $(BIN)/pip
	@echo "making $(VENV) (less than a minute the first time)" >&2
	@rm -rf $(VENV)/.made-from-* $(VENV)/.product-made-from-*
	@$(INSTALL) --editable '.[console,otel]'
	@touch $(PRODUCT)

demo: $(PRODUCT) ## an airline of six apps in the console, with thirty days of metrics, traces and logs
	@$(BIN)/headroom demo --clean $(DEMO_FLAGS)

demo-prometheus: venv ## a real Prometheus, two simulated apps, their budgets, and the gate's answers
	@$(SERVERS) --only prometheus-2.42
	@$(BIN)/python -m examples.prometheus_demo $(DEMO_FLAGS)

servers: venv ## fetch or build the real servers that the tests use (PEERS=1: the benchmarks' peers too)
	@$(SERVERS) $(if $(PEERS),--peers)

lint: venv ## style, types, import contracts, spelling
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell $$(git ls-files '*.py' '*.md' '*.toml' '*.yaml' Makefile | grep -v -e ^tests/ -e ^docs/problems/)

format: venv ## put every file into the project's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

test: venv ## lint and all the tests
	@if [ "$${HEADROOM_REQUIRE_SERVERS:-}" = 1 ]; then $(SERVERS); fi
	@$(MAKE) --no-print-directory lint
	$(BIN)/pytest -n $(PARALLEL) --dist loadgroup

bench: venv ## measure against peers and the raw engine; prints ratios
	@$(SERVERS) --peers
	$(BIN)/python -m bench

update-golden: venv ## rewrite the golden files after a change that was meant
	$(BIN)/pytest -n $(PARALLEL) --update-golden tests

update-constraints: venv ## pin the newest versions that pyproject.toml allows
	@$(BIN)/pip install --quiet --upgrade --upgrade-strategy eager --editable '.[dev]'
	@(head -1 constraints.txt; $(BIN)/pip freeze --exclude-editable) > constraints.new && mv constraints.new constraints.txt

clean: ## remove what the targets made in this checkout (the servers' cache stays)
	rm -rf $(VENV) .demo dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
