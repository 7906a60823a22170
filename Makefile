# All commands of the project. `make help` lists the commands with `##`, and `make help-all` also those with `#:`. Each
# command first installs what it needs into this checkout.
ifeq ($(OS),Windows_NT)
$(error Taskmesh does not run on Windows itself. Use WSL 2: https://learn.microsoft.com/windows/wsl/install)
endif
SHELL := bash
.DEFAULT_GOAL := help
export UV_CACHE_DIR := $(CURDIR)/.cache/uv
# Without bytecode files, every start compiles all packages, and takes three times as long.
export PYTHONDONTWRITEBYTECODE :=

bin := .venv/bin
# One more than the number of cores, because tests often wait for processes that they start; at most 4.
workers = $$($(bin)/python -c 'import os; print(min(4, os.cpu_count() + 1))')
compile := $(bin)/uv pip compile --system-certs --quiet --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-annotate --no-header $(if $(UPGRADE),--upgrade)

.PHONY: help
help: ## List the main commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

.PHONY: help-all
help-all: ## List all commands
	@awk -F ':.*#[#:] ' '/^[a-z-]+:.*#[#:] / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

.PHONY: install
install: #: Create .venv and .venv-tools from the locks (PYTHON=... selects the Python)
	@scripts/install

.PHONY: dev
dev: install ## Start everything on this machine until Ctrl-C (.env.example lists the settings)
	@$(bin)/python -m scripts.dev --with-parent

.PHONY: dev-mono
dev-mono: install #: Start everything as `make dev` does, but all Python services in one process, to see what the mesh costs
	@$(bin)/python -m scripts.dev --mono --with-parent

.PHONY: up
up: ## Start everything in containers (ARGS='--scale task-svc=2'); needs Docker
	@scripts/up $(ARGS)

.PHONY: up-lite
up-lite: #: Start everything in containers except monitoring (after `make up`: first `make down`); needs Docker
	@COMPOSE_PROFILES= scripts/up $(ARGS)

.PHONY: down
down: ## Stop the containers and keep the data (ARGS=--volumes deletes it)
	@scripts/compose down $(ARGS)

.PHONY: logs
logs: #: Follow the logs of all containers, or of one (ARGS=task-svc)
	@scripts/compose logs --follow --tail 100 $(ARGS)

.PHONY: ps
ps: #: Show the containers and their health
	@scripts/compose ps --all $(ARGS)

.PHONY: doctor
doctor: ## Check the machine and the running system, and explain how to fix problems (ARGS=--json)
	@$(or $(wildcard $(bin)/python),python3) -m scripts.doctor $(ARGS)

.PHONY: verify
verify: install ## Check that the running system meets the goals of a phase of the course (PHASE=1 to 7)
	@$(bin)/python -m scripts.doctor --phase '$(PHASE)' $(ARGS)

.PHONY: dead-letters
dead-letters: install ## List dead letters: failed events and deliveries (ARGS='replay KEY', ARGS='discard --all', ARGS=--help)
	@scripts/dead-letters $(ARGS)

.PHONY: kong-user
kong-user: install ## List the users of the gateway (ARGS='add NAME', ARGS='password NAME', ARGS=--help)
	@$(bin)/python -m kong.users $(or $(ARGS),list)

.PHONY: kong-apply
kong-apply: #: Load kong/kong.yml, the users and the secrets into the running Kong; needs Docker
	@scripts/kong-apply

.PHONY: seed
seed: install ## Create example tasks for the user demo; safe to repeat
	@$(bin)/python -m scripts.seed

.PHONY: load
load: install ## Send requests, so that the dashboards show activity (ARGS='--rate 50 --seconds 300', ARGS=--help)
	@scripts/load $(ARGS)

.PHONY: drill
drill: install ## Cause a failure for you to find (N=1 to 4; without N, list the drills)
	@$(bin)/python -m scripts.drill $(N) $(ARGS)

.PHONY: test
test: install ## Run the tests, except those that take minutes (ARGS='-k words' selects tests)
	$(if $(ARGS),,@scripts/web test)
	@$(bin)/pytest -n $(workers) --dist worksteal -m "not slow and not browser and not course and not faults" $(ARGS)

.PHONY: coverage
coverage: install #: Measure the coverage of the services; fails below the minimum in pyproject.toml
	@$(bin)/pytest -q -n $(workers) --dist worksteal -m "not slow and not faults" tests/unit tests/integration --cov

.PHONY: slow
slow: install #: Run the slow tests: a backlog of 100,000 events, drills, dashboards, a new service, generated clients
	@$(bin)/pytest -m "slow and not browser" $(ARGS)

.PHONY: test-faults
test-faults: install #: Run the fault tests that take up to three minutes each
	@$(bin)/pytest -m faults $(ARGS)

.PHONY: faults
faults: install #: Run all fault tests and generate docs/reference/faults.md
	@scripts/browser-deps
	@$(bin)/python -m tests.faults.harness.page $(ARGS)

.PHONY: simulate
simulate: install #: Search for a seed that makes the simulation fail (SEED=n shows the run with that seed)
	@$(bin)/python -m tests.simulation $(SEED)

.PHONY: clients
clients: install #: Test the API with linters, generators, and Go and Node clients (ARGS='--watch-seconds 330'); needs Go, Java, Maven
	@scripts/clients $(ARGS)

.PHONY: course
course: install #: Run every command in README.md and docs/ and compare its output (COURSE=write updates the pages)
	@$(bin)/pytest -n $(workers) --dist loadfile -m course $(ARGS)

.PHONY: test-browser
test-browser: install #: Run the browser tests in Chromium (CHROMIUM=... selects the program)
	@scripts/browser-deps
	@$(bin)/pytest -m "browser and not lighthouse" $(ARGS)

.PHONY: screenshots
screenshots: install #: Take the screenshots for the README
	@scripts/browser-deps
	@SCREENSHOTS=take $(bin)/pytest -m browser tests/browser/test_screenshots.py

.PHONY: lighthouse
lighthouse: install #: Run Lighthouse on the page; each score must be at least 95
	@scripts/browser-deps
	@$(bin)/pytest -m lighthouse $(ARGS)

.PHONY: test-kong
test-kong: install #: Run the gateway tests against a running Kong with the demo users (GATEWAY_URL=http://127.0.0.1:8000)
	@GATEWAY_URL=$(or $(GATEWAY_URL),http://127.0.0.1:8000) $(bin)/pytest tests/e2e/test_gateway_*.py $(ARGS)

.PHONY: test-mongod
test-mongod: install #: Run the task store's tests against a real mongod in a container; needs Docker
	@scripts/test-mongod

.PHONY: contract
contract: install #: Compare the protos and the OpenAPI document with another commit (BASE=origin/main); needs Go
	@scripts/contract

.PHONY: audit
audit: install #: Scan dependencies for known vulnerabilities; needs the network
	@scripts/audit

.PHONY: bench
bench: install #: Compare the mesh with simpler systems, as ratios of one run (ARGS='--only requests', ARGS=--help); 8 minutes
	@$(bin)/python -m benchmarks $(ARGS)

.PHONY: bench-growth
bench-growth: install #: Measure how costs grow with tasks, watchers and events in a backlog (ARGS='--only tasks')
	@$(bin)/python -m benchmarks growth $(ARGS)

.PHONY: bench-live
bench-live: install #: Measure the delay until watchers receive an event, and the cost of watchers
	@$(bin)/python -m benchmarks.live

.PHONY: bench-page
bench-page: install #: Compare the page with 10,000 tasks and with 50, in Chromium with a slow CPU
	@scripts/browser-deps
	@$(bin)/python -m benchmarks.page

.PHONY: check
check: install ## Check style, types, imports, the contract, generated files, configuration, and docs
	@scripts/prometheus >/dev/null
	@scripts/check

.PHONY: words
words: #: List words to avoid in pages, comments and docstrings, with file and line
	@scripts/words

.PHONY: fmt
fmt: install ## Format the code and the protos
	@$(bin)/ruff check --fix-only --quiet
	@$(bin)/ruff format
	@$(bin)/buf format --write

.PHONY: docs
docs: install ## Generate excerpts and reference pages in docs/, and .env.example
	@$(bin)/python -m tests.request_path
	@$(bin)/python -m scripts.docs_check write

.PHONY: gen
gen: install #: Generate gen/ from protos/
	@scripts/gen

.PHONY: new-service
new-service: install #: Create a gRPC service with proto, tests, containers and docs (NAME=label)
	@$(bin)/python -m scripts.new_service "$(NAME)"

.PHONY: baseline
baseline: install #: Accept the current contract as the baseline for `make check`
	@$(bin)/buf build --exclude-source-info -o protos/baseline.binpb

.PHONY: lock
lock: install #: Pin the dependencies in pyproject.toml (UPGRADE=1 takes the newest versions)
	@$(compile) pyproject.toml --group dev --output-file requirements-dev.txt
	@$(compile) --group tools --output-file requirements-tools.txt
	@$(compile) --group clients --constraints requirements-dev.txt --output-file tests/clients/requirements.txt
	@$(compile) pyproject.toml --constraints requirements-dev.txt --output-file chassis/requirements.txt
	@for lock in $(filter-out chassis/%,$(wildcard */requirements.txt)); do \
	  service=$${lock%/*}; \
	  $(compile) pyproject.toml --group $${service/_/-} --constraints requirements-dev.txt --output-file $$lock || exit; \
	done

.PHONY: clean
clean: #: Remove installed and cached files; keep the data in .data
	@rm -rf .venv .venv-tools web/node_modules web/.svelte-kit web/build .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
