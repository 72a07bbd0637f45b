# Every target works on a fresh clone with nothing but make and Python 3.11+.
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

# A dozen Python processes start here: compile each module once, and keep that inside the environment.
export PYTHONDONTWRITEBYTECODE :=
export PYTHONPYCACHEPREFIX := $(CURDIR)/.venv/pycache

# The first Python of 3.11 or newer; `make PYTHON=/path/to/python3 …` overrides it.
PYTHON ?= $(firstword $(foreach p,python3 python3.14 python3.13 python3.12 python3.11,$(if $(shell \
	$(p) -c 'import sys; print(sys.version_info >= (3, 11) or "")' 2>/dev/null),$(p))) python3)
READY := .venv/.complete
BIN := .venv/bin
LOCK = $(BIN)/uv pip compile --quiet pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command 'make lock'
# Each test process starts its own Postgres, Kafka and simulator.
TEST_PROCESSES ?= 3
SOURCES := bootstrap.py fleet schemas services hobbs console tests deploy bench
present = $(wildcard $(SOURCES))

.PHONY: help demo up test crash chaos season mutants bench soak check format lint types contracts schemas services secrets bill-of-materials lock sbom advisories pin-images pictures clean bootstrap

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  \1\t/' | expand -t 14

bootstrap: $(READY)  ## Make .venv from the pinned requirements (every other target does it by itself)

$(READY): requirements-dev.txt bootstrap.py
	@$(if $(shell command -v $(PYTHON)),,$(error Hobbs needs Python 3.11 or newer on the PATH))
	@$(PYTHON) bootstrap.py

demo: $(READY)  ## Bill and pay 98 real flights on a throw-away Postgres, Kafka and Stripe simulator
	@$(BIN)/hobbs demo

up: $(READY)  ## The same fleet kept running, its data in .hobbs/, until Ctrl-C
	@$(BIN)/hobbs up

test: $(READY)  ## All tests: unit, integration, contract, system, architecture
	@$(BIN)/pytest -n $(TEST_PROCESSES) --dist loadfile

crash: $(READY)  ## Kill workers at every named point and ask every invariant (SEEDS=3, SEED=n)
	@$(BIN)/python -m tests.crash

chaos: $(READY)  ## Everything misbehaves at once, from a seed (SEED=n runs it again, SEEDS=n several)
	@$(BIN)/python -m tests.chaos

season: $(READY)  ## Weeks of students' accounts beside an independent calculation (SEED=n again, SEEDS=n several)
	@$(BIN)/python -m tests.season

mutants: $(READY)  ## Break the promise in small patches and see the suite catch each (NAMES="…" for some)
	@$(BIN)/python -m tests.mutants $(NAMES)

bench: $(READY)  ## Measure speed, each figure beside its limit (NAMES="posting growth" for some of it)
	@$(BIN)/python -m bench $(NAMES)

soak: $(READY)  ## An hour of traffic: memory and tables must not grow (MINUTES=60)
	@$(BIN)/python -m bench.soak

check: lint types contracts gate bill-of-materials  ## Format, lint, types, import contracts, event compatibility, licences

lint: $(READY)
	@$(BIN)/ruff format --check $(present)
	@$(BIN)/ruff check $(present)
	@$(BIN)/hadolint deploy/Dockerfile

types: $(READY)
	@$(BIN)/mypy $(present)

contracts: $(READY)
	@$(BIN)/lint-imports --no-cache

gate: $(READY)
	@$(BIN)/python -m schemas.gate

bill-of-materials: $(READY)
	@$(BIN)/python deploy/sbom.py --check

format: $(READY)  ## Rewrite the sources to the house format
	@$(BIN)/ruff format $(present)
	@$(BIN)/ruff check --fix $(present)

schemas: $(READY)  ## Write schemas/generated/ from the event models, schema.sql from the migrations, Kafka's rights
	@$(BIN)/python -m schemas.generate
	@$(BIN)/python -m hobbs.local.schema_files
	@$(BIN)/python -m hobbs kafka acls --prefix "" > deploy/kafka/acls.sh

services:  ## Write services that are new in schemas/services.py into docker-compose.yml and deploy/prometheus
	@$(PYTHON) deploy/write_services.py

secrets:  ## Make the secrets of a docker compose installation in deploy/secrets (keeps what is there)
	@$(PYTHON) deploy/make_secrets.py

lock: $(READY)  ## Pin what pyproject.toml asks for, with hashes
	@$(LOCK) --all-extras --output-file requirements-dev.txt
	@$(LOCK) --constraint requirements-dev.txt --output-file requirements.txt

sbom: $(READY)  ## Write deploy/sbom.cdx.json (CycloneDX) from the pins, and refuse licences we may not ship
	@$(BIN)/python deploy/sbom.py

advisories:  ## Ask an advisory service about the pins (exit 3 inside make: nobody could be asked)
	@$(PYTHON) deploy/advisories.py

pin-images:  ## Write the digest of each image of others that this machine pulled behind its tag
	@$(PYTHON) deploy/pin_images.py

pictures: $(READY)  ## Take the pictures of README.md and console/README.md anew (needs Chromium)
	@$(BIN)/pytest -q -p no:cacheprovider tests/system/console/pictures.py

clean:  ## Remove the environment, caches and the data of `make up`
	@rm -rf .venv .hobbs build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
