# The doors. On a fresh Debian 12 as root: `make demo` or `make test`.
BUILD   ?= build
JOBS    ?= $(shell nproc)
PREFIX  ?= /usr/local
PROGRAM  = $(BUILD)/fieldcast

.PHONY: all deps build demo test check bench format format-check lint install clean

all: build

deps: ## install what is missing (Debian 12, root)
	@sh hpc/deps.sh

build: deps
	@test -f $(BUILD)/CMakeCache.txt || cmake --preset release -B $(BUILD) > $(BUILD)-configure.log 2>&1 || \
	  { cat $(BUILD)-configure.log; exit 1; }
	@rm -f $(BUILD)-configure.log
	@cmake --build $(BUILD) -j $(JOBS) -- --no-print-directory --quiet

demo: build ## data by our solver, training, rollout, table and pictures under demo/
	@sh examples/first-light/run $(PROGRAM) demo

test: build ## all tests
	@ctest --test-dir $(BUILD) -j $(JOBS) --output-on-failure

check: build ## the quick part: ops, core and files
	@ctest --test-dir $(BUILD) -j $(JOBS) --output-on-failure -L quick

bench: build ## side by side with PyTorch and ONNX Runtime; needs a quiet machine; MODEL=transolver: only that
	@sh bench/bench.sh $(BUILD) $(if $(MODEL),--model $(MODEL))

SOURCES = $(shell git ls-files '*.c' '*.h')
format:
	@clang-format -i $(SOURCES)
format-check:
	@clang-format --dry-run -Werror $(SOURCES)

lint: build ## static analysis and the folder rule
	@sh tests/layers.sh
	@cppcheck --quiet --error-exitcode=1 --inline-suppr --enable=warning,portability --std=c11 -I. --library=tests/cppcheck.cfg \
	  --suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches core hpc io operators forecast solvers train cli

install: build
	@cmake --install $(BUILD) --prefix $(PREFIX)

clean:
	@rm -rf $(BUILD) demo
