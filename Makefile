# Each line calls one tool; what they do is in stack/README.md.
.DEFAULT_GOAL := up
SHELL := /bin/sh
PYTHON := .venv/bin/python
STACK := $(PYTHON) -m espace_stack
PACKAGES := benchmarks deploy.backup espace espace_stack espace_web login_simulator identity_service profile_service dossier_service \
	documents_service notifier_service deadline_scheduler_service synthetic_citizen tests
WHICH := -m "not long and not engine and not cluster"
export MYPYPATH := .:shared:stack:stack/simulator:web:synthetic:services/identity:services/profile:services/dossier:services/documents:services/notifier:services/deadline-scheduler

.PHONY: up observe down reset status travel dev test test-services test-platform test-long test-compose test-k8s screens chaos story lint types format bench environment test-environment

up: environment ## start what does not run (AT=2024-10-15T09:00: legal time of a new stack)
	@$(STACK) up $(if $(AT),--at $(AT))

observe: ## Prometheus with our rules against the running stack
	@python3 stack/bootstrap.py --observe
	@$(STACK) observe

down: environment ## stop what up started; data stays
	@$(STACK) down

reset: environment ## stop, and forget all data
	@$(STACK) reset

status: environment ## what runs, with its memory
	@$(STACK) status

travel: environment ## move legal time forward: TO=2024-10-22T00:00
	@$(STACK) travel "$(TO)"

dev: environment ## one service with reload against the running stack: SERVICE=dossier
	@$(STACK) dev "$(SERVICE)"

test: test-environment ## everything but the long tests, two things at a time
	$(MAKE) --jobs=2 --output-sync=target lint test-services test-platform

test-services: test-environment
	$(PYTHON) -m pytest -q $(WHICH) --durations=10 -p no:cacheprovider shared services web synthetic tests/simulation

test-platform: test-environment
	$(PYTHON) -m pytest -q $(WHICH) --durations=10 -p no:cacheprovider stack tests --ignore=tests/simulation

test-long: test-environment ## what make test leaves out, and its tests of kills and races twenty times
	@python3 stack/bootstrap.py --tests --long
	$(MAKE) --jobs=2 --output-sync=target test-services test-platform WHICH='-m "long or asynchronous" --repeat=20 --timeout=1800'

screens: test-environment ## a picture of every screen, in every language, in test-results/screens
	$(PYTHON) -m pytest -q -m browser -p no:cacheprovider web

chaos: test-environment ## ten minutes of citizens and of everything that can go wrong: SEED=… SECONDS=…
	$(PYTHON) -m tests.chaos $(if $(SEED),--seed $(SEED)) $(if $(SECONDS),--seconds $(SECONDS))

story: test-environment ## one story of tests/simulation, step by step: SEED=…
	SEED=$(SEED) $(PYTHON) -m pytest -q -s -p no:cacheprovider tests/simulation/test_stories.py -k fifty

test-compose: test-environment ## docker-compose.yml (COMPOSE_FILE names others): images, the journey, the fault cases
	docker compose up --build --wait
	ESPACE_TEST_PLATFORM=compose $(PYTHON) -m pytest -q -m "anywhere or engine" --durations=10 -p no:cacheprovider \
		tests/deploy tests/e2e

test-k8s: test-environment ## deploy/k8s/overlays/dev on the cluster of KUBECONFIG: the journey, updates, kills, policies
	ESPACE_TEST_PLATFORM=kubernetes $(PYTHON) -m pytest -q --durations=10 -p no:cacheprovider \
		tests/e2e/test_1_journey.py tests/cluster

lint: test-environment types ## style, types, arrows
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	.venv/bin/lint-imports
	cd services/dossier && ../../.venv/bin/lint-imports --config .importlinter

types: test-environment
	$(PYTHON) -m mypy $(PACKAGES:%=-p %)

format: test-environment
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

bench: test-environment ## ratios against a peer measured in the same run, and absolutes: ONLY=relay,latency
	$(PYTHON) -m benchmarks $(if $(ONLY),--only $(ONLY))

environment:
	@python3 stack/bootstrap.py

test-environment:
	@python3 stack/bootstrap.py --tests
