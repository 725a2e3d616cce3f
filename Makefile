# `make demo` and `make test` do everything on a fresh machine.
PYTHON ?= python3
# the release of torch that the bundles were made and tested with; any from 2.8 on works
TORCH ?= torch==2.13.0
BIN := .venv/bin

.PHONY: demo test lint clean

demo: .venv/installed
	$(BIN)/medseg demo -o out/demo --overwrite

test: .venv/installed
	$(BIN)/python -m pytest

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

.venv/installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "$(TORCH)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[test,export]"
	touch $@

clean:
	rm -rf .venv build dist
