# Everything runs in .venv, which `make` creates on a machine that has only Python 3.11 and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: run test test-all check bench clean

run: $(READY)
	$(BIN)/python -m core serve

test: $(READY)
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not full"

# Everything, with the long series of kills, refusals and stops.
test-all: $(READY)
	$(BIN)/python -m pytest -n 2 --dist loadfile

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q -n 2 --hypothesis-profile=quick -m "not slow and not browser and not datasets"

bench: $(READY)
	$(BIN)/python -m bench ablation

# torch comes first and alone, so that nothing else can pull in a build of several gigabytes.
$(READY): requirements.txt requirements-cluster.txt requirements-dev.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check torch==2.13.0
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $(READY)

clean:
	rm -rf $(VENV) test-artefacts
