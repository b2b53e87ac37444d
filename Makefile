# Every target makes .venv and installs what it needs by itself; the second time that takes no time.

.PHONY: help demo test test-all test-containers lint bench bench-artifacts bench-others bench-s3 bench-kubeflow clean ready-demo ready-test ready-lint

# With these every process of the tests would compile what the one before it has compiled.
unexport PYTHONDONTWRITEBYTECODE PYTHONUNBUFFERED

help:
	@echo "make demo    run the example pipeline twice: first the work, then the cache"
	@echo "make test    run the tests; of the long sweeps a part"
	@echo "             (make test-all: every case of them; it takes several times as long)"
	@echo "make test-containers   run compiled steps as containers: with the docker daemon that answers,"
	@echo "             else as root with Debian's, which it installs, starts and ends"
	@echo "make lint    check style, types, the direction of imports and docs/reference"
	@echo "make bench   run the benchmarks (make bench-artifacts: how fast values are kept and got back;"
	@echo "             make bench-others: beside other tools, which it installs;"
	@echo "             make bench-s3: what a bucket takes;"
	@echo "             make bench-kubeflow: what a submission takes, and watching it)"
	@echo "make clean   remove .venv, caches and build products, but no run and no artifact"
	@echo
	@echo "Python 3.11 or newer is looked for; to name one: make test PYTHON=python3.13"

demo: ready-demo
	@echo "penstock: examples/digits.py, for the first time"
	@.venv/bin/python examples/digits.py
	@echo "penstock: examples/digits.py, once more"
	@.venv/bin/python examples/digits.py

test: ready-test
	.venv/bin/python -m pytest -n 4 --dist worksteal

test-all: ready-test
	PENSTOCK_TEST_ALL=1 .venv/bin/python -m pytest -n 4 --dist worksteal

test-containers: ready-test
	@.venv/bin/python tests/containers/in_containers.py

lint: ready-lint
	.venv/bin/python -m ruff check
	.venv/bin/python -m ruff format --check
	.venv/bin/python -m mypy sdk .ci/venv.py $(wildcard integrations/penstock_* examples/*.py benchmarks/*.py)
	.venv/bin/python tests/typing/check.py
	.venv/bin/lint-imports --no-logo
	.venv/bin/python docs/reference/make.py --check

bench: ready-test
	.venv/bin/python benchmarks/run.py

bench-artifacts: ready-test
	.venv/bin/python benchmarks/artifacts.py

bench-others: ready-test
	.venv/bin/python benchmarks/others.py

bench-s3: ready-test
	.venv/bin/python benchmarks/s3.py

bench-kubeflow: ready-test
	.venv/bin/python benchmarks/kubeflow.py

clean:
	rm -rf .venv build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

pythons = $(if $(PYTHON),"$(PYTHON)",.venv/bin/python python3 python3.13 python3.12 python3.11)

ready-demo ready-test ready-lint: ready-%:
	@for python in $(pythons); do \
	    "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	    exec "$$python" .ci/venv.py $*; \
	done; \
	echo "penstock: Python 3.11 or newer is needed, and none was found (tried: $(strip $(pythons)))." >&2; \
	echo "Install one (Debian, Ubuntu: apt-get install python3 python3-venv; macOS: brew install python)," >&2; \
	echo "or name the one you have: make $(firstword $(MAKECMDGOALS)) PYTHON=/path/to/python3" >&2; \
	exit 1
