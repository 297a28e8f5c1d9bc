# `make demo` needs Python >= 3.11 with venv, git and make. `make test` sets up all the rest.

PYTHON   ?= python3
VENV     := .venv
BIN      := $(VENV)/bin
PIP      := $(BIN)/python -m pip --disable-pip-version-check --quiet
WORKERS  ?= 2
ARGS     ?=

# The other implementations that the tests compare with, what pages are looked at and laid out with
# (Chromium, Pango, and letters of every script), and their Debian packages.
PEERS    := /usr/bin/dcmsign /usr/sbin/Orthanc /usr/bin/dciodvfy /usr/share/java/pixelmed.jar /usr/bin/java \
            /usr/lib/softhsm/libsofthsm2.so /usr/bin/pkcs11-tool /usr/bin/openssl \
            /usr/lib/*/libpangoft2-1.0.so.0 /usr/share/fonts/truetype/noto /usr/share/fonts/truetype/droid /usr/lib/postgresql/*/bin/postgres \
            /usr/bin/strace /usr/bin/chromium
PACKAGES := dcmtk dicom3tools pixelmed-apps default-jre-headless softhsm2 opensc openssl orthanc orthanc-dicomweb \
            libpangoft2-1.0-0 libharfbuzz-subset0 fonts-noto-core fonts-droid-fallback postgresql strace chromium

.DEFAULT_GOAL := help
.PHONY: help demo dev peers test lint type prove coverage mutants bench docs-check screenshots settings certs session clean

help: ## Print the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | \
	while IFS='|' read -r target what; do printf '%-18s %s\n' "$$target" "$$what"; done

demo: $(VENV)/.core ## Install the core and tell the whole story, in ./srsign-demo
	@$(BIN)/srsign demo $(ARGS)

dev: $(VENV)/.dev ## Install everything that developing needs, in ./.venv

test: dev peers ## Set up everything and run the whole suite
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

lint: dev ## Check style and format
	$(BIN)/ruff check
	$(BIN)/ruff format --check

type: dev ## Check types
	$(BIN)/mypy

prove: dev peers ## Run the long proofs that `make test` leaves out
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m prove $(ARGS)

coverage: dev peers ## Run the whole suite and print which lines of sr/ it leaves out
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --cov --cov-report=term:skip-covered --cov-fail-under=90 $(ARGS)

mutants: dev ## Take out one refusal or rule of sr/document at a time, and see whether a test notices
	$(BIN)/python -m tools.mutants --workers $(WORKERS) $(ARGS)

bench: dev ## Measure, and print the figures
	$(BIN)/python -m benchmarks $(ARGS)

docs-check: dev ## Check links, samples and help texts in README and docs/
	$(BIN)/python -m pytest tests/architecture/test_docs.py $(ARGS)

session: dev ## Rewrite the terminal session in README with real output
	$(BIN)/python -m tools.readme_session

screenshots: dev ## Take the pictures of the pages in docs/images anew; needs Chromium
	$(BIN)/python -m tools.screenshots

settings: dev ## Write docs/settings.md anew, from what the code says of each setting
	$(BIN)/python -m tools.settings_page

certs: dev ## Make the throw-away certificates of certs-example/ anew
	$(BIN)/python certs-example/make.py

clean: ## Remove what building and testing left behind; keep .venv
	rm -rf build dist srsign-demo .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find sr tests tools -name __pycache__ -prune -exec rm -rf {} +

peers: # as root on Debian or Ubuntu: install; elsewhere say what is missing
	@missing=; for peer in $(PEERS); do [ -e $$peer ] || missing="$$missing $$peer"; done; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -q && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $(PACKAGES); \
	else \
	  echo "not installed:$$missing"; \
	  echo "their tests are skipped, or fail under CI=true; as root, make installs: $(PACKAGES)"; \
	fi

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "srsign needs Python >= 3.11; name one: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "the venv module is missing; on Debian: apt install python3-venv"; exit 1; }

# pip 25.1 is the first that installs dependency groups.
$(VENV)/.core: pyproject.toml | $(BIN)/pip
	@echo "installing srsign into $(VENV), once"
	@$(PIP) install 'pip>=25.1'
	@$(PIP) install --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/pip
	@echo "installing srsign and its development tools into $(VENV), once"
	@$(PIP) install 'pip>=25.1'
	@$(PIP) install --editable '.[all]' --group dev
	@touch $@ $(VENV)/.core
