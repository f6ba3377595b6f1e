# make demo: see it work.  make test: every check there is.  Both set up what they need first.

PYTHON ?= python3
VENV ?= .venv
# More than there are processors, as tests mostly wait.
WORKERS ?= 4
BIN := $(VENV)/bin
READY := $(VENV)/.ready
INSTALLED := $(VENV)/.installed
NATIVE := kafkatcl/native/tcl8.so
RELEASE := .cache/release

.PHONY: demo test soak tclsuite check bench wheels clean

demo: $(READY)
	$(BIN)/python -m kafkatcl.launch --embedded examples/quickstart.tcl

# The tests run with the native part, and without it, but for those of a stock tclsh, which never has it.
test: $(INSTALLED)
	tools/setup.sh programs
	$(MAKE) $(NATIVE) check
	$(BIN)/python tests/fix_kafka_server.py
	$(BIN)/pytest -n $(WORKERS) --dist worksteal
	KAFKATCL_NATIVE=0 $(BIN)/pytest -n $(WORKERS) --dist worksteal -k "kafkatclsh or not tclsh"

# The tests of asynchronous work and the fuzzer at full length; `make test` runs a short form of each.
soak: $(INSTALLED) $(NATIVE)
	$(BIN)/python tests/fix_kafka_server.py
	KAFKATCL_SOAK=1 $(BIN)/pytest --timeout=300 tests/test_async_*.py tests/test_fuzz.py tests/test_counting_three.py

# Tcl's own tests in our shells and in tclsh: which of them differ.  TCLSUITE takes options: make tclsuite TCLSUITE=--help
tclsuite: $(INSTALLED) $(NATIVE)
	$(BIN)/python -m tools.tclsuite $(TCLSUITE)

check: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/python tools/reference.py --check

# BENCH takes options: make bench BENCH=--help
bench: $(INSTALLED) $(NATIVE)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	$(BIN)/python -m benchmarks $(BENCH)

# What a release consists of, into dist/: for all platforms, by the C compiler of Zig.
wheels: $(READY)
	$(BIN)/python -m venv $(RELEASE)
	$(RELEASE)/bin/python -m pip install --quiet --disable-pip-version-check 'hatchling>=1.21' 'ziglang>=0.17'
	$(RELEASE)/bin/python -m tools.wheels dist

clean:
	rm -rf $(VENV) .cache .mypy_cache .pytest_cache .ruff_cache dist

# What is set for other programs does not concern us.
unexport PYTHONHOME PYTHONPATH TCLLIBPATH

# Touched last, so that a set-up that was broken off is done again.  The demo waits for nothing that it does not need.
$(READY): pyproject.toml tools/setup.sh
	tools/setup.sh environment $(PYTHON) $(VENV)
	touch $@

$(INSTALLED): pyproject.toml tools/setup.sh
	tools/setup.sh environment $(PYTHON) $(VENV) '[dev,shell]'
	touch $(READY) $@

# The installation compiles the native part, too; this does so after a change, and says what is wrong.
$(NATIVE): $(wildcard kafkatcl/native/*.[ch]) hatch_build.py | $(INSTALLED)
	$(BIN)/python hatch_build.py
