# Two commands: `make demo` and `make test`. Each sets up what it needs.
ifeq ($(OS),Windows_NT)
PYTHON ?= py -3
else
PYTHON ?= python3
endif
DEV = $(PYTHON) tools/dev.py

.PHONY: demo demo-clean test test-night cover check bench sbom lock

demo:            ## the demo clinic and the app, in your browser  (ARGS=--no-browser prints the link)
	@$(DEV) demo $(ARGS)

demo-clean:      ## remove everything the demo wrote
	@$(DEV) demo-clean

test:            ## the whole test suite  (ARGS="tests/unit -x" for a part)
	@$(DEV) test $(ARGS)

test-night:      ## two million new random cases, every fault (ARGS=-x to stop at the first failure)
	@$(DEV) test-night $(ARGS)

cover:           ## every branch of the consent engine is walked by its quick tests
	@$(DEV) cover $(ARGS)

check:           ## formatting, lint, types, architecture, texts
	@$(DEV) check

bench:           ## every benchmark, with its goals  (ARGS=consent_bench for one)
	@$(DEV) bench $(ARGS)

sbom:            ## every package of the lock as CycloneDX, in sbom.cdx.json  (ARGS=FILE)
	@$(DEV) sbom $(ARGS)

lock:            ## resolve the dependencies again (needs uv)
	@$(DEV) lock
