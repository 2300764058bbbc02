# Rollcall: `make demo` shows it, `make test` proves it. Everything is installed into .venv/.
.DELETE_ON_ERROR:
.PHONY: setup setup-dev wheel generate demo test quick quick-tests lint lint-python lint-sql lint-generated lint-changed \
    check browser sample-test test-more test-long mutants docs screenshots bench clean lock

PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/pip install --quiet --quiet --disable-pip-version-check
export ROLLCALL_HOME ?= warehouse
export DBT_PROFILES_DIR := $(CURDIR)/profiles
DEMO_HOME := $(ROLLCALL_HOME)/demo
CHECK_HOME := $(ROLLCALL_HOME)/check

setup: .venv/installed  ## what running needs: rollcall and dbt in .venv/, and an empty home
	@$(BIN)/rollcall init > /dev/null

setup-dev: setup .venv/installed-dev  ## what changing and testing it needs, too

.venv/installed: requirements.lock pyproject.toml setup.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo "Python 3.11 or newer is needed; name it with PYTHON=..."; exit 1; }
	$(PYTHON) -m venv .venv
	$(INSTALL) --require-hashes -r requirements.lock
	$(INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

.venv/installed-dev: .venv/installed requirements-dev.lock
	$(INSTALL) --require-hashes -r requirements-dev.lock
	@touch $@

demo: setup  ## run the sample district night by night into a fresh home
	@$(BIN)/python scripts/demo.py $(DEMO_HOME)

# Make the goals $(1) in the background of the goals $(2); all must be reached, and all are shown.
define beside
	@log=$$(mktemp); code=0; \
	$(MAKE) --no-print-directory $(1) > $$log 2>&1 & beside=$$!; \
	$(MAKE) --no-print-directory $(2) || code=$$?; \
	wait $$beside || code=$$?; \
	cat $$log; rm -f $$log; exit $$code
endef

test: setup-dev  ## every promise, and what a night of the sample shows; 10 to 13 minutes on two cores
	$(call beside,lint-python lint-sql check,sample-test)

quick: setup-dev  ## lint of what changed, unit tests, contracts, framing; no cycle
	$(call beside,check,lint-python lint-changed quick-tests)

generate:  ## what the layouts say again: YAML of staging, and the SQL that reconciliation compares with
	$(BIN)/python scripts/staging_yaml.py
	$(BIN)/rollcall --project . layouts compare
	@$(MAKE) --no-print-directory lint-generated

lint: lint-python lint-sql lint-generated  ## style, types and SQL style

lint-python:
	$(BIN)/ruff check sample_district scripts tests docs/examples
	$(BIN)/ruff format --check sample_district scripts tests docs/examples
	$(BIN)/mypy

GENERATED := models/intermediate/reconciliation/compared

lint-sql:
	$(BIN)/sqlfluff lint --disable-progress-bar \
	    $$(find models tests/singular -name '*.sql' -not -path '$(GENERATED)/*')
	$(BIN)/sqlfluff lint --disable-progress-bar --templater placeholder \
	    scripts/rollcall/promotion/queries scripts/rollcall/report/queries

lint-generated:
	$(BIN)/sqlfluff lint --disable-progress-bar $(GENERATED)

lint-changed:
	@changed=$$( { git diff --name-only --diff-filter=d HEAD; git ls-files --others --exclude-standard; } \
	    | grep -E '^(models|tests/singular)/.*\.sql$$' || true); \
	[ -z "$$changed" ] || $(BIN)/sqlfluff lint --disable-progress-bar $$changed

check:  ## contracts and unit tests without data
	@ROLLCALL_HOME=$(CHECK_HOME) $(BIN)/rollcall init > /dev/null
	ROLLCALL_HOME=$(CHECK_HOME) $(BIN)/dbt --quiet build --empty \
	    --target-path $(CHECK_HOME)/target

browser:  ## Chromium, in which the report is tested
	@for name in chromium chromium-browser google-chrome; do \
	    command -v $$name > /dev/null && exit 0; \
	done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
	        apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core; \
	else \
	    echo "The report is tested in Chromium: install your system's package chromium, then go on."; \
	    exit 1; \
	fi

PYTEST := $(BIN)/pytest --numprocesses 2 --dist loadscope --no-loadscope-reorder

sample-test:  ## the sample, stories, properties and crashes
	$(PYTEST) -m "not more and not long" --durations 20

quick-tests:
	$(PYTEST) -m "not more and not long" $(addprefix tests/python/test_,$(addsuffix .py,$(QUICK)))

QUICK := framing layouts fingerprint generic_tests staging_contract layering codes

test-more: setup-dev browser  ## one feature after the other in depth: families, guides, repairs, the browser
	$(PYTEST) -m "more and not long" --durations 20

test-long:  ## many more cases; hours, not minutes
	$(BIN)/pytest -m long

mutants:  ## small defects, each of which a test must catch; a quarter of an hour
	@folder=$$(mktemp -d); $(BIN)/python tests/python/mutants.py $$folder; code=$$?; \
	rm -rf $$folder; exit $$code

wheel: setup  ## dist/rollcall-*.whl: the command and the dbt package, to be installed elsewhere
	@rm -rf build
	$(BIN)/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

docs: setup check  ## catalogue with lineage, one file that opens anywhere
	ROLLCALL_HOME=$(CHECK_HOME) $(BIN)/dbt --quiet docs generate --static \
	    --target-path $(CHECK_HOME)/target
	@cp $(CHECK_HOME)/target/static_index.html $(ROLLCALL_HOME)/catalogue.html
	@echo "The catalogue is $(ROLLCALL_HOME)/catalogue.html."

screenshots: setup-dev browser  ## the pictures of the README, from the demo
	$(BIN)/python tests/python/screenshots.py $(DEMO_HOME) docs/images
	$(BIN)/python scripts/lineage_picture.py $(DEMO_HOME)/target/manifest.json docs/images/lineage.png

bench:  ## the figures that the project promises, each against a baseline of the same run
	$(BIN)/python tests/benchmarks/bench_framing.py
	$(BIN)/python tests/benchmarks/bench_landing.py
	$(BIN)/python tests/benchmarks/bench_deciding.py
	$(BIN)/python tests/benchmarks/bench_cycle.py
	$(BIN)/python tests/benchmarks/bench_families.py
	$(BIN)/python tests/benchmarks/bench_identity.py
	$(BIN)/python tests/benchmarks/bench_mastery.py
	$(BIN)/python tests/benchmarks/bench_reconciliation.py
	$(BIN)/python tests/benchmarks/bench_replay.py
	$(BIN)/python tests/benchmarks/bench_report.py $(DEMO_HOME)

clean:  ## remove state; the environment stays
	rm -rf warehouse target logs

lock:  ## resolve the dependencies anew
	$(BIN)/pip install --quiet pip-tools
	$(COMPILE) -o requirements.lock pyproject.toml
	$(COMPILE) --extra dev -o requirements-dev.lock pyproject.toml

COMPILE := $(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --build-deps-for editable --no-emit-index-url \
    --no-emit-find-links --no-strip-extras --no-header --upgrade
