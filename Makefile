# Everything is installed into .venv, from the hashed lists in requirements/ (see CONTRIBUTING.md).

BIN := .venv/bin
# Twice quiet: of a machine's own package folders pip would name each that lacks something.
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check --no-input
PIP_LOCKED := $(PIP) install --require-hashes
PIP_PROJECT := $(PIP) install --no-deps --no-build-isolation --editable .

# A local folder of wheels would put the hashes of its own files into the lists.
UPGRADE :=
COMPILE = env -u UV_FIND_LINKS $(BIN)/uv --quiet --no-config pip compile --universal \
	--python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url \
	--no-emit-find-links --custom-compile-command "make lock" $(UPGRADE)
WITH_RUN := --constraint requirements/run.lock.txt

# What the dashboard takes from others. The last file that the build writes stands for all.
FRONTEND := src/segue/web/static/vendor/LICENSES.txt

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help setup browser run screens test fast lint types format lock clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

setup: .venv/.setup $(FRONTEND) ## install everything a developer needs into .venv

browser: ## install the browser that tests use, unless there is one
	@tools/install-browser

run: .venv/.run $(FRONTEND) ## install what the program needs, and start `segue demo`
	@$(BIN)/segue demo

screens: setup browser ## take a picture of every page of the dashboard, into screens/
	@$(BIN)/python -m tests.browser.screens

test: setup browser lint types ## check everything: lint, types, layers and every test
	@$(BIN)/python -m pytest -n 2

fast: setup ## check in under a minute: lint and the quick tests, up to the first failure
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/python -m pytest -n 2 -m "not slow" -x

lint: setup ## check style, spelling and that every dependency is declared and used
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/codespell
	@$(BIN)/deptry --no-ansi src

types: setup ## check the types
	@$(BIN)/mypy

format: setup ## format the code, and mend what the linter can mend
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

lock: ## remake requirements/; with UPGRADE=--upgrade to the newest releases
	@tools/make-venv
	@$(PIP_LOCKED) --requirement requirements/release.lock.txt
	@$(COMPILE) pyproject.toml --output-file requirements/run.lock.txt
	@$(COMPILE) $(WITH_RUN) --group build --output-file requirements/build.lock.txt
	@$(COMPILE) $(WITH_RUN) --group release --output-file requirements/release.lock.txt
	@$(COMPILE) $(WITH_RUN) pyproject.toml --group test --group lint --group build \
		--output-file requirements/test.lock.txt

clean: ## remove caches and build results; .venv and data folders stay
	@rm -rf build dist screens .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	@find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.setup: requirements/test.lock.txt pyproject.toml tools/make-venv
	@tools/make-venv
	@echo "Installing requirements/test.lock.txt into .venv"
	@$(PIP_LOCKED) --requirement requirements/test.lock.txt
	@$(PIP_PROJECT)
	@touch $@

.venv/.run: requirements/run.lock.txt requirements/build.lock.txt pyproject.toml tools/make-venv
	@tools/make-venv
	@echo "Installing requirements/run.lock.txt into .venv"
	@$(PIP_LOCKED) --requirement requirements/run.lock.txt --requirement requirements/build.lock.txt
	@$(PIP_PROJECT)
	@touch $@

$(FRONTEND): frontend/package.json frontend/package-lock.json frontend/build.mjs frontend/icons.txt tools/install-node
	@tools/install-node
	@echo "Fetching what frontend/package-lock.json names into frontend/node_modules"
	@cd frontend && npm ci --silent && node build.mjs
