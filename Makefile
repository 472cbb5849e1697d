# Everything a developer types; `make help` lists it. Needs make and Python 3.11 to 3.14, nothing else.
# ARGS is handed on: `make up ARGS=--demo`, `make test ARGS="-k spool"`, `make lock ARGS=--upgrade`.

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
BIN := .venv/bin
PARALLEL := -n 2 --dist loadfile --no-loadscope-reorder
INSTALLED := .venv/.installed

# The newest Python here that is new enough and can make a virtual environment.
FITS := import sys, ensurepip, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))
PYTHON ?= $(shell for python in python3.14 python3.13 python3.12 python3.11 python3; do \
	$$python -c '$(FITS)' 2>/dev/null && { echo $$python; break; }; done)

.PHONY: help install up demo stack test test-fast faults bench lint format lock audit

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(INSTALLED) ## make .venv with everything in it, from requirements.lock
	@echo "installed: $(BIN)/slmtrail"

up: $(INSTALLED) ## start the whole pipeline and its web page in one process
	@$(BIN)/slmtrail up $(ARGS)

demo: $(INSTALLED) ## the same, with a few minutes of believable traffic
	@$(BIN)/slmtrail up --demo $(ARGS)

stack: ## start it on Kafka and Elasticsearch, with dashboards, before a model that echoes (needs Docker)
	docker compose up --build --wait $(ARGS)

test: $(INSTALLED) ## run every test this machine can run, and say what was skipped and why
	$(BIN)/pytest $(PARALLEL) $(ARGS)

test-fast: $(INSTALLED) ## run the tests that need no server and no browser
	$(BIN)/pytest tests/unit tests/contract tests/security $(PARALLEL) -m "not servers and not browser and not slow" $(ARGS)

faults: SEED ?= $(shell date +%s)
faults: $(INSTALLED) ## kill, cut off, fill up and flood, and count what is left (SEED=…: the same again)
	SLMTRAIL_FAULT_SEED=$(SEED) SLMTRAIL_FAULT_ROUNDS=$${SLMTRAIL_FAULT_ROUNDS:-30} LOAD_REQUESTS=200000 \
		$(BIN)/pytest tests/faults tests/integration/test_sidecar_load.py -rP $(ARGS)

bench: $(INSTALLED) ## measure what is claimed about speed, and write bench/RESULTS.md (ARGS=--quick: in minutes)
	$(BIN)/python bench/results.py $(ARGS)

lint: $(INSTALLED) ## check style, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

audit: $(INSTALLED) ## look at licences, and at what is known against the locked versions (exit code 75: can't be reached)
	@$(BIN)/python deploy/audit.py $(ARGS)

format: $(INSTALLED) ## put the code in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(INSTALLED) ## pin what pyproject.toml asks for, for every Python and platform (ARGS=--upgrade: the newest)
	$(BIN)/uv pip compile pyproject.toml --extra test --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --custom-compile-command "make lock" --quiet --output-file requirements.lock $(ARGS)

# The stamp holds the folder it was made in, because a virtual environment works nowhere else. An
# environment without a good one is made anew: an interrupted pip leaves packages that only look whole.
ifneq ($(shell cat $(INSTALLED) 2>/dev/null),$(CURDIR))
.PHONY: $(INSTALLED)
endif
$(INSTALLED): requirements.lock pyproject.toml
	@$(or $(PYTHON),false) -c '$(FITS)' || { echo "make: no Python 3.11 to 3.14 with its venv module: install \
	one (Debian: python3-venv) or name it with PYTHON=" >&2; exit 1; }
	@grep -qxF '$(CURDIR)' $@ 2>/dev/null || $(PYTHON) -m venv --clear .venv
	@rm -f $@
	@$(BIN)/python -m pip install --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@echo '$(CURDIR)' > $@
