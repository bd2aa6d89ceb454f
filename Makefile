# Everyday commands. `make run` and `make test` install what they need into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= 2

.PHONY: run simulated-devices test test-slow test-postgres verdicts influx-test celery-test siege fuzz mutants production-test production-test-long \
  production-soak wheels lock \
  lint types check bench study soak load crashes faults browser messages screenshots vendor-check clean

$(VENV)/.run-installed: requirements.lock
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing heatmon's requirements into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

$(VENV)/.dev-installed: requirements-dev.lock $(VENV)/.run-installed
	@echo "Installing the tools for tests and linters into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

run: $(VENV)/.run-installed  ## start heatmon; without devices the demo
	@exec $(BIN)/python manage.py up $(ARGS)

simulated-devices: $(VENV)/.run-installed  ## a simulated meter and cloud, to try the setup with
	@exec $(BIN)/python manage.py simulated_devices $(ARGS)

test: $(VENV)/.dev-installed  ## the tests, in about five minutes
	$(BIN)/python -m pytest -n $(JOBS) -m "not slow" $(ARGS)

test-slow: $(VENV)/.dev-installed  ## those that walk pages in a browser, play days or kill processes (about seven minutes)
	$(BIN)/python -m pytest -n $(JOBS) -m slow $(ARGS)

test-postgres: $(VENV)/.dev-installed  ## the tests that use the ORM, on a PostgreSQL server of their own
	$(BIN)/python tools/postgres.py $(BIN)/python -m pytest -n $(JOBS) -m "not slow" $(ARGS) --ignore tests/heatmon/test_simulate.py \
	  tests/accounts tests/api tests/changelog tests/dashboard tests/devices tests/heatmon tests/metrics

celery-test: $(VENV)/.dev-installed  ## beat, workers and a real Redis, disturbed in every way (about 5 minutes)
	$(BIN)/python -m pytest -n 0 -s -p no:randomly tests/production/test_celery.py $(ARGS)

verdicts: $(VENV)/.dev-installed  ## verdicts on simulated houses polled over HTTP, day by day (SEEDS=2, about 5 minutes each)
	EFFECT_OVER_HTTP=1 EFFECT_SEEDS=$(or $(SEEDS),2) $(BIN)/python -m pytest -n $(JOBS) tests/effects/test_through_the_wire.py $(ARGS)

influx-test: $(VENV)/.dev-installed  ## InfluxDB on a real influxd 2: HEATMON_TEST_INFLUXDB=its path, or on the PATH
	@test -x "$${HEATMON_TEST_INFLUXDB:-$$(command -v influxd)}" || \
	  { echo "No influxd is found: set HEATMON_TEST_INFLUXDB to the path of influxd 2, or put it on the PATH." >&2; exit 1; }
	HEATMON_INFLUX_DAYS=30 $(BIN)/python -m pytest -n $(JOBS) -m influxd $(ARGS)

fuzz: $(VENV)/.dev-installed  ## 500 odd requests to each address, by nobody, a reader and the owner (SEED=1)
	HEATMON_FUZZ_REQUESTS=$(or $(REQUESTS),500) HEATMON_FUZZ_SEED=$(or $(SEED),1) \
	  $(BIN)/python -m pytest -n $(JOBS) tests/test_fuzz.py $(ARGS)

mutants: $(VENV)/.dev-installed  ## takes each protection away in a copy and sees its test fail (about 10 minutes)
	$(BIN)/python -m tools.mutants $(ARGS)

siege: $(VENV)/.dev-installed  ## both servers under half-open, dripping and oversized requests: SECONDS=60 each
	$(BIN)/python -m tests.production.siege $(or $(SECONDS),60)

production-test: $(VENV)/.dev-installed  ## the image and docker-compose.yml for real (root on Debian)
	$(BIN)/python -m pytest -n 0 -s -p no:randomly tests/production/test_gunicorn.py \
	  tests/production/test_compose.py tests/production/test_documents.py $(ARGS)

production-test-long: $(VENV)/.dev-installed  ## 15 minutes in which each service is killed in turn: no minute is lost
	$(BIN)/python -m tests.production.long

production-soak: $(VENV)/.dev-installed  ## docker-compose.yml for two hours: every poll counted (MINUTES=120)
	$(BIN)/python -m tests.production.soak $(or $(MINUTES),120)

wheels: $(VENV)/.dev-installed  ## every requirement has a wheel for the image on arm64 and amd64
	@for platform in manylinux2014_aarch64 manylinux2014_x86_64; do \
	  $(BIN)/python -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
	    --python-version 3.13 --implementation cp --platform $$platform --platform manylinux_2_28_$${platform#manylinux2014_} \
	    --dest build/wheels-$$platform --require-hashes -r requirements.lock && echo "$$platform: all wheels are there" || exit 1; done

lock: $(VENV)/.run-installed  ## requirements*.lock: the pins with the hashes of their files, after a pin has changed
	$(BIN)/python -m tools.lock

lint: $(VENV)/.dev-installed  ## style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev-installed  ## types
	$(BIN)/mypy .

vendor-check: $(VENV)/.run-installed  ## vendored assets are what vendor.toml says
	$(BIN)/python tools/vendor_check.py

check: lint types vendor-check test

bench: $(VENV)/.dev-installed  ## store and pages on ten years of data
	$(BIN)/python -m bench $(ARGS)

study: $(VENV)/.dev-installed  ## numbers and effects against simulated truth (about an hour; ARGS=effects: 15 minutes)
	$(BIN)/python -m tools.study $(ARGS)

soak: $(VENV)/.dev-installed  ## 50 stops under load, 200 kills (KILLS=200), 200 power cuts, a month of faults (SEEDS)
	$(BIN)/python -m tools.soak.stops $(ARGS)
	$(BIN)/python -m tools.soak.kills --count $(or $(KILLS),200)
	$(MAKE) crashes CUTS=200
	for seed in $(or $(SEEDS),1 2 3 4 5); do \
	  $(BIN)/python manage.py simulate --days 30 --faults all --seed $$seed --json || exit 1; done

load: $(VENV)/.dev-installed  ## fifty open dashboards and one Chromium beside collection (10 minutes)
	$(BIN)/python -m tools.soak.load $(ARGS)

crashes: $(VENV)/.dev-installed  ## killed at each crash point three times, power cuts (CUTS=30; about 5 minutes)
	HEATMON_POWER_CUTS=$(or $(CUTS),30) $(BIN)/python -m pytest -n $(JOBS) -s -p no:randomly \
	  tests/production/test_crash_points.py tests/production/test_power_cuts.py $(ARGS)

faults: $(VENV)/.dev-installed  ## each fault of the simulator alone for a day (about 10 minutes)
	$(BIN)/python -m pytest -n $(JOBS) -s -p no:randomly tests/production/test_faults.py $(ARGS)

messages: $(VENV)/.dev-installed  ## collect texts into locale/ and compile them (needs Debian's gettext)
	$(BIN)/python manage.py makemessages -l de --no-location --no-wrap --no-obsolete -i .venv -i tests -i build
	$(BIN)/python manage.py compilemessages -l de

screenshots: $(VENV)/.dev-installed  ## the README's pictures, from the demo (needs Chromium)
	$(BIN)/python tools/screenshots.py

clean:
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis build
