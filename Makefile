# The two commands of the README. Nothing is needed but make and Python 3.10 or newer (PYTHON=python3.12 picks one).
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed

.PHONY: demo test install
.DEFAULT_GOAL := demo

demo: $(INSTALLED)  ## simulate a visit, run the whole pipeline on it, print the receipts beside the truth
	$(BIN)/gocv demo

test: $(INSTALLED)  ## every check that there is; .ci/run calls this
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest

install: $(INSTALLED)

# ultralytics asks for opencv-python and albumentations for opencv-python-headless. Both unpack into cv2/, and whichever
# comes last stays. The headless one needs no libGL, which a bare machine lacks, so it is laid over the other.
$(INSTALLED): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	@echo "Installing gocv and all extras into $(VENV): several gigabytes, so this takes minutes the first time."
	$(BIN)/python -m pip install --quiet --editable ".[all]"
	$(BIN)/python -m pip install --quiet --force-reinstall --no-deps \
		"$$($(BIN)/python -m pip freeze | grep '^opencv-python-headless==')"
	touch $@
