# Each target is self-sufficient on a fresh machine with Python 3.11, make and git.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
# Nothing phones home (models_ml/foretell/system/no_telemetry.py).
export DO_NOT_TRACK := 1
export ORT_DISABLE_TELEMETRY := 1
export DAGSTER_DISABLE_TELEMETRY := yes
export DAGSTER_HOME := $(CURDIR)/.dagster

.PHONY: help setup demo test test-spark test-faults lint lint-python lint-sql docs ui bench bench-quality bench-spark lock clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check
LOCKED := $(INSTALL) --no-compile --no-deps --require-hashes
# With FORETELL_TARGET=spark every target sets up Spark too.
setup: .venv/installed $(if $(filter spark,$(FORETELL_TARGET)),.venv/installed-spark)  ## virtual environment from the lock

.venv/installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	@# In two halves at once, as pip takes one core; the lock is complete, so there is nothing to resolve.
	awk '/^[a-z0-9]/ {n++} n {print > (".venv/half_" n % 2 ".lock")}' requirements.lock
	$(LOCKED) -r .venv/half_0.lock & half=$$!; $(LOCKED) -r .venv/half_1.lock && wait $$half
	@# On all cores, where pip takes one; what does not compile is a template of somebody's.
	@$(BIN)/python -m compileall -qq --workers 0 --invalidation-mode timestamp -x '/tests?/' .venv/lib || true
	$(INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

.venv/installed-spark: .venv/installed requirements-spark.lock
	$(INSTALL) --require-hashes --no-build-isolation -r requirements-spark.lock
	@touch $@

demo: setup  ## simulate events, run the whole pipeline, say where the results are
	$(BIN)/foretell demo-events
	@FORETELL_EVENTS= FORETELL_EVENTS_RELATION= FORETELL_ADAPTER= FORETELL_SOURCES= FORETELL_PREDICTIONS= FORETELL_WAREHOUSE= FORETELL_AS_OF= $(BIN)/foretell run

test: setup lint  ## every test: lint, types, dbt unit and data tests, pytest
	$(BIN)/python -m pytest --ignore=tests/spark

ONLY ?=
test-spark: .venv/installed-spark  ## the same tables on Spark as on DuckDB, row by row (Java 17); ONLY=first_load: 3 min
	$(BIN)/python -m pytest --numprocesses=0 tests/spark -k "$(ONLY)"

KILLS ?= 50
test-faults: setup  ## runs killed in every phase, two at once, replays, torn models: an hour; KILLS=5: less
	FORETELL_FAULTS=$(KILLS) $(BIN)/python -m pytest tests/faults

lint: lint-python lint-sql docs  ## style, types, links of the docs
lint-python: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy models_ml dagster_defs
lint-sql: setup
	$(BIN)/sqlfluff lint --processes 2 dbt_project/models

docs: setup  ## the pages of docs/ as HTML, into target/site; a broken link fails
	$(BIN)/mkdocs build --strict --quiet

ui: setup  ## Dagster's UI on http://localhost:3000
	@echo "Dagster starts in about 40 s; daily and hourly wait under Jobs, their schedules under Automation"
	@PYTHONWARNINGS='ignore:Function `dev_command` is superseded' $(BIN)/dagster dev -m dagster_defs.definitions

bench: setup  ## quality on real and simulated data, without other people's tools
	$(BIN)/python -m benchmarks.quality --cases simulator online_retail --deciles \
		--methods foretell without_properties logistic lightgbm

bench-quality: setup  ## quality beside AutoGluon, FLAML and others (benchmarks/quality/results.md): hours
	$(BIN)/python -m benchmarks.quality

bench-spark: .venv/installed-spark  ## growth of cost on Spark, scoring on its executors (benchmarks/spark/results.md)
	$(BIN)/python -m benchmarks.spark

COMPILE := $(BIN)/python -m uv pip compile --universal --python-version 3.11 --generate-hashes \
	--no-strip-extras --no-emit-index-url --no-annotate --no-header --extra dev --extra dagster
lock: setup  ## pin every dependency anew
	$(BIN)/python -m pip install --quiet uv
	$(COMPILE) pyproject.toml -o requirements.lock
	$(COMPILE) --constraints requirements.lock --extra spark pyproject.toml -o requirements-spark.lock

clean:  ## remove what was built (keeps the virtual environment)
	rm -rf target logs warehouse/local* warehouse/spark* warehouse/demo_events
