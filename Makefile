# Everything runs in .venv, which `make` creates on a machine that has only Python 3.11 and make.
PYTHON ?= python3
# Address of the package index with torch's CPU build, as PyTorch's installation page names it. Only needed where
# pip's own index serves the build for graphics cards, which is several gigabytes larger.
TORCH_INDEX ?=
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PIP := $(BIN)/pip install --quiet --disable-pip-version-check
# Compiled modules are kept, whatever the environment says: apps that tests start would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE
# A file's tests share what they open, so it stays in one process; tests/conftest.py says which file comes first.
TESTS = $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder
# The versions of Python for which every pinned package has a binary: others would be compiled, or not be found.
SUPPORTED := import sys; v = sys.version_info[:2]; (3, 11) <= v <= (3, 14) or sys.exit( \
	"Spheroscope needs Python 3.11 (3.12 to 3.14 install, too) and this is %d.%d. " % v + \
	"Install Python 3.11 and run: make PYTHON=python3.11")

.PHONY: run test test-all check lint types fast-tests audit bench clean

run: $(READY)
	$(BIN)/python -m core serve

test: $(READY)
	$(TESTS) -m "not full"

# Everything, with the long series of kills, refusals and stops.
test-all: $(READY)
	$(TESTS)

# What is quick to know, side by side: the tests wait for the disk now and then.
check: $(READY)
	$(MAKE) --no-print-directory --jobs=3 lint types fast-tests

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(READY)
	$(BIN)/mypy

fast-tests: $(READY)
	$(BIN)/python -m pytest -q -n 2 --dist worksteal --hypothesis-profile=quick \
		-m "not slow and not browser and not datasets"

# Advisories about the installed packages; says so where it cannot ask for them.
audit: $(READY)
	$(BIN)/python -m tests.security.audit_packages

bench: $(READY)
	$(BIN)/python -m bench ablation

# The pictures of docs/tutorial.md, of the app as it is now.
pictures: $(READY)
	WRITE_PICTURES=1 $(BIN)/python -m pytest -q tests/browser/test_tutorial.py

# torch comes first and alone, so that nothing else can pull in a build of several gigabytes.
$(READY): requirements.txt requirements-cluster.txt requirements-oidc.txt requirements-dev.txt
	@$(PYTHON) -c '$(SUPPORTED)'
	$(PYTHON) -m venv $(VENV)
	$(PIP) $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) torch==2.13.0
	$(PIP) -r requirements-dev.txt
	touch $(READY)

clean:
	rm -rf $(VENV) test-artefacts
