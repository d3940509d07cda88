# One command each: install, serve, test, demo, bench. Everything lives inside the checkout.
PYTHON ?= python3
VENV := .venv
STAMP := $(VENV)/.installed
NODE_STAMP := tests/node/node_modules/.installed
# Versions of the installer are pinned here; everything else is pinned in the lock files.
UV_VERSION := 0.13.9

.PHONY: install redis serve demo demo-world wheel compiled pure fresh test lint unit test-compiled fuzz \
  bench bench-peers balance clean

install: $(STAMP)

$(STAMP): pyproject.toml requirements.lock requirements-dev.lock
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
	  echo "python3-venv is missing: apt-get install python3-venv" >&2; exit 1; }
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	$(VENV)/bin/uv pip sync --quiet --python $(VENV)/bin/python --require-hashes requirements-dev.lock
	$(VENV)/bin/uv pip install --quiet --python $(VENV)/bin/python --no-deps --no-build-isolation -e .
	@touch $@

# What every call runs through, compiled: `make wheel` builds both wheels, `make compiled` puts the
# libraries beside the sources of this checkout, where Python takes them instead, `make pure` takes
# them away. Needs a C compiler and some two minutes.
SOURCES := server actors protocol persistence
COMPILED := $(VENV)/.compiled
COMPILE := HATCH_BUILD_HOOK_ENABLE_MYPYC=1 $(VENV)/bin/python -m build --no-isolation --outdir

wheel: install
	$(VENV)/bin/python -m build --no-isolation --outdir dist
	$(COMPILE) dist

compiled: install pure
	rm -rf $(VENV)/compiled && mkdir $(VENV)/compiled
	@touch $(COMPILED).begun
	$(COMPILE) $(VENV)/compiled
	cd $(VENV)/compiled && ../bin/python -m zipfile -e *.whl . && \
	  find . -name '*.so' -exec touch -r $(CURDIR)/$(COMPILED).begun {} + && \
	  find . -name '*.so' -exec cp -p --parents {} $(CURDIR) \;
	@mv $(COMPILED).begun $(COMPILED)

pure:
	find $(SOURCES) -name '*.so' -delete
	rm -f *__mypyc.*.so $(COMPILED)

# Libraries of older sources would run instead of the sources.
fresh:
	@test ! -e $(COMPILED) || test -z "$$(find $(SOURCES) -name '*.py' -newer $(COMPILED))" || { \
	  echo "sources have changed since they were compiled: make compiled, or make pure" >&2; exit 1; }

serve: install fresh
	$(VENV)/bin/genarrative serve --dev-fixtures $(ARGS)

demo: install
	$(VENV)/bin/python -m loadtest demo $(ARGS)

demo-world: install
	$(VENV)/bin/python -m loadtest demo-world $(ARGS)

$(NODE_STAMP): tests/node/package.json tests/node/package-lock.json
	@command -v npm >/dev/null || { echo "Node.js 20 or newer with npm is missing: apt-get install nodejs npm" >&2; exit 1; }
	npm --prefix tests/node ci --no-audit --no-fund --loglevel=error
	@touch $@

# The tests start their own servers; only the program is needed.
redis:
	@command -v redis-server >/dev/null || { \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
	    apt-get install -y -qq --no-install-recommends redis-server >/dev/null; } || { \
	  echo "redis-server is missing: apt-get install redis-server" >&2; exit 1; }

lint: install
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

# Without ARGS three parts run at the same time: tests through whole servers and clients, those of
# the server and the load tests, and all others, whose report comes first.
WHOLE_TESTS := tests/e2e
SERVER_TESTS := tests/server tests/loadtest tests/faults tests/fuzz
REPORTS := .pytest_cache

unit: install fresh redis $(NODE_STAMP)
ifdef ARGS
	$(VENV)/bin/pytest -q $(ARGS)
else
	@mkdir -p $(REPORTS); \
	$(VENV)/bin/pytest -q $(WHOLE_TESTS) >$(REPORTS)/whole.log 2>&1 & whole=$$!; \
	$(VENV)/bin/pytest -q $(SERVER_TESTS) >$(REPORTS)/server.log 2>&1 & server=$$!; \
	$(VENV)/bin/pytest -q $(patsubst %,--ignore=%,tests/compiled $(WHOLE_TESTS) $(SERVER_TESTS)); \
	failed=$$?; \
	wait $$server || failed=1; \
	wait $$whole || failed=1; \
	cat $(REPORTS)/server.log $(REPORTS)/whole.log; \
	exit $$failed
endif

test: lint unit

# The tests of the core on the compiled wheel, which this builds first: some five minutes.
test-compiled: install
	$(VENV)/bin/pytest -q tests/compiled

# A million broken frames and requests, some ten minutes.
fuzz: install
	$(VENV)/bin/python tests/fuzz $(ARGS)

bench: install fresh
	$(VENV)/bin/python -m loadtest bench $(ARGS)
	$(VENV)/bin/python tests/bench/host_bench.py
	$(VENV)/bin/python tests/bench/activation_bench.py
	$(VENV)/bin/python tests/bench/plan_bench.py
	$(VENV)/bin/python tests/bench/store_bench.py
	$(VENV)/bin/python tests/bench/population_bench.py
	$(VENV)/bin/python tests/bench/restart_bench.py

# Other servers are installed below .genarrative/peers the first time.
bench-peers: install
	@command -v npm >/dev/null || { echo "npm is missing: apt-get install nodejs npm" >&2; exit 1; }
	$(VENV)/bin/python -m loadtest.peers $(ARGS)

balance: install
	$(VENV)/bin/python tests/balance $(ARGS)

clean: pure
	rm -rf $(VENV) tests/node/node_modules .genarrative dist
