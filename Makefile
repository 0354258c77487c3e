# Everything installs what it needs into .venv by itself; the first time takes a few minutes.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: test long demo bench check format interop clean

test: check  ## the whole test suite
	$(BIN)/python -m pytest -n 2 -q -rs

long: .venv/.installed  ## the tests that take too long for the others' company
	$(BIN)/python -m pytest -n 2 -q -rs -m long

check: .venv/.installed  ## style and types
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy

demo: .venv/.installed  ## the main job once, offline
	$(BIN)/python -m dsprep demo demo

bench: .venv/.installed  ## speed and memory, beside the floor
	$(BIN)/python bench/import_speed.py
	$(BIN)/python bench/commonvoice_speed.py
	$(BIN)/python bench/shard_speed.py
	$(BIN)/python bench/loading_speed.py
	$(BIN)/python bench/plan_speed.py
	$(BIN)/python bench/augment_speed.py
	$(BIN)/python bench/features_speed.py
	$(BIN)/python bench/training_speed.py
	$(BIN)/python bench/scoring_speed.py
	$(BIN)/python bench/decoding_speed.py
	$(BIN)/python bench/transcribing_speed.py
	$(BIN)/python bench/export_speed.py

format: .venv/.installed  ## what check asks for, done
	$(BIN)/python -m ruff check --fix .
	$(BIN)/python -m ruff format .

interop: .venv/.installed  ## the libraries that read what convert writes, for their tests; NeMo's are only looked into
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group interop
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --no-deps nemo_toolkit

clean:  ## all that these made
	rm -rf .venv demo build dist dsprep.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group dev --editable '.[demo,export,lm]'
	touch $@
