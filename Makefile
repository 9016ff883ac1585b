# The README's commands. Each makes the virtual environment it needs on its first run.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?=
PORT ?=
CONTAINERS ?=
ARCHITECTURE ?= x86_64
STAGE ?=
DRY ?=

export PYTHONPATH := $(CURDIR)/layers/causeway/python:$(CURDIR)
export SAM_CLI_TELEMETRY := 0
# stacks/around.yaml has loops (Fn::ForEach); SAM unrolls them only with this setting.
export SAM_CLI_ENABLE_LANGUAGE_EXTENSIONS := 1
# SAM needs a region even for commands that do not call AWS.
export AWS_DEFAULT_REGION ?= eu-central-1

# PYTHON=3.11 has an environment of its own; without PYTHON, .venv has the newest Python found.
VENV := .venv$(if $(PYTHON),-$(PYTHON))
INSTALL := requirements/install '$(VENV)'
CHECK := .venv-check/bin
# On the embedded Postgres, always: DATABASE_URL of the shell may be a server where nothing may be changed.
SCHEMA_DOCUMENT := $(VENV)/bin/python -m local with-database $(VENV)/bin/python -m tools.schema_document
# The files that are made from the code: $(call MADE_FILES) writes them, $(call MADE_FILES,--check) compares them.
define MADE_FILES
	@$(VENV)/bin/python -m tools.openapi $(1)
	@$(VENV)/bin/python -m tools.error_table $(1)
	@$(VENV)/bin/python -m tools.catalogue_schema $(1)
	@$(VENV)/bin/python -m tools.package_audit.licences $(1)
	@$(SCHEMA_DOCUMENT) $(1)
endef

.PHONY: help demo up test check bench docs audit audit-ledger audit-log build deploy lock clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "  make %-12s %s\n", $$1, $$2}'

demo: ## the whole simulation, once, through HTTP: exits 0 only if all nine balances agree (PYTHON=3.11 to choose one)
	@$(INSTALL) requirements/run.txt '$(PYTHON)'
	@$(VENV)/bin/python -m local.demo

up: ## the local stack until Ctrl-C, on the embedded Postgres or DATABASE_URL (PORT=8080, PYTHON=3.11, CONTAINERS=1 for sam local)
	@$(INSTALL) requirements/run.txt '$(PYTHON)'
	@exec $(VENV)/bin/python -m local up $(if $(PORT),--port $(PORT)) $(if $(CONTAINERS),--containers)

test: ## all tests, against the embedded Postgres or DATABASE_URL (ARGS='-k debit', PYTHON=3.11)
	@$(INSTALL) requirements/test.txt '$(PYTHON)'
	@$(VENV)/bin/python -m pytest $(if $(DATABASE_URL),,-n auto --dist worksteal) $(ARGS)

check: ## linters and type checker: Python, imports, templates and their sizes, SQL; the files of make docs against the code
	@$(INSTALL) requirements/test.txt '$(PYTHON)'
	@requirements/install .venv-check requirements/check.txt
	$(CHECK)/ruff check
	$(CHECK)/ruff format --check
	$(CHECK)/ty check --python $(VENV)
	$(CHECK)/lint-imports
	$(CHECK)/cfn-lint
	$(CHECK)/sam validate --lint
	$(CHECK)/python -m tools.stack_sizes
	@mkdir -p .local/stacks && for file in template.yaml stacks/around.yaml stacks/foundation.yaml; do \
	  $(VENV)/bin/python -m local.template.intrinsics $$file >.local/$${file%.yaml}.json || exit 1; done
	@requirements/install .venv-checkov requirements/checkov.txt
	.venv-checkov/bin/checkov --config-file .checkov.yaml --file .local/template.json .local/stacks/around.json .local/stacks/foundation.json
	$(CHECK)/squawk schema/*.sql
	$(call MADE_FILES,--check)

docs: ## make the files that are made from the code: functions/console's openapi.json and docs.html, docs/errors.md, licences.md, schema.md, the schema of the catalogue
	@$(INSTALL) requirements/run.txt '$(PYTHON)'
	$(call MADE_FILES)

bench: ## all benchmarks, measured here (ARGS='memory')
	@$(INSTALL) requirements/bench.txt '$(PYTHON)'
	@$(VENV)/bin/python -m benchmarks $(ARGS)

audit: ## known vulnerabilities of every locked package, and the licences of what is deployed (ARGS='--service osv')
	@$(INSTALL) requirements/run.txt '$(PYTHON)'
	@requirements/install .venv-check requirements/check.txt
	@$(VENV)/bin/python -m tools.package_audit $(ARGS)

audit-ledger: ## check the wallets of the database in DATABASE_URL, as causeway_auditor (ARGS=--new-series)
	@$(INSTALL) requirements/run.txt '$(PYTHON)'
	@$(VENV)/bin/python -m tools.chain_audit ledger $(ARGS)

audit-log: ## check the audit log of the database in DATABASE_URL, as causeway_auditor (ARGS='--noted TENANT:ENTRY:HASH')
	@$(INSTALL) requirements/run.txt '$(PYTHON)'
	@$(VENV)/bin/python -m tools.chain_audit log $(ARGS)

build: ## sam build: the functions and layers as they go to Lambda (ARCHITECTURE=arm64)
	@requirements/install .venv-check requirements/check.txt
	@$(CHECK)/python -m tools.openapi.page
	@find functions -name __pycache__ -prune -exec rm -rf {} +
	@python=$$(requirements/find-python 3.13 2>/dev/null) && echo "byte code by $$python" \
	  || { python=python3.13; echo "No Python 3.13 here: the layers go without byte code, and start-up takes longer."; \
       echo "Before a deployment install it, e.g. with pyenv install 3.13, and run make build again."; }; \
	  PATH="$(CURDIR)/$(CHECK):$$PATH" LAMBDA_PYTHON=$$python ARCHITECTURE=$(ARCHITECTURE) \
	  sam build --parameter-overrides Architecture=$(ARCHITECTURE)

deploy: ## deploy the foundation and the functions of a stage of samconfig.toml (STAGE=staging, DRY=1 to print, ARGS="Size=small")
	@$(INSTALL) requirements/run.txt '$(PYTHON)'
	@requirements/install .venv-check requirements/check.txt
	@$(VENV)/bin/python -m tools.deploy $(if $(DRY),--dry-run) '$(STAGE)' $(ARGS)

lock: ## resolve the requirements again (ARGS=--upgrade for the newest versions)
	@requirements/install .venv-check requirements/check.txt
	@requirements/lock $(CHECK)/uv $(ARGS)

clean: ## remove the environments, everything built, and all caches
	rm -rf .venv .venv-* .venv*.lock .aws-sam .local functions/console/docs.html functions/docs.html.*
	rm -rf .hypothesis .import_linter_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +
