# make demo | test | slow | bench | lint | docs | clean: each does its own set-up in .venv and reuses it the second time.
# Needs Python 3.11 to 3.14 with its module venv, make and git; a network for PyPI on the first run only. Another Python
# than python3: make test PYTHON=python3.13
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export TOKENIZERS_PARALLELISM := false

.PHONY: demo test slow bench lint docs clean setup same-python

demo: setup
	$(BIN)/ldrt demo --output demo

# Two processes take half of the tests each, in the order of their files; whichever is done first takes of the other's.
IN_TWO := $(BIN)/python -m pytest --numprocesses 2 --dist worksteal

test: setup
	$(IN_TWO) -m "not slow" $(PYTEST_ARGS)

# what takes long and rarely tells more than `make test`
slow: setup
	$(IN_TWO) -m slow $(PYTEST_ARGS)

bench: setup
	$(BIN)/python -m tests.benchmarks

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@test ! -x $(BIN)/shellcheck && echo "no wheel of shellcheck for this machine: scripts are NOT CHECKED" || \
	$(BIN)/shellcheck .ci/run recipes/*/run.sh
	$(BIN)/hadolint Dockerfile Dockerfile.cuda
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	$(BIN)/python .ci/check_constraints.py

# the pages of docs/ on http://127.0.0.1:8000, anew with every change
docs: setup
	$(BIN)/mkdocs serve

clean:
	rm -rf $(VENV) demo build site *.egg-info .pytest_cache .ruff_cache .hypothesis

setup: same-python $(VENV)/.installed

# A Python that was asked for and is not the one of .venv would otherwise be ignored without a word.
same-python:
ifneq ($(origin PYTHON),file)
	@test ! -e $(VENV)/.installed || test "$$($(BIN)/python -V)" = "$$($(PYTHON) -V 2>&1)" || \
	{ echo "$(VENV) was made with $$($(BIN)/python -V): to use $(PYTHON), remove $(VENV) first" >&2; exit 1; }
endif

# Python is asked in words that the oldest Python understands. Debian and Ubuntu ship venv without ensurepip, which it needs.
$(VENV)/.installed: setup.cfg constraints.txt
	@command -v "$(PYTHON)" >/dev/null || \
	{ echo "there is no $(PYTHON): install Python 3.11 to 3.14, or name yours: make PYTHON=python3.11 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' || \
	{ echo "$$($(PYTHON) -V 2>&1) is not supported, 3.11 to 3.14 are: make PYTHON=python3.11 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import venv; from ensurepip import version' 2>/dev/null || \
	{ echo "$$($(PYTHON) -V) lacks the module venv: on Debian, apt-get install python3-venv" >&2; exit 1; }
	@echo "== setting up $(VENV) (about 7.5 GB; a minute with a fast network)"
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt uv
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --constraint constraints.txt --editable '.[dev,docs]'
	@touch $@
