# Everything installs what it needs into .venv by itself; the first time takes a few minutes.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: test demo bench check format clean

test: check  ## the whole test suite
	$(BIN)/python -m pytest -n 2 -q -rs

check: .venv/.installed  ## style and types
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy

demo: .venv/.installed  ## the main job once, offline
	$(BIN)/python -m dsprep demo demo

bench: .venv/.installed  ## speed and memory, beside the floor
	$(BIN)/python bench/import_speed.py
	$(BIN)/python bench/commonvoice_speed.py

format: .venv/.installed  ## what check asks for, done
	$(BIN)/python -m ruff check --fix .
	$(BIN)/python -m ruff format .

clean:  ## all that these made
	rm -rf .venv demo build dist dsprep.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group dev --editable '.[demo]'
	touch $@
