# Everything a developer or CI does, as one word each. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help

# A pyenv shim answers `command -v uv` even where no uv is behind it, so uv is asked for its version.
UV := $(shell uv --version >/dev/null 2>&1 && echo uv || echo .local/tools/bin/uv)
PYTHON := .venv/bin/python
ARGS ?=
# Without bytecode every process of a test compiles everything anew: ten seconds at each start.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo up audit doctor azure bench bench-quick campaign crash test test-fast check lint format types contracts lock cli browser infra-check clean audit-deps fuzz docs coverage mutants

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

setup: .venv/.ready node_modules/.ready ## install Python packages and Azurite into this folder

.local/tools/bin/uv: requirements-tools.txt
	python3 -m venv .local/tools
	.local/tools/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-tools.txt
	touch $@

.venv/.ready: requirements-dev.txt .python-version $(filter .local/%,$(UV))
	$(UV) venv --quiet --clear --python "$$(cat .python-version)" .venv
	$(UV) pip sync --quiet --compile-bytecode --require-hashes --python $(PYTHON) requirements-dev.txt
	touch $@

node_modules/.ready: package-lock.json
	npm ci --no-audit --no-fund --loglevel=error
	touch $@

demo: setup ## create a registry in a simulated Azure and watch it become isolated (ARGS=--json for one line)
	@$(PYTHON) -m local.demo $(ARGS)

up: setup ## keep the simulated Azure and the Functions host running, and print their URLs
	@$(PYTHON) -m local.up $(ARGS)

audit: .venv/.ready ## say where your registries stand, with your own `az login`, read-only (ARGS='--policy FILE --format sarif')
	@$(PYTHON) -m local audit $(ARGS)

doctor: .venv/.ready ## say what the policy needs of Azure and does not find, and what to run (ARGS='--policy FILE')
	@$(PYTHON) -m local doctor $(ARGS)

azure: .venv/.ready ## run only the simulated Azure (ARGS='--seed FILE --port N')
	@$(PYTHON) -m local.simulator $(ARGS)

bench: setup cli ## measure the app beside its limit and its alternatives, ten minutes (ARGS='--output FILE.md')
	@$(PYTHON) -m bench $(ARGS)

bench-quick: setup ## the same in a minute, without the Azure CLI
	@$(PYTHON) -m bench --quick $(ARGS)

campaign: .venv/.ready ## let everything go wrong at every call, in virtual time (ARGS='--runs N --seed S --only KIND --jobs J')
	@$(PYTHON) -m local.campaign --runs 2000 --jobs 2 $(ARGS)

crash: setup ## kill the host at every step of the path, and see it finish all the same (ARGS='--points 1-20 --jobs J')
	@$(PYTHON) -m local.crash --jobs 2 $(ARGS)

test: setup cli browser .local/docs/.ready ## run every test, three files at a time: one of them waits as a rule
	$(PYTHON) -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

test-fast: setup ## run the tests that start no process
	$(PYTHON) -m pytest -n 2 --dist loadfile -m "not slow" $(ARGS)

check: lint types contracts docs test ## everything CI runs

lint: .venv/.ready
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .

types: .venv/.ready
	.venv/bin/mypy

contracts: .venv/.ready
	.venv/bin/lint-imports

docs: .venv/.ready .local/docs/.ready node_modules/.ready ## build docs/ as a site, strictly and without internet
	@$(PYTHON) -m local.pages $(ARGS)

.local/docs/.ready: requirements-docs.txt .python-version $(filter .local/%,$(UV))
	$(UV) venv --quiet --clear --python "$$(cat .python-version)" .local/docs
	$(UV) pip sync --quiet --compile-bytecode --require-hashes --python .local/docs/bin/python requirements-docs.txt
	touch $@

format: .venv/.ready ## format and fix what can be fixed
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

browser: ## install a headless Chromium for the tests of pages, if there is none
	@local/chromium.sh

cli: .local/cli/.ready ## install the Azure CLI and azure-ai-ml, which the tests use as clients, each in its own environment

.local/cli/.ready: requirements-cli.txt requirements-ai-ml.txt .venv/.ready
	$(UV) venv --quiet --clear --python "$$(cat .python-version)" .local/cli
	$(UV) pip sync --quiet --compile-bytecode --require-hashes --python .local/cli/bin/python requirements-cli.txt
	$(UV) venv --quiet --clear --python "$$(cat .python-version)" .local/ai-ml
	$(UV) pip sync --quiet --compile-bytecode --require-hashes --python .local/ai-ml/bin/python requirements-ai-ml.txt
	touch $@

audit-deps: .venv/.ready .local/audit/.ready node_modules/.ready ## ask the indexes for known vulnerabilities of what is pinned (2: could not ask; ARGS='--keep FILE', '--kept FILE')
	$(PYTHON) -m local.dependency_audit $(ARGS)

.local/audit/.ready: requirements-audit.txt .python-version $(filter .local/%,$(UV))
	$(UV) venv --quiet --clear --python "$$(cat .python-version)" .local/audit
	$(UV) pip sync --quiet --require-hashes --python .local/audit/bin/python requirements-audit.txt
	touch $@

fuzz: .venv/.ready .local/fuzz/.ready ## let atheris look for input that a parser cannot take (ARGS='--seconds N --only NAME')
	@PYTHONPATH=.local/fuzz $(PYTHON) -m local.fuzz $(ARGS)

.local/fuzz/.ready: requirements-fuzz.txt .venv/.ready
	$(UV) pip install --quiet --require-hashes --python $(PYTHON) --target .local/fuzz -r requirements-fuzz.txt
	touch $@

coverage: setup cli browser ## run every test, and the bench in small; say which lines and branches nothing reaches (docs/quality.md)
	rm -rf .local/coverage && mkdir -p .local/coverage
	$(PYTHON) -m pytest -n 2 --dist loadfile --cov --cov-report= $(ARGS)
	$(PYTHON) -m coverage run --source=bench -m bench --small --output .local/coverage/bench.md > /dev/null
	$(PYTHON) -m coverage combine --quiet --append
	@$(PYTHON) -m local.coverage_report

mutants: .venv/.ready .local/mutants/.ready ## change the planner and the errors in small ways that a test has to notice (docs/quality.md)
	@$(PYTHON) -m local.mutants $(ARGS)

.local/mutants/.ready: requirements-mutants.txt .venv/.ready
	$(UV) pip install --quiet --require-hashes --python $(PYTHON) --target .local/mutants/packages -r requirements-mutants.txt
	touch $@

infra-check: .venv/.ready .local/checkov/.ready ## let checkov look at infra/ (half a minute, so a job of its own in CI)
	$(PYTHON) -m pytest tests/infra/checkov_check.py $(ARGS)

.local/checkov/.ready: requirements-checkov.txt .python-version $(filter .local/%,$(UV))
	$(UV) venv --quiet --clear --python "$$(cat .python-version)" .local/checkov
	$(UV) pip sync --quiet --require-hashes --python .local/checkov/bin/python requirements-checkov.txt
	touch $@

lock: $(filter .local/%,$(UV)) ## pin the dependencies of pyproject.toml anew
	$(UV) pip compile --quiet --upgrade --python-version 3.13 --generate-hashes --no-header --no-annotate pyproject.toml -o requirements.txt
	$(UV) pip compile --quiet --upgrade --python-version 3.13 --generate-hashes --no-header --no-annotate pyproject.toml --group dev -c requirements.txt -o requirements-dev.txt
	$(UV) pip compile --quiet --upgrade --python-version 3.13 --generate-hashes --no-header --no-annotate --group pyproject.toml:azure-cli -o requirements-cli.txt
	$(UV) pip compile --quiet --upgrade --python-version 3.13 --generate-hashes --no-header --no-annotate --group pyproject.toml:azure-ai-ml -o requirements-ai-ml.txt
	$(UV) pip compile --quiet --upgrade --python-version 3.13 --generate-hashes --no-header --no-annotate --group pyproject.toml:checkov -o requirements-checkov.txt
	$(UV) pip compile --quiet --upgrade --python-version 3.13 --generate-hashes --no-header --no-annotate --group pyproject.toml:audit -o requirements-audit.txt
	$(UV) pip compile --quiet --upgrade --python-version 3.13 --generate-hashes --no-header --no-annotate --group pyproject.toml:fuzz -o requirements-fuzz.txt
	$(UV) pip compile --quiet --upgrade --python-version 3.13 --generate-hashes --no-header --no-annotate -c requirements-dev.txt --group pyproject.toml:mutants -o requirements-mutants.txt
	$(UV) pip compile --quiet --upgrade --python-version 3.13 --generate-hashes --no-header --no-annotate --group pyproject.toml:docs -o requirements-docs.txt

clean: ## remove everything that make made
	rm -rf .venv .local node_modules .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
