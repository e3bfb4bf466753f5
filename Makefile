# Everything needs only make and Python >= 3.11. The environment is .venv; nothing is installed twice.
#
#   make demo        learn to read real digits, four networks side by side
#   make test        the tests that take minutes        make test-all   the slow ones too
#                    on all cores, file by file; WORKERS=0 runs them in one process
#   make lint        ruff                               make types      pyright
#   make imports     the contract between rooms         make clean      remove what was built
#   make sanitize    the native code under ASan, UBSan and TSan
#   make bench       against the peers, with ratios     make bench-micro  ours alone, to compare commits
#   make docs        the book and the reference, in docs/_build/html
#   make catalogues  the translators' files brought up to the chapters
#   make coverage    which lines the tests reach; at least 95 % of the Python
#   make mutate      small changes to ops, graph, check: does a test notice? ARGS="--jobs 8 --minutes 20"
#   make fuzz        damaged input for everything that is read; ARGS="csv table --minutes 5"
#   make lock        .ci/locked.txt anew, of today's releases
#   make distclean   the environment as well

PYTHON ?= python3
VENV ?= .venv
ARGS ?=
WORKERS ?= logical

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
NATIVE := $(shell find src/native -type f 2>/dev/null)

# Where the engine can be compiled, tests without it would prove too little.
CAN_BUILD := $(if $(wildcard src/native/bindings.cpp),$(shell $${CXX:-c++} --version >/dev/null 2>&1 && echo 1))

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test test-all sanitize bench bench-micro docs catalogues lint types imports \
  coverage mutate fuzz lock clean distclean

help:
	@sed -n '3,17s/^# //p' Makefile

# Development uses the releases of .ci/locked.txt, the same for everyone; LOCKED= takes the newest.
LOCKED ?= $(wildcard .ci/locked.txt)
CONSTRAINTS := $(LOCKED:%=--constraint %)
BUILD_REQUIRES = $(BIN)/python -c "import tomllib; \
  print(*tomllib.load(open('pyproject.toml', 'rb'))['build-system']['requires'], sep='\n')"

# --- what is installed, each with a stamp in the environment --------------------------------

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "chainrule: expected Python 3.11 or newer; came $$($(PYTHON) --version 2>&1)." \
	       "Name another one: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

# Built in the environment itself, not in a throw-away one, so that a change in one source file
# compiles that file only. The requirements are those of pyproject.toml, with CMake and Ninja
# where the machine has none.
$(VENV)/.build-tools: $(VENV)/.created pyproject.toml
	$(PIP) install --quiet $(CONSTRAINTS) $$($(BUILD_REQUIRES)) \
	  $$(command -v cmake >/dev/null || echo cmake) $$(command -v ninja >/dev/null || echo ninja)
	@touch $@

$(VENV)/.chainrule: $(VENV)/.build-tools pyproject.toml CMakeLists.txt $(NATIVE)
	@echo "Installing chainrule into $(VENV) (a minute or two the first time)"
	$(PIP) install $(CONSTRAINTS) --no-build-isolation --editable .
	@touch $@

# chainrule itself is there already: this adds what the extra needs.
$(VENV)/.with-%: $(VENV)/.chainrule
	$(PIP) install --quiet $(CONSTRAINTS) 'chainrule[$*]'
	@touch $@

# What the playground's tests look at its page with. Installed where it can be; the tests that
# miss something are skipped and say what.
$(VENV)/.browser-tools: package.json $(VENV)/.created
	@command -v chromium google-chrome >/dev/null || { \
	  [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && echo "Installing Chromium" && \
	  apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install chromium >/dev/null; } || \
	  echo "Chromium is not here and cannot be installed: tests in a browser will be skipped"
	@command -v npm >/dev/null && npm install --silent --no-audit --no-fund --no-package-lock || \
	  echo "npm is not here: the page's types and accessibility will not be checked"
	@touch $@

# --- what people run -----------------------------------------------------------------------

demo: $(VENV)/.with-plot $(VENV)/.with-playground
	$(BIN)/chainrule train digits --pictures demo $(ARGS)
	@echo; echo " Watch a network learn in the browser: $(BIN)/chainrule playground"

CHAINRULE_REQUIRE_ENGINE ?= $(CAN_BUILD)
test test-all: export CHAINRULE_REQUIRE_ENGINE := $(CHAINRULE_REQUIRE_ENGINE)

# A file stays with one worker, so that what its tests share is made once.
PYTEST = $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

test: $(VENV)/.with-test $(VENV)/.browser-tools
	$(PYTEST) -m "not slow" $(ARGS)

test-all: $(VENV)/.with-test $(VENV)/.browser-tools
	$(PYTEST) $(ARGS)

sanitize:
	tests/native/run_sanitizers.sh

bench: $(VENV)/.with-bench
	$(BIN)/python -m benchmarks $(ARGS)

bench-micro: $(VENV)/.with-test
	$(BIN)/python -m pytest benchmarks/micro $(ARGS)

# English first, which executes every chapter; Persian takes what they printed and drew.
SPHINX := $(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going
LANGUAGES := fa

docs: $(VENV)/.with-docs
	rm -rf docs/_build docs/reference/generated
	$(SPHINX) -d docs/_build/trees/en docs docs/_build/html
	$(foreach one,$(LANGUAGES),$(SPHINX) -D language=$(one) -d docs/_build/trees/$(one) \
	  docs docs/_build/html/$(one) &&) true
	$(BIN)/python tools/check_links.py docs/_build/html
	@echo "Open docs/_build/html/index.html"

catalogues: $(VENV)/.with-docs
	$(SPHINX) -b gettext -d docs/_build/trees/gettext docs docs/_build/gettext
	$(BIN)/python docs/_ext/catalogues.py $(LANGUAGES)

lint: $(VENV)/.with-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	git ls-files -z '*.md' '*.py' '*.pyi' '*.cpp' '*.hpp' '*.js' '*.css' '*.html' '*.toml' '*.yml' \
	  '*.cff' | xargs -0 $(BIN)/codespell

types: $(VENV)/.with-dev
	$(BIN)/pyright --pythonpath $(BIN)/python

imports: $(VENV)/.with-dev
	$(BIN)/lint-imports

coverage: $(VENV)/.with-dev $(VENV)/.browser-tools
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run -m pytest -m "not slow" $(ARGS)
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report

mutate: $(VENV)/.with-test
	$(BIN)/python tools/mutate.py $(ARGS)

fuzz: $(VENV)/.with-test
	$(BIN)/python tools/fuzz.py $(ARGS)

# Every Python and system at once; the peers of the benchmarks are not held.
lock: $(VENV)/.created
	$(PIP) install --quiet uv
	$(BUILD_REQUIRES) | $(BIN)/uv pip compile pyproject.toml - --extra dev --extra docs --extra dask \
	  --universal --python-version 3.11 --no-annotate --upgrade --quiet \
	  --custom-compile-command "make lock" --output-file .ci/locked.txt

clean:
	rm -rf build dist demo docs/_build docs/reference/generated .pytest_cache .hypothesis .ruff_cache .import_linter_cache .coverage*
	rm -f $(VENV)/.chainrule
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean
	rm -rf $(VENV)
