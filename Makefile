# make run     reads the sample articles with the embedded model; sets up .venv on first use
# make test    passes the tests in the same environment
# make check   format, lint, types, tests
# make model   makes the embedded model anew: hours on two cores, minutes on a GPU

PYTHON ?= python3
# The build of PyTorch that is installed where .venv has none. One that is there already is kept.
TORCH ?= torch==2.13.0
CORPORA ?= ../shared/corpora
ARTICLES ?= ../shared/articles
BIN = .venv/bin

.PHONY: run test check model scores
run: .venv/ready
	$(BIN)/python -m pipeline.run input=annotations/gold/dispatches/test.jsonl output=runs/sample

test: .venv/ready
	$(BIN)/python -m pytest

check: .venv/ready
	PATH="$(CURDIR)/$(BIN):$$PATH" scripts/check

.venv/ready: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -c 'import torch' 2>/dev/null || $(BIN)/python -m pip install --quiet $(TORCH)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

model: .venv/ready
	$(BIN)/python -m pipeline.pretrain output=runs/encoder_first corpora=$(CORPORA) budget_minutes=60 schedule.optimizer=muon
	$(BIN)/python -m pipeline.pretrain output=runs/encoder corpora=$(CORPORA) start=runs/encoder_first \
		budget_steps=13800 schedule.rate=0.001 schedule.fall=0.8 sources.wikipedia_de=2.0
	$(MAKE) scores
	$(BIN)/python -m pipeline.train experiment=embedded articles=$(ARTICLES) output=runs/embedded
	$(BIN)/python scripts/make_embedded.py runs/embedded runs/leave_one_out runs/unseen_articles runs/encoder
	$(BIN)/python -m pipeline.train experiment=learning_curve articles=$(ARTICLES) output=runs/learning_curve
	$(BIN)/python scripts/make_curve.py runs/learning_curve --articles $(ARTICLES)

scores: .venv/ready
	$(BIN)/python -m pipeline.train experiment=leave_one_out articles=$(ARTICLES) output=runs/leave_one_out
	$(BIN)/python -m pipeline.train experiment=unseen_articles articles=$(ARTICLES) output=runs/unseen_articles
