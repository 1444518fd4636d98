# Local Reasoning. Needs Python 3.11 or newer, git and make; nothing else.
#
#   make notebooks   set up, then execute the whole series into build/
#   make test        set up, then run every test and compare every notebook
#
# The environment is the conda environment `local-reasoning` if it is activated,
# else a folder .venv made by uv if uv is installed, else .venv made by Python.
# Another Python: make notebooks PYTHON=python3.12

PYTHON ?= python3
UV := $(shell command -v uv 2>/dev/null)

ifeq ($(CONDA_DEFAULT_ENV),local-reasoning)
MANAGER := conda
ENV := $(CONDA_PREFIX)
else
MANAGER := $(if $(UV),uv,venv)
ENV := .venv
endif

PY := $(ENV)/bin/python
PIP := $(PY) -m pip install --quiet --disable-pip-version-check
INSTALL := $(if $(filter uv,$(MANAGER)),uv pip install --quiet --python $(PY),$(PIP))
STAMP := $(ENV)/.set-up-done

# This checkout's helpers come first, whatever else is installed.
export PYTHONPATH := $(CURDIR)$(if $(PYTHONPATH),:$(PYTHONPATH))

# abacus multiplies small matrices: a second thread would mostly wait for the first.
export OPENBLAS_NUM_THREADS ?= 1

# The outputs in the notebooks are those of abacus on the practice problems, so
# that is what they are compared with and refreshed from.
PLAIN := env -u REASONING_MODEL -u REASONING_CHAT -u REASONING_RECORD -u REASONING_REPLAY_ONLY \
	-u REASONING_HOSTS -u OLLAMA_NUM_PARALLEL
DEFAULTS := $(PLAIN) -u GSM8K_PATH
NBVAL := --nbval --nbval-current-env --nbval-cell-timeout=600 \
	--nbval-sanitize-with tests/nbval_sanitize.cfg
# Two processes, each with files of its own: a notebook is one file.
TWO := -n 2 --dist loadfile

.PHONY: help notebooks test test-ollama test-real slides class test-class test-pages test-matrix test-train bench lab refresh clear set-up

help:
	@echo "make notebooks   execute the whole series into build/ (.ipynb and .html)"
	@echo "make test        test the helpers, then compare every notebook's outputs"
	@echo "make test-ollama run every notebook on the engine that is inside Ollama"
	@echo "make test-real   every way to a model, on real weights: REAL_MODEL=file.gguf"
	@echo "make slides      write slides of every notebook into build/slides/"
	@echo "make class       install nbgrader, and write the editions for a class"
	@echo "make test-class  test these, and nbgrader's marking of them"
	@echo "make test-pages  install Playwright, and read every page in Chromium"
	@echo "make test-matrix compare every notebook on Python 3.11 to 3.13, four processors"
	@echo "make test-train  install PyTorch and TRL, and test the bridge to them"
	@echo "make bench       measure how fast all this is, beside other engines"
	@echo "make lab         open the series in JupyterLab"
	@echo "make refresh     re-execute the notebooks in place (for those who write)"
	@echo "make clear       strip the notebooks' outputs (for a class room)"

notebooks: set-up
	@$(PY) -m helpers.workshop.pages build

test: set-up
	@echo "1 of 2: the helpers (tests/)"
	@$(PLAIN) $(PY) -m pytest -q $(TWO) -m "not train and not class_room and not pages and not live and not ollama and not real" tests
	@echo "2 of 2: the notebooks, every output compared"
	@$(DEFAULTS) $(PY) -m pytest -q $(TWO) $(NBVAL) notebooks

test-ollama: set-up
	@$(DEFAULTS) $(PY) -m pytest -q -m ollama tests

test-real: set-up
	@$(INSTALL) -e '.[test,gguf,openai]'
	@$(DEFAULTS) $(PY) -m pytest -q -rs -m real tests
	@$(PLAIN) $(PY) -m pytest -q tests/llm/test_openai_client.py

slides: set-up
	@$(PY) -m helpers.workshop.slides

class: set-up
	@$(INSTALL) -e '.[test,class]'
	@$(PY) -m helpers.workshop.editions

test-class: class
	@$(PLAIN) $(PY) -m pytest -q -m class_room tests

test-pages: set-up
	@$(INSTALL) -e '.[test,pages]'
	@$(PLAIN) $(PY) -m pytest -q -rs -m pages tests/notebooks/test_pages.py

test-matrix: set-up
	@$(PY) tests/matrix.py

test-train: set-up
	@$(INSTALL) -e '.[test,train]'
	@HF_HUB_OFFLINE=1 $(PY) -m pytest -q -m train tests

bench: set-up
	@$(DEFAULTS) $(PY) tests/benchmarks/run.py

lab: set-up
	@$(PY) -m jupyterlab notebooks

refresh: set-up
	@$(DEFAULTS) $(PY) -m helpers.workshop.pages refresh

clear: set-up
	@$(PY) -m helpers.workshop.pages clear

# Installing is skipped, and no network touched, while pyproject.toml is older
# than the stamp and the environment's Python still starts (it may have been
# upgraded or removed since).
set-up: $(STAMP)

ifneq ($(shell $(PY) -c 'print("starts")' 2>/dev/null),starts)
.PHONY: $(STAMP)
endif

$(STAMP): pyproject.toml
	@echo "Setting up $(ENV) with $(MANAGER): a minute or two, the first time only"
	@$(MAKE) --no-print-directory install-with-$(MANAGER)
	@touch "$@"

.PHONY: install-with-conda install-with-uv install-with-venv

# `conda env create` has installed everything already; this only looks.
install-with-conda:
	@$(PY) -m pip install --quiet --no-build-isolation -e '.[test]'

# uv finds a Python that is new enough by itself, unless one was named.
install-with-uv:
	@$(PY) -c '' 2>/dev/null || uv venv --quiet --clear \
		$(if $(filter file,$(origin PYTHON)),,--python $(PYTHON)) .venv
	@$(INSTALL) -e '.[test]'

install-with-venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$(PYTHON) is older than Python 3.11, or not there." \
		"Name a newer one, for instance: make notebooks PYTHON=python3.12"; \
		exit 1; }
	@$(PY) -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	@$(INSTALL) -e '.[test]'
