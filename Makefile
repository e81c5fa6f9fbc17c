# SPDX-License-Identifier: GPL-2.0
# Each target only calls a script. `make help` lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
include versions.mk

export FRESH LONG PARALLEL FILES FLAVOUR SMP MEM BLOCK_SIZE CACHES TIMEOUT APPEND

.PHONY: help demo check check-run guest guest-run setup qemu rootfs kernel kernel-debug tool \
	deb products host protocol ctl boot dt style series harness-test bench bench-baseline clean \
	install uninstall

help: ## this list
	@echo "mtetagram: compressed swap in unused MTE tag storage"
	@echo
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1|\2/p' $(firstword $(MAKEFILE_LIST)) | \
		while IFS='|' read -r target text; do printf '%-22s%s\n' "$$target" "$$text"; done
	@echo
	@echo "Kernel: $(KVER). Machine model: QEMU $(QEMU_PACKAGE_VERSION). Guest: Debian $(DEBIAN_SUITE)."
	@echo "Built things are kept in \$$MTETAGRAM_CACHE, by default ~/.cache/mtetagram."

demo: ## build all, boot, swap to tag storage under pressure, verify all of it
	@scripts/demo.sh

check: check-run ## all tests (ONLY=word: some; FRESH=1: even if nothing changed; LONG=1: also the long ones); the last line is "N passed, N failed"
	@$(call end-with,build/check.status)

guest: guest-run ## a shell in the guest; RUN=script [ARGS=...] [FILES=dir]: run that
	@$(call end-with,build/guest.status)

check-run: setup
	@mkdir -p build; status=0; scripts/check $(ONLY) || status=$$?; \
		echo $$status >build/check.status

guest-run:
	@mkdir -p build; status=0; scripts/guest.sh $(RUN) $(ARGS) || status=$$?; \
		echo $$status >build/guest.status

setup: ## install the packages that are missing
	@scripts/setup.sh

qemu: setup ## the machine model
	@scripts/products.sh qemu

rootfs: setup ## the guest's disk image
	@scripts/products.sh rootfs

kernel: setup ## the release kernel
	@scripts/products.sh kernel-release

kernel-debug: setup ## the debug kernel (lockdep, KASAN, kmemleak, fault injection)
	@scripts/products.sh kernel-debug

tool: setup ## mtetagramctl and the test programs, for the guest
	@scripts/products.sh bin

deb: setup ## Debian packages of the tool; prints their directory
	@scripts/build-deb.sh

products: setup ## all of these
	@scripts/products.sh qemu rootfs bin deb kernel-release kernel-debug

host: setup ## tests: pool and slots in user space
	@scripts/check host

protocol: setup ## tests: the protocol of tag blocks, by a model with all interleavings; litmus tests
	@tests/protocol/run

ctl: setup ## tests: the tool against made-up machines
	@scripts/check ctl

boot: setup ## tests: the set-up at boot, make install, shell completion
	@tests/boot/run

dt: setup ## tests: binding and device trees with dt-schema
	@scripts/products.sh qemu
	@tests/dt/run build/products/qemu

style: setup ## tests: checkpatch, sparse, W=1, kernel-doc, sphinx, manuals, shellcheck, licences
	@tests/gates/style

series: setup ## tests: every patch applies, and compiles with n, m and y
	@tests/gates/series --build

harness-test: products ## tests: tests/qemu/run tells pass, fail, panic, hang, ... apart
	@tests/qemu/harness-test release debug

TOOL_BUILD ?= $(CURDIR)/build/tool
install: ## the tool and its set-up at boot, on this machine (DESTDIR=, PREFIX=)
	@$(MAKE) -C tools/mtetagramctl O=$(TOOL_BUILD) install
	@$(MAKE) -C tools/boot install

uninstall: ## remove what install has installed
	@$(MAKE) -C tools/mtetagramctl O=$(TOOL_BUILD) uninstall
	@$(MAKE) -C tools/boot uninstall

bench: setup ## the benchmarks whose inputs have changed (FRESH=1: all), and the report; bench-NAME: one
	@scripts/bench

bench-baseline: setup ## measure the ratios anew that make check compares with, and show old and new
	@scripts/products.sh qemu rootfs bin kernel-release
	@tests/bench/baseline/check --renew

bench-%: setup
	@scripts/bench $*

clean: ## remove build/; the cache stays
	rm -rf build

# When a recipe fails, make ends with 2. The targets check and guest promise the status of
# their script: they end make with the status in a file, see scripts/make_exit.c. If that
# cannot be loaded, the status is 0 or 2.
ifneq ($(filter check guest,$(MAKECMDGOALS)),)
-load build/make_exit.so
endif
end-with = $(if $(.LOADED),$(exit-with $(file <$(1))),exit $$(<$(1)))

build/make_exit.so: scripts/make_exit.c
	@scripts/setup.sh
	@mkdir -p build
	@gcc -shared -fPIC -Wall -Wextra -o $@ $<
