# Each target works as the first command on a machine that has Python 3.11, pip and make.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
RUN    := $(VENV)/.run-installed
DEV    := $(VENV)/.dev-installed
PIP    := $(BIN)/python -m pip --quiet --disable-pip-version-check
INSTALL := $(PIP) install --require-hashes --no-deps --only-binary :all:
BROWSER := $(if $(shell command -v npm),tests/browser/node_modules/.installed)
PAGE := $(if $(shell command -v npm),web/node_modules/.installed)
LOCKLEAF_DATA_DIR ?= ./data
export LOCKLEAF_DATA_DIR
# Images of Python forbid it to keep what it compiled; a test run starts it hundreds of times.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup serve test check bench fuzz docs page lock format clean

setup: $(DEV)  ## .venv with everything, and `lockleaf` in it
	@echo "Ready: $(BIN)/lockleaf --help"

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# What the lock says and nothing else: pip asks no index what is newest, and builds nothing from source.
$(RUN): requirements/run.txt pyproject.toml | $(BIN)/python
	$(INSTALL) --requirement requirements/run.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	$(PIP) check
	@touch $@

# Not by way of $(DEV): a lock that pyproject.toml has outgrown fails there, and is to be made anew here.
$(BIN)/uv: | $(BIN)/python
	$(INSTALL) --requirement requirements/dev.txt

$(DEV): requirements/dev.txt $(RUN)
	$(INSTALL) --requirement requirements/dev.txt
	$(PIP) check
	@touch $@

serve: $(RUN)  ## the server, on its own embedded database
	$(BIN)/lockleaf serve

test: check $(BROWSER) $(PAGE)  ## every check and every test, and which lines of server and SDK they run
	@$(BIN)/python -m compileall -q src
	$(BIN)/python -m pytest -p tests.coverage -n 4 --dist loadfile --no-loadscope-reorder --durations 10

check: $(DEV)  ## style, types, who may import whom, and whether the locks are whole
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python requirements/check.py

tests/browser/node_modules/.installed: tests/browser/package-lock.json  # another SEAL, for tests that need one
	@cd tests/browser && npm ci --ignore-scripts --no-audit --no-fund --silent && touch node_modules/.installed \
		|| echo "node-seal could not be installed: the tests with it are skipped"

bench: $(DEV)  ## the figures, each beside a baseline in the same run
	$(BIN)/python -m benchmarks

fuzz: $(DEV)  ## each parser of untrusted bytes for a minute: SECONDS=600 for longer, PARSERS="query age" for some
	$(BIN)/python -m tests.fuzz --seconds $(or $(SECONDS),60) $(PARSERS)

docs: $(DEV)  ## the documentation as a site, in build/docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --site-dir build/docs

page: $(RUN) web/node_modules/.installed  ## the page of `lockleaf app`, from web/ into the package
	@$(BIN)/python web/generate_types.py
	@cd web && npm run --silent build

web/node_modules/.installed: web/package-lock.json
	@cd web && npm ci --ignore-scripts --no-audit --no-fund --silent && touch node_modules/.installed \
		|| echo "the page's builder could not be installed: the page is tested as it was built, and without axe"

lock: | $(BIN)/uv  ## pin the newest versions that work together
	$(BIN)/uv pip compile --quiet --upgrade --generate-hashes --universal --python-version 3.11 --no-annotate --no-header --no-emit-index-url --no-emit-find-links --all-extras --group build pyproject.toml -o requirements/run.txt
	$(BIN)/uv pip compile --quiet --upgrade --generate-hashes --universal --python-version 3.11 --no-annotate --no-header --no-emit-index-url --no-emit-find-links --all-extras --group dev -c requirements/run.txt pyproject.toml -o requirements/dev.txt

format: $(DEV)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
