# Every task of the project. `make` alone lists them; each installs what it needs first, inside this checkout only.
ifeq ($(OS),Windows_NT)
$(error Taskmesh does not run on Windows itself. Use WSL 2: https://learn.microsoft.com/windows/wsl/install)
endif
SHELL := bash
.DEFAULT_GOAL := help
export UV_CACHE_DIR := $(CURDIR)/.cache/uv
# Where the environment forbids bytecode, every start would compile every package again: three times as slow.
export PYTHONDONTWRITEBYTECODE :=

bin := .venv/bin
# One more than there are cores, because tests often wait for the processes that they start.
workers = $$($(bin)/python -c 'import os; print(min(4, os.cpu_count() + 1))')
compile := $(bin)/uv pip compile --system-certs --quiet --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-annotate --no-header $(if $(UPGRADE),--upgrade)

.PHONY: help
help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

.PHONY: install
install: ## Make .venv and .venv-tools with what the locks pin (PYTHON=... chooses the Python)
	@scripts/install

.PHONY: dev
dev: install ## Start everything on this machine, until Ctrl-C (.env.example lists the settings)
	@$(bin)/python -m scripts.dev --with-parent

.PHONY: up
up: ## Start everything in containers and wait until it works (ARGS='--scale task-svc=2'); needs Docker
	@scripts/up $(ARGS)

.PHONY: up-lite
up-lite: ## The same without monitoring: a good third less memory (after a make up: make down first)
	@COMPOSE_PROFILES= scripts/up $(ARGS)

.PHONY: down
down: ## Stop the containers; the data stays (ARGS=--volumes removes it)
	@scripts/compose down $(ARGS)

.PHONY: logs
logs: ## Follow what the containers write (ARGS=task-svc chooses)
	@scripts/compose logs --follow --tail 100 $(ARGS)

.PHONY: ps
ps: ## Show the containers and their health
	@scripts/compose ps --all $(ARGS)

.PHONY: doctor
doctor: ## Look at the machine and at everything that runs; say what is amiss and how to mend it (ARGS=--json)
	@$(or $(wildcard $(bin)/python),python3) -m scripts.doctor $(ARGS)

.PHONY: verify
verify: install ## Tell whether what runs does what a phase of the course promises (PHASE=1 … 7)
	@$(bin)/python -m scripts.verify $(PHASE)

.PHONY: dead-letters
dead-letters: install ## List what the notifier could not handle (ARGS='replay KEY', ARGS='discard --all', ARGS=--help)
	@NOTIFY_GRPC_TARGET=$${NOTIFY_GRPC_TARGET:-127.0.0.1:$${NOTIFY_GRPC_PORT:-50052}} \
	  $(bin)/python -m notify_svc.cli.dead_letters $(ARGS)

.PHONY: kong-user
kong-user: install ## List who may call through the gateway (ARGS='add NAME', ARGS='password NAME', ARGS=--help)
	@$(bin)/python -m kong.users $(or $(ARGS),list)

.PHONY: kong-apply
kong-apply: ## Bring kong/kong.yml, the users and the secrets into the Kong that runs; sessions go on; needs Docker
	@scripts/kong-apply

.PHONY: seed
seed: install ## Give the user demo some tasks to look at; safe to repeat
	@$(bin)/python -m scripts.seed

.PHONY: load
load: install ## Make the dashboards move (ARGS='--rate 50 --seconds 300', ARGS=--through-gateway, ARGS=--help)
	@scripts/load $(ARGS)

.PHONY: drill
drill: install ## Switch a fault on for you to find (N=1 … 4; without N it lists them; ARGS='--seconds 300')
	@$(bin)/python -m scripts.drill $(N) $(ARGS)

.PHONY: test
test: install ## Run the tests but the slow ones, the page's too (ARGS='-k words' chooses, and leaves those out)
	$(if $(ARGS),,@scripts/web test)
	@$(bin)/pytest -n $(workers) --dist worksteal -m "not slow and not browser and not course and not faults" $(ARGS)

.PHONY: coverage
coverage: install ## Measure what unit and integration tests cover of the services; fails below the floor in pyproject.toml
	@$(bin)/pytest -q -n $(workers) --dist worksteal -m "not slow and not faults" tests/unit tests/integration --cov

.PHONY: slow
slow: install ## Run the slow tests: a backlog of 100,000 events, drills, dashboards, a new service, and generated clients
	@$(bin)/pytest -m "slow and not browser" $(ARGS)

.PHONY: test-faults
test-faults: install ## Run the fault tests that take long, up to three minutes each, one at a time
	@$(bin)/pytest -m faults $(ARGS)

.PHONY: faults
faults: install ## Run every fault test and write docs/reference/faults.md anew
	@scripts/browser-deps
	@$(bin)/python -m tests.faults.harness.page $(ARGS)

.PHONY: simulate
simulate: install ## Look for a seed of the simulation that breaks a promise (SEED=n shows the run of one)
	@$(bin)/python -m tests.simulation $(SEED)

.PHONY: clients
clients: install ## Try linters, generators, and clients in Go and Node (ARGS='--watch-seconds 330'); needs Go, Java, Maven, network
	@scripts/clients $(ARGS)

.PHONY: course
course: install ## Run every command that README.md and docs/ show and compare what it writes (COURSE=write takes it into the page)
	@$(bin)/pytest -m course $(ARGS)

.PHONY: test-browser
test-browser: install ## Run the tests of the page in a real Chromium, with everything up (CHROMIUM=... chooses it)
	@scripts/browser-deps
	@$(bin)/pytest -m "browser and not lighthouse" $(ARGS)

.PHONY: screenshots
screenshots: install ## Take the pictures for the README anew
	@scripts/browser-deps
	@SCREENSHOTS=take $(bin)/pytest -m browser tests/browser/test_screenshots.py

.PHONY: lighthouse
lighthouse: install ## Have Lighthouse judge the page, signed in and not; each score must be 95 or more
	@scripts/browser-deps
	@$(bin)/pytest -m lighthouse $(ARGS)

.PHONY: test-kong
test-kong: install ## Try the attacks on the gateway on a running Kong with the demo users (GATEWAY_URL=http://127.0.0.1:8000)
	@GATEWAY_URL=$(or $(GATEWAY_URL),http://127.0.0.1:8000) $(bin)/pytest tests/e2e/test_gateway_*.py $(ARGS)

.PHONY: test-mongod
test-mongod: install ## Run the task store's tests on a real mongod, in a container of its own; needs Docker
	@scripts/test-mongod

.PHONY: contract
contract: install ## Hold the protos and the REST interface against another commit (BASE=origin/main): nothing may break
	@scripts/contract

.PHONY: audit
audit: install ## Scan what the locks pin for known vulnerabilities; needs the network
	@scripts/audit

.PHONY: bench-live
bench-live: install ## Measure how soon watchers learn of a task, and what they cost
	@$(bin)/python -m benchmarks.live

.PHONY: check
check: install ## Check style, types, imports, the contract, generated code, alerts and locks; change nothing
	@scripts/prometheus >/dev/null
	@scripts/check

.PHONY: fmt
fmt: install ## Format the code and the protos
	@$(bin)/ruff check --fix-only --quiet
	@$(bin)/ruff format
	@$(bin)/buf format --write

.PHONY: docs
docs: install ## Write what is generated in docs/ (excerpts, the reference), and .env.example
	@$(bin)/python -m tests.request_path
	@$(bin)/python -m scripts.docs_check write

.PHONY: gen
gen: install ## Make gen/ from protos/, and the dashboards from scripts/dashboards/
	@scripts/gen
	@$(bin)/python -m scripts.dashboards

.PHONY: new-service
new-service: install ## Write a new gRPC service to start from: code, proto, tests, containers, docs (NAME=label)
	@$(bin)/python -m scripts.new_service "$(NAME)"

.PHONY: baseline
baseline: install ## Accept the contract as it is: from now on `make check` compares with it
	@$(bin)/buf build --exclude-source-info -o protos/baseline.binpb

.PHONY: lock
lock: install ## Pin what pyproject.toml asks for; keeps the pins that fit (UPGRADE=1 takes the newest)
	@$(compile) pyproject.toml --group dev --output-file requirements-dev.txt
	@$(compile) --group tools --output-file requirements-tools.txt
	@$(compile) --group clients --constraints requirements-dev.txt --output-file tests/clients/requirements.txt
	@$(compile) pyproject.toml --constraints requirements-dev.txt --output-file chassis/requirements.txt
	@for lock in $(filter-out chassis/%,$(wildcard */requirements.txt)); do \
	  service=$${lock%/*}; \
	  $(compile) pyproject.toml --group $${service/_/-} --constraints requirements-dev.txt --output-file $$lock || exit; \
	done

.PHONY: clean
clean: ## Remove what was installed and cached; the data in .data stays
	@rm -rf .venv .venv-tools web/node_modules web/.svelte-kit web/build .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
