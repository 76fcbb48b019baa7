# Works from a clean clone with python3 (3.11 or newer), make and PyPI. Everything lands in .venv and .shop.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
BIN := .venv/bin
UV_VERSION := 0.13.9
UV = $$(command -v uv || echo $(BIN)/uv)

# The environment is up to date when this file exists: its name changes with what has to be installed.
READY := .venv/.ready-$(shell cat requirements/dev.txt pyproject.toml | cksum | cut -d' ' -f1)

.PHONY: help run test browser check lint types contract migrations openapi compose demo docs attack chaos fuzz bench bench-quick profile format requirements clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  \033[36mmake %-13s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Emporium needs Python 3.11 or newer. Name one: make PYTHON=/path/to/python3 ..."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || command -v uv >/dev/null || { \
	  echo "Python's venv module is missing. Install it (Debian, Ubuntu: apt install python3-venv) and try again."; \
	  exit 1; }
	@rm -f .venv/.ready-*
	@test -x $(BIN)/python || \
	  if command -v uv >/dev/null; then uv venv --quiet --python $(PYTHON) .venv; else $(PYTHON) -m venv .venv; fi
	@command -v uv >/dev/null || test -x $(BIN)/uv || \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	VIRTUAL_ENV=.venv $(UV) pip install --require-hashes --requirements requirements/dev.txt
	VIRTUAL_ENV=.venv $(UV) pip install --no-deps --editable .
	@touch $@

run: $(READY) ## Run the whole shop on http://localhost:8000 (Ctrl-C stops it)
	@exec $(BIN)/shop dev

# Each process has servers of its own. On shared ones (TEST_DATABASE_URL, TEST_REDIS_URL) it must be 0.
TEST_PROCESSES ?= 2
test: $(READY) ## Run the tests, on a PostgreSQL and a Valkey of their own
	$(BIN)/pytest --ignore=tests/browser --numprocesses $(TEST_PROCESSES) --dist loadfile

browser: $(READY) ## Buy something in Swagger UI with a headless Chromium
	$(BIN)/pytest tests/browser

check: lint types contract migrations openapi compose ## Everything that is not a test: style, types, schema, contracts

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(READY)
	$(BIN)/mypy

contract: $(READY)
	$(BIN)/lint-imports

migrations: $(READY)
	$(BIN)/python -m scripts.check_migrations

openapi: $(READY)
	$(BIN)/python -m scripts.check_openapi

compose: $(READY)
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@if docker compose version >/dev/null 2>&1; then docker compose config --quiet; fi

demo: $(READY) ## Go through a purchase step by step, against the running shop
	@$(BIN)/python -m scripts.demo

docs: $(READY) ## Check that the documentation's links, paths and variables exist
	$(BIN)/python -m scripts.check_docs

# SHOP_URL=http://localhost:8000 (and SANDBOX_URL) attacks that demo shop; FAMILY="tokens wire" chooses some.
attack: $(READY) ## Try what an attacker would, against a shop of its own; fails when something gets through
	@$(BIN)/python -m scripts.attack $(addprefix --only ,$(FAMILY))

# ROUNDS=5 of each fault instead of 20; FAULT="redis kill9" chooses those that begin so.
chaos: $(READY) ## Break a shop of its own in every way it is to survive; fails when a customer pays for it
	@$(BIN)/python -m scripts.chaos $(addprefix --only ,$(FAULT)) $(addprefix --rounds ,$(ROUNDS))

# WHO="customer admin" chooses some; FUZZ="--seconds 600 --seed 2" and others: .venv/bin/python -m scripts.fuzz --help
fuzz: $(READY) ## Send whatever the API describes, and what it does not, to a shop of its own (ten minutes)
	@$(BIN)/python -m scripts.fuzz $(addprefix --only ,$(WHO)) $(FUZZ)

# SCENARIO="cached_list signin" chooses some; BENCH="--rounds 9" and others: .venv/bin/python -m bench run --help
bench: $(READY) ## Measure the service against its floors; writes bench/results.md (SCENARIO="..." chooses)
	$(BIN)/python -m bench run $(addprefix --only ,$(SCENARIO)) $(BENCH)

bench-quick: $(READY) ## The same in under two minutes: a small catalogue, short rounds, nothing written
	$(BIN)/python -m bench run --products 2000 --rounds 1 --seconds 0.6 --memory-requests 30000 --no-save \
	  $(addprefix --only ,$(SCENARIO)) $(BENCH)

profile: $(READY) ## Record where the service spends its time, as a flame graph (SCENARIO=uncached_list)
	$(BIN)/python -m bench profile $(or $(SCENARIO),$(error Name one: make profile SCENARIO=uncached_list)) $(BENCH)

format: $(READY) ## Format the code and sort the imports
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/python -m scripts.check_openapi --write

COMPILE = $(UV) pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --generate-hashes
requirements: $(READY) ## Pin the newest allowed versions of all dependencies
	$(COMPILE) --upgrade pyproject.toml -o requirements/base.txt
	$(COMPILE) --upgrade pyproject.toml --group dev -c requirements/base.txt -o requirements/dev.txt

clean: ## Delete the development shop's data and all caches
	@if [ -L .shop/postgres ]; then rm -rf "$$(readlink -f .shop/postgres)"; fi
	rm -rf .shop .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find app worker sandbox migrations scripts bench tests -name __pycache__ -prune -exec rm -rf {} +
