# SPDX-License-Identifier: GPL-2.0
# Targets only; each is a script. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup qemu rootfs kernel kernel-debug tool products products-all demo \
	check guest host style series selftest clean

RUN ?=
FILES ?=
ARGS ?=
FLAVOUR ?= release
SMP ?= 2
MEM ?= 1G
BLOCK_SIZE ?= 4096

help: ## this list
	@echo "mtetagram: compressed swap in unused MTE tag storage"
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | \
		sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'
	@echo
	@sed -n 's/^\(KERNEL\|QEMU\)_PACKAGE_VERSION=/  supported: \1 /p' versions.mk

demo: products ## build all, boot, swap to tag storage under pressure, verify it
	@scripts/demo.sh

check: ## all tests; the last line is "N passed, N failed"
	@scripts/check.sh

guest: products ## a shell in the guest, or RUN=script [FILES=dir] [ARGS=...]
	@if [ -n "$(RUN)" ]; then \
		exec tests/qemu/run --products build/products --flavour $(FLAVOUR) \
			--smp $(SMP) --mem $(MEM) --block-size $(BLOCK_SIZE) \
			$(if $(FILES),--files $(FILES)) $(RUN) $(ARGS); \
	else \
		exec tests/qemu/run --products build/products --flavour $(FLAVOUR) \
			--smp $(SMP) --mem $(MEM) --block-size $(BLOCK_SIZE) --shell; \
	fi

setup: ## install the packages that are missing
	@scripts/setup.sh

qemu: setup ## build the machine model
	@scripts/products.sh qemu

rootfs: setup ## make the guest's disk image
	@scripts/products.sh rootfs

kernel: setup ## build the release kernel
	@scripts/products.sh kernel-release

kernel-debug: setup ## build the debug kernel (lockdep, KASAN, kmemleak, ...)
	@scripts/products.sh kernel-debug

tool: setup ## build mtetagramctl and the guest's test programs
	@scripts/products.sh bin

products: setup ## all of the above, release only, in build/products
	@scripts/products.sh qemu rootfs kernel-release bin

host: setup ## tests that need no guest: pool and slots in user space, the tool
	@scripts/check.sh host

selftest: products ## does the harness tell pass, fail, panic, hang apart?
	@tests/qemu/selftest

style: setup ## checkpatch, sparse, W=1, kernel-doc, shellcheck, SPDX
	@scripts/style.sh

series: setup ## every patch of the series applies, and compiles n, m and y
	@scripts/series.sh

clean: ## remove build/; the cache stays
	rm -rf build
