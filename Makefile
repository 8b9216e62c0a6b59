# Two commands matter: `make demo` and `make test`. Both set up all they need.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
DEMO_READY := $(VENV)/.demo-ready
DEV_READY := $(VENV)/.dev-ready
ARGS ?=
# Two cores are assumed, and tests that wait for a meter or a hand; `make test WORKERS=8` uses more.
WORKERS ?= 3
FOR ?= 8h

# The image and the interpreter; only `firmware`, `hil` and `test` need compilers and QEMU.
BUILT := build/firmware

.PHONY: help demo test test-again worlds worlds-night mutants hil firmware toolchain check lint bench clean locks needs

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

needs:
	@missing=""; \
	command -v git >/dev/null || missing="$$missing git"; \
	command -v $(PYTHON) >/dev/null || missing="$$missing python3"; \
	$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || missing="$$missing python3-venv"; \
	if [ -n "$$missing" ]; then echo "Missing:$$missing. Install with: sudo apt-get install -y$$missing" >&2; exit 1; fi; \
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Guelta needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1). Name another: make demo PYTHON=python3.12" >&2; exit 1; }

$(BIN)/python: | needs
	@echo "Setting up $(VENV) (once)…"
	@$(PYTHON) -m venv $(VENV)

$(DEMO_READY): locks/demo.txt pyproject.toml | $(BIN)/python
	@echo "Installing what the demo needs (pinned by hash)…"
	@$(PIP) install --require-hashes --only-binary :all: -r locks/demo.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(DEV_READY): locks/dev.txt pyproject.toml | $(BIN)/python
	@echo "Installing what the tests need (pinned by hash)…"
	@$(PIP) install --require-hashes --only-binary :all: -r locks/dev.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@ $(DEMO_READY)

demo: $(DEMO_READY) ## eight homes, three days: real MicroPython meters, radio, payments, and a page (ARGS="--help")
	@$(BIN)/guelta demo $(ARGS)

test: $(DEV_READY) ## everything: style, types, walls, all tests, on both interpreters, and the image in QEMU
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory firmware
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup -m "not worlds" $(ARGS)
	@$(MAKE) --no-print-directory test-again
	@$(MAKE) --no-print-directory hil

worlds: $(DEV_READY) ## whole worlds of faults, power cuts, crash images, kills, planted bugs; fails below its counts
	rm -rf build/trust
	$(BIN)/guelta sim swarm --worlds 220 --for 1h --jobs 2 --figures build/trust/worlds/swarm.json
	$(BIN)/pytest -n 2 --dist loadgroup -m worlds tests hil_tests
	$(BIN)/guelta bench trust

worlds-night: $(DEV_READY) ## the same with other dice, round after round: make worlds-night FOR=8h
	$(BIN)/guelta bench night --for $(FOR)

mutants: $(DEV_READY) ## plant each bug of tests/mutants and see that it is found
	$(BIN)/pytest -n 2 --dist loadgroup -m worlds tests/mutants -s

# Once more with the interpreter of the image's own tree: the tests that start MicroPython.
test-again: $(DEV_READY)
	GUELTA_MICROPYTHON=$(CURDIR)/$(BUILT)/micropython $(BIN)/pytest -n $(WORKERS) --dist loadgroup -m micropython tests

hil: $(DEV_READY) firmware ## the image in QEMU: power cuts, valve, watchdog, a real headend
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup -m "not worlds" $(ARGS) hil_tests

firmware: $(DEMO_READY) toolchain ## fetch the pinned sources, build the interpreter and the images (build/firmware)
	@$(BIN)/guelta firmware build

# Installs what is missing where it may (root, or sudo without a password); else it ends with the command to type.
toolchain:
	@missing=""; \
	for tool in make:make gcc:gcc arm-none-eabi-gcc:gcc-arm-none-eabi qemu-system-arm:qemu-system-arm; do \
	  command -v $${tool%%:*} >/dev/null || missing="$$missing $${tool##*:}"; done; \
	for library in gcc/libm.so:libc6-dev arm-none-eabi-gcc/nano.specs:libnewlib-arm-none-eabi; do \
	  from=$${library%%/*}; file=$${library#*/}; \
	  case "$$(command -v $$from >/dev/null && $$from -print-file-name=$${file%%:*})" in \
	    */*) ;; *) missing="$$missing $${file##*:}";; esac; done; \
	[ -n "$$missing" ] || exit 0; \
	install="apt-get install -y --no-install-recommends$$missing"; \
	if ! command -v apt-get >/dev/null; then \
	  echo "Missing:$$missing (Debian's names). Install what brings them here, and try again." >&2; exit 1; fi; \
	if [ "$$(id -u)" = 0 ]; then sudo=""; \
	elif sudo -n true 2>/dev/null; then sudo="sudo -n"; \
	else echo "Missing:$$missing. Install with: sudo $$install" >&2; exit 1; fi; \
	echo "Installing$$missing…"; \
	{ $$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo $$install >/dev/null; } || { \
	  echo "That failed. Install with: sudo apt-get update && sudo $$install" >&2; exit 1; }

check: $(DEV_READY) ## the fast half, for every few minutes (4 to 5 minutes on 2 cores)
	@$(MAKE) --no-print-directory lint
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup -m "not slow and not worlds" $(ARGS)

lint: $(DEV_READY) ## style, types and the walls between the rooms
	$(BIN)/ruff format --no-cache --check .
	$(BIN)/ruff check --no-cache .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: $(DEMO_READY) ## the published figures, as JSON
	@$(BIN)/guelta bench wire --data simulator/data/household_days.json --json
	@$(BIN)/guelta bench latency --trials 20 --micropython 1 --json
	@$(BIN)/guelta bench completeness --meters 10 --json

locks: $(BIN)/python ## renew the pinned versions
	@$(PIP) install uv
	@for name in demo:simulator field:field dev:dev; do \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
	    --extra $${name#*:} pyproject.toml locks/build.in -o locks/$${name%:*}.txt; done

clean: ## remove what was built and installed here
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
