# make demo: see it work.  make test: every check there is.  Both set up what they need first.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: demo test check clean

demo: $(INSTALLED)
	$(BIN)/kafkatclsh --embedded examples/quickstart.tcl

test: $(INSTALLED)
	tools/setup.sh programs
	$(MAKE) check
	$(BIN)/python tests/fix_kafka_server.py
	$(BIN)/pytest -n 2

check: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

clean:
	rm -rf $(VENV) .cache .mypy_cache .pytest_cache .ruff_cache dist

# Touched last, so that a set-up that was broken off is done again.
$(INSTALLED): pyproject.toml tools/setup.sh
	tools/setup.sh environment $(PYTHON) $(VENV)
	touch $@
