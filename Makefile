# make lab   set up, and run the lab study (about a quarter of an hour on two cores)
# make extra set up, train small networks, and judge their accuracy beside their speed (ten minutes)
# make variants  set up, and hold ResNet-18 in eager torch against ONNX Runtime in fp32 and int8
# make test  set up, and pass the tests
# make check linters, types, layers, documentation and tests
# make docs  the documentation as a site, in site/
# make bench how good the instrument itself is

PYTHON ?= python3
VENV ?= .venv
BUDGET ?= 13m
WORKERS ?= auto
BIN = $(VENV)/bin
PIP_INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check \
  $(PIP_FLAGS) -c constraints.txt

.PHONY: lab extra variants test busy-tests quiet-tests compiled check lint docs browser bench clean

# The table comes last; a lab with failed cells (status 1) still gets its report.
# An interrupted lab goes on where it was; delete inferometer.db to measure anew.
lab: $(VENV)/.lab
	@status=0; \
	$(BIN)/inferometer run lab --resume --budget $(BUDGET) --store inferometer.db || status=$$?; \
	if [ $$status -le 1 ]; then \
	  $(BIN)/inferometer report latest -o report --store inferometer.db || status=$$?; \
	fi; \
	exit $$status

# Weights are kept in the user's cache: a second time begins with the runs.
extra: $(VENV)/.extra
	$(BIN)/python examples/train_small.py
	@for study in extra extra-segmentation; do \
	  $(BIN)/inferometer run examples/$$study.yaml --resume --store extra.db || test $$? -le 1; \
	  $(BIN)/inferometer compare latest --by precision --store extra.db; \
	  $(BIN)/inferometer recommend latest --store extra.db || test $$? -le 1; \
	  $(BIN)/inferometer report latest -o report-extra/$$study --store extra.db; \
	done

# Random weights whose batch norm has seen inputs: outputs carry signal, so that fidelity means
# something. Eager torch has no int8 of convolutions: that cell says so (status 1).
variants: $(VENV)/.variants
	@$(BIN)/inferometer run --models 'resnet18?weights=calibrated' --backends torch,onnxruntime \
	  --precisions fp32,int8 --batch 1 --size 224 --preset quick --store variants.db || test $$? -le 1

# Most tests side by side, on one thread each; then those that need a quiet machine, one by one.
test: busy-tests
	$(MAKE) quiet-tests

busy-tests: $(VENV)/.dev browser
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder \
	  -m "not quiet and not runtimes"

quiet-tests: $(VENV)/.dev
	$(BIN)/python -m pytest -m quiet tests/system

# What the tests import: compiled once, before several processes would each compile it.
compiled: $(VENV)/.dev
	@$(BIN)/python -m pytest --collect-only -qq >$(VENV)/tests.txt || { cat $(VENV)/tests.txt; exit 1; }

# The page of the report is tested in a browser; where there is none, these tests are skipped.
browser:
	@command -v chromium >/dev/null || { \
	  test "$$(id -u)" = 0 && command -v apt-get >/dev/null && apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
	    chromium fonts-dejavu-core >/dev/null; \
	} || echo "chromium cannot be installed here: the tests of the page are skipped"

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint docs test

# Strict: every warning is an error. The variable silences an advertisement for another tool.
docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo "site/index.html is built"

# The scorecard of docs/method/scorecard.md, an hour and three quarters; nothing else should run
# meanwhile. The last one needs the other tools' environments, about 7 GB.
bench: $(VENV)/.dev
	$(BIN)/python benchmarks/loop_overhead.py     # 5 s
	$(BIN)/python benchmarks/parent_cost.py       # 1 min
	$(BIN)/python benchmarks/monitoring.py        # 1 min
	$(BIN)/python benchmarks/bias.py              # 3 min
	$(BIN)/python benchmarks/warmup_detection.py --trials 2000  # 2 min
	$(BIN)/python benchmarks/coverage.py          # 5 min
	$(BIN)/python benchmarks/real_coverage.py     # 12 min
	$(BIN)/python benchmarks/faults.py --episodes 40  # 10 min
	$(BIN)/python benchmarks/pairs.py same        # 8 min
	$(BIN)/python benchmarks/pairs.py quiet       # 3 min
	$(BIN)/python benchmarks/pairs.py busy        # 15 min
	$(BIN)/python benchmarks/energy_coverage.py   # 1 min
	$(BIN)/python benchmarks/energy_lab.py        # 9 min
	$(BIN)/python benchmarks/accuracy_statistics.py  # 3 min
	$(BIN)/python benchmarks/findings.py          # 6 min
	$(BIN)/python benchmarks/roofline.py          # 2 min
	$(BIN)/python benchmarks/operations.py        # 1 min
	$(BIN)/python benchmarks/planted_faults.py    # 2 min
	$(BIN)/python benchmarks/energy_sampling.py   # 2 min
	$(BIN)/python benchmarks/peers/setup.py       # 10 min, the first time
	$(BIN)/python benchmarks/reproducibility.py   # 24 min
	$(BIN)/python benchmarks/runtime_tools.py     # 8 min, with all runtimes

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.lab: $(BIN)/python pyproject.toml constraints.txt
	$(PIP_INSTALL) -e '.[lab]'
	@touch $@

$(VENV)/.extra: $(BIN)/python pyproject.toml constraints.txt
	$(PIP_INSTALL) -e '.[extra]'
	@touch $@

$(VENV)/.variants: $(BIN)/python pyproject.toml constraints.txt
	$(PIP_INSTALL) -e '.[variants]'
	@touch $@

$(VENV)/.dev: $(BIN)/python pyproject.toml constraints.txt
	$(PIP_INSTALL) -e '.[all,dev]'
	@touch $@

$(VENV)/.docs: $(BIN)/python pyproject.toml constraints.txt
	$(PIP_INSTALL) -e '.[docs]'
	@touch $@

# All that `make check` needs, at once: a second look for what is there already takes long.
$(VENV)/.check: $(BIN)/python pyproject.toml constraints.txt
	$(PIP_INSTALL) -e '.[all,dev,docs]'
	@touch $(VENV)/.dev $(VENV)/.docs $@

clean:
	rm -rf $(VENV) report report-extra site inferometer.db inferometer.db-wal inferometer.db-shm \
	  extra.db extra.db-wal extra.db-shm variants.db variants.db-wal variants.db-shm
