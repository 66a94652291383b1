# The commands of the README, each with all of its own set-up: make run, make demo, make test.
# lint, screenshots, catalogues, installers and clean are for developers. Windows users start `python -m app` themselves.

PYTHON := .venv/bin/python
STAMP := .venv/.installed
VERSION = $(shell $(PYTHON) -c 'from app import __version__; print(__version__)')

.PHONY: run demo test lint screenshots translated catalogues manual frozen linux windows installers tables clean

run: $(STAMP)
	$(PYTHON) -m app

demo: $(STAMP)
	$(PYTHON) -m tests.demo

test: lint
	$(PYTHON) -m pytest

lint: $(STAMP)
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

# What is kept of each kind of object, for the help.
tables: $(STAMP)
	$(PYTHON) -m tests.kept_attributes

# Every page of the window at work on the demo, into build/screenshots; with FOLDER=/home/ann/Consign, which the demo
# is made in, also those of the help and the README.
screenshots: $(STAMP)
	$(PYTHON) -m tests.gui.screenshots $(FOLDER)

# The help as HTML in every language, into build/manual.
manual: $(STAMP)
	$(PYTHON) -m tests.manual

# PAGES="de/find fr/find" follow the English pages of now.
translated: $(STAMP)
	$(PYTHON) -m tests.help_translations $(PAGES)

# The texts of the code in every language, under resources/locale; says what is left to translate.
catalogues: $(STAMP)
	$(PYTHON) -m tests.catalogues

# All that this machine can build, into dist/; packaging/README.md says what each needs, and how each is tried.
installers: linux windows
	build/env/bin/cyclonedx-py requirements packaging/requirements/windows.txt --output-reproducible --of JSON \
	  -o dist/consign-sbom-windows.cdx.json
	cd dist && ls consign*.* | grep -v -- -trial | xargs sha256sum > SHA256SUMS

linux: frozen
	bash packaging/linux/build.sh $(VERSION)

windows: $(STAMP)
	$(PYTHON) packaging/icons.py build/icons
	$(PYTHON) packaging/windows/build.py

frozen: $(STAMP)
	bash packaging/freeze.sh
	$(PYTHON) packaging/check_frozen.py dist/consign

# bootstrap.sh writes the stamp last: an installation that was interrupted is repeated.
$(STAMP): pyproject.toml packaging/bootstrap.sh
	@bash packaging/bootstrap.sh .venv

clean:
	rm -rf .venv demo build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
	find app tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
