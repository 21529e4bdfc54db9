# Two commands for a fresh machine: `make demo` (light, no torch) and `make test` (everything).
# They need Python 3.11 to 3.13, pip and make. uv is used if it is there, and brought into .tools if it is not.

PYTHON ?= python3
UV := $(shell command -v uv 2>/dev/null || echo .tools/uv/bin/uv)
VENV := .venv
DEMO_VENV := .venv-demo
# Tests that leave much of the processor and of the memory free go side by side, the host's in processes without leftovers
# of a screen. Those that start processes, and those of the engines, whose models take 10 GB, have the machine for
# themselves.
PYTEST := $(VENV)/bin/python -m pytest
SIDE_BY_SIDE := --dist loadfile -n
INSTALL = $(UV) pip install --quiet --compile-bytecode -c constraints.txt

.PHONY: demo test setup lint clean
.DELETE_ON_ERROR:

demo: $(DEMO_VENV)/.ready  ## Render the examples on the draft voice: seconds, no torch
	@$(DEMO_VENV)/bin/python -m cbtui demo
	@echo "Next: make setup brings in Chatterbox and the screen; then $(VENV)/bin/cbtui"

test: setup  ## Set up everything and run all tests
	@$(PYTEST) $(SIDE_BY_SIDE) auto tests/tui/ tests/unit/
	@$(PYTEST) $(SIDE_BY_SIDE) 3 tests/host/
	@$(PYTEST) tests/e2e/
	@$(PYTEST) tests/engine/

setup: $(VENV)/.ready  ## The whole set, with Chatterbox and torch, and the tools of development

lint: setup  ## Style, types and the direction of imports
	@$(VENV)/bin/ruff check
	@$(VENV)/bin/ruff format --check
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports

$(DEMO_VENV)/.ready: pyproject.toml constraints.txt requirements-demo.txt | $(UV)
	@echo "Setting up the light set in $(DEMO_VENV)"
	@$(UV) venv --quiet --allow-existing --python "$$(command -v $(PYTHON))" $(DEMO_VENV)
	@$(INSTALL) --python $(DEMO_VENV)/bin/python -r requirements-demo.txt
	@touch $@

$(VENV)/.ready: pyproject.toml constraints.txt | $(UV)
	@echo "Setting up everything in $(VENV) (6 GB with CUDA; a minute or more)"
	@$(UV) venv --quiet --allow-existing --python "$$(command -v $(PYTHON))" $(VENV)
	@$(INSTALL) --python $(VENV)/bin/python -e '.[espeak,export]' --group dev
	@touch $@

.tools/uv/bin/uv:
	@echo "Bringing in uv"
	@$(PYTHON) -m pip install -qq --disable-pip-version-check --target .tools/uv uv

clean:  ## Remove what make set up
	rm -rf $(VENV) $(DEMO_VENV) .tools
