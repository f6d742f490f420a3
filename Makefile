# make setup   a .venv with the program in it (.venv/bin/debrief), and nothing else
# make demo    a whole incident review in a sandbox, no Slack needed
# make test    linters, types, layers and every test
# Needs git, make, and Python 3.11 or newer. Everything is fetched from the package registry, checked by hash.

SHELL := /bin/sh
.DEFAULT_GOAL := setup
.DELETE_ON_ERROR:

export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1

BIN := .venv/bin
TOOLS := .venv/.tools
UV := $(TOOLS)/bin/uv
# uv is told where pip would look, to trust whom this machine trusts, and where to keep its cache when there is no home directory to keep it in.
INDEX = $(or $(UV_DEFAULT_INDEX),$(PIP_INDEX_URL),$(shell python3 -m pip config get global.index-url 2>/dev/null))
HOMELESS := $(if $(UV_CACHE_DIR),,$(shell test -n "$$HOME" && mkdir -p "$$HOME/.cache/uv" 2>/dev/null || echo yes))
UV_ENV = UV_PYTHON_DOWNLOADS=never UV_HTTP_TIMEOUT=180 UV_LINK_MODE=copy UV_SYSTEM_CERTS=1 \
         $(if $(INDEX),UV_DEFAULT_INDEX="$(INDEX)") $(if $(HOMELESS),UV_CACHE_DIR="$(CURDIR)/.venv/.cache")
SYNC = $(UV_ENV) $(UV) pip sync --quiet --python $(BIN)/python --require-hashes
EDITABLE = $(UV_ENV) $(UV) pip install --quiet --python $(BIN)/python --no-deps \
           --build-constraints requirements/build.txt --editable .
# Many tests wait for something: as many at a time as there are processors, up to four.
WORKERS = -n auto --maxprocesses 4 --dist worksteal --timeout 300
LOCK = $(UV_ENV) $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
        --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

.PHONY: setup demo test lint format bench torture lock clean

setup: .venv/.setup

demo: .venv/.setup
	@$(BIN)/debrief demo

# The tests run even when a linter objects; both must pass.
test: .venv/.tested-with
	@$(MAKE) --no-print-directory lint; linted=$$?; $(UV_ENV) $(BIN)/python -m pytest $(WORKERS); tested=$$?; \
	[ $$linted -eq 0 ] || echo "The linters object; what they say is above the tests."; \
	[ $$linted -eq 0 ] && [ $$tested -eq 0 ]

lint: .venv/.tested-with
	@status=0; \
	$(BIN)/ruff check --quiet || status=1; \
	$(BIN)/ruff format --check || status=1; \
	$(BIN)/pyright || status=1; \
	$(BIN)/lint-imports --no-logo --no-cache || status=1; \
	exit $$status

format: .venv/.tested-with
	@$(BIN)/ruff check --quiet --fix
	@$(BIN)/ruff format --quiet

bench: .venv/.tested-with
	@$(BIN)/python -m benchmarks

torture: .venv/.tested-with
	@$(BIN)/python -m pytest -m torture; status=$$?; \
	if [ $$status -eq 5 ]; then echo "There are no torture tests yet."; status=0; fi; exit $$status

# Ask for newer versions with: make lock UPGRADE=--upgrade
lock: $(UV)
	@$(LOCK) $(UPGRADE) pyproject.toml -o requirements/run.txt
	@$(LOCK) $(UPGRADE) pyproject.toml --extra test -c requirements/run.txt -o requirements/test.txt
	@echo "hatchling>=1.27" | $(LOCK) - -c requirements/test.txt -o requirements/build.txt
	@sed -n 's/^\(uv==[0-9.]*\).*/\1/p' requirements/uv.txt | $(LOCK) - -o requirements/uv.txt

clean:
	@rm -rf .venv build dist .pytest_cache .ruff_cache .hypothesis

# What is installed, remembered by a stamp: a second `make` has nothing to do.

.venv/.setup: $(UV) requirements/run.txt requirements/build.txt pyproject.toml
	@$(SYNC) requirements/$$(test -e .venv/.tested-with && echo test || echo run).txt
	@$(EDITABLE)
	@touch $@

.venv/.tested-with: .venv/.setup requirements/test.txt
	@$(SYNC) requirements/test.txt
	@$(EDITABLE)
	@touch $@

$(UV): requirements/uv.txt .ci/bootstrap
	@$(UV_ENV) sh .ci/bootstrap
