# Two commands for a fresh clone: `make demo` and `make test`. Both set up .venv first, with pinned versions.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test prove soak clients live benchmarks clean

demo: $(VENV)/.made
	$(BIN)/snakemake --cores 4 generate_all

test: $(VENV)/.made
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow/rules
	$(BIN)/mypy
	$(BIN)/snakemake --lint
	$(BIN)/pytest -n 2 --dist loadgroup -m "not soak and not live"

PROVE = $(if $(filter 1,$(LIVE)),--live) $(if $(BASE_URL),--base-url '$(BASE_URL)') $(if $(filter 1,$(YES)),--yes) \
	$(if $(CAP),--cap-usd '$(CAP)') $(foreach glob,$(ONLY),--only '$(glob)')
# What we believe of the API, against the emulator and, with CHARGEN_SAMPLES, against recordings. LIVE=1 asks the real one:
# it shows the price, and starts after a yes or with YES=1. CAP, ONLY and BASE_URL: docs/conformance.md.
prove: $(VENV)/.made
	$(BIN)/python -m conformance $(strip $(PROVE))

# Hours: every failure point, hundreds of seeds of trouble, other clients against the emulator.
soak: $(VENV)/.soak
	CHARGEN_CLIENTS_PAGE=docs/emulator.md $(BIN)/pytest -m soak -v

# Other people's clients alone, and their table in docs/emulator.md. Needs node, npm, curl, jq and the package registries.
clients: $(VENV)/.soak
	CHARGEN_CLIENTS_PAGE=docs/emulator.md $(BIN)/pytest -m soak -v tests/conformance

$(VENV)/.soak: $(VENV)/.made
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,soak,heic]'
	touch $@

# Spends real money: see tests/live/test_live.py.
live: $(VENV)/.made
	$(BIN)/pytest -m live tests/live

benchmarks: $(VENV)/.made
	for script in benchmarks/*.py; do $(BIN)/python $$script || exit 1; done

$(VENV)/.made: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("chargen needs Python 3.11 or newer; try make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,heic]'
	$(BIN)/python -m compileall -q workflow/scripts
	touch $@

clean:
	rm -rf $(VENV) results logs .snakemake
