# Everything one does with the shop. Works with GNU make 3.81 and newer; `make` alone lists the targets.
.DEFAULT_GOAL := help
.PHONY: help demo run test faults check bench lock clean venv

PY := .venv/bin/python
# Set where there is no .venv, or where its Python went away with an upgrade of the system.
MISSING_VENV := $(shell test -x $(PY) || echo venv)
LOCK := CUSTOM_COMPILE_COMMAND="make lock" $(PY) -m piptools compile --quiet --generate-hashes --strip-extras \
	--allow-unsafe --no-emit-find-links --no-emit-index-url --no-emit-trusted-host

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

demo: .venv/.stamp-run ## Start a stocked shop with a local Stripe; nothing to set up (PORT=8080 picks the port)
	@$(PY) -m flask --app wsgi shop demo

run: .venv/.stamp-run ## Serve with gunicorn on the settings in .env
	@sh deploy/setup.sh serving
	@$(PY) -m flask --app wsgi shop init
	@exec $(PY) -m gunicorn --config deploy/gunicorn.conf.py wsgi:app

test: .venv/.stamp-dev ## Run every test (ARGS="-m 'not browser'" is the quick loop)
	@$(PY) -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder $(ARGS)

faults: .venv/.stamp-dev ## Kill the shop a thousand times on each database (ARGS="--seed 17" is one run again)
	@$(PY) -m tests.faults $(ARGS)
	@test -n "$(ARGS)" || SWEEP=every $(PY) -m pytest --quiet tests/faults/test_sweep.py

check: .venv/.stamp-dev ## Lint, types and import directions
	@$(PY) -m ruff check .
	@$(PY) -m mypy
	@$(PY) -m pytest --quiet tests/test_house_rules.py

bench: .venv/.stamp-dev ## Compare our pages and webhook with bare reference programs
	@$(PY) -m bench $(ARGS)

lock: .venv/.stamp-dev ## Pin the requirements*.in files anew (ARGS=--upgrade takes newer versions)
	@$(LOCK) $(ARGS) --output-file requirements.txt requirements.in
	@$(LOCK) $(ARGS) --output-file requirements-postgres.txt requirements-postgres.in
	@$(LOCK) $(ARGS) --output-file requirements-dev.txt requirements-dev.in

clean: ## Remove what can be made again; keeps instance/ and .env
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage* htmlcov
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

venv:
	@sh deploy/setup.sh venv

.venv/.stamp-run: $(MISSING_VENV) requirements.txt
	@sh deploy/setup.sh install requirements.txt
	@touch $@

.venv/.stamp-dev: .venv/.stamp-run requirements-dev.txt
	@sh deploy/setup.sh install requirements-dev.txt
	@touch $@
