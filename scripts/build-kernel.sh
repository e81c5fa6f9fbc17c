#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# scripts/build-kernel.sh FLAVOUR: builds that flavour of the kernel and prints the
# directory that holds the products:
#   arch/arm64/boot/Image, vmlinux, System.map, .config
#   staging/lib/modules/VERSION/   the modules, ready for the guest
# The flavour "release" is the kernel with the driver, "stock" the same one without
# our patches, and any other adds tests/qemu/FLAVOUR.config to release.
# Nothing is done if no input changed. A configuration that does not hold
# every requested option fails the build and is named.

set -euo pipefail
. "$(dirname "$0")/common.sh"

FLAVOUR=${1:-release}
BASE=$CACHE/linux-$KVER
OUT=$BASE/$FLAVOUR
FRAGMENTS=("$TOP/tests/qemu/kernel.config")
case $FLAVOUR in
stock) export MTETAGRAM_NO_PATCHES=1 ;;
release) FRAGMENTS+=("$TOP/tests/qemu/mtetagram.config") ;;
kernel | mtetagram) die "$FLAVOUR is no flavour" ;;
*) FRAGMENTS+=("$TOP/tests/qemu/"{mtetagram,"$FLAVOUR"}.config) ;;
esac
[[ -f ${FRAGMENTS[-1]} ]] || die "no such flavour: ${FRAGMENTS[-1]#"$TOP"/} is missing"
MAKE=(make -C "$BASE/tree-$FLAVOUR" O="$OUT" ARCH=arm64 LOCALVERSION=
	CROSS_COMPILE="$CROSS_COMPILE" CC="ccache ${CROSS_COMPILE}gcc")

# A flavour may change what kernel.config says: the last line about an option counts.
requested()
{
	cat "${FRAGMENTS[@]}" | grep -E '^(CONFIG_|# CONFIG_.* is not set$)' | tac |
		awk '{ name = $0; sub(/^# /, "", name); sub(/[= ].*/, "", name) }
			!seen[name]++' | tac
}

# Compares every requested line with the configuration that came out.
check_config()
{
	local line name lost=0

	while read -r line; do
		name=$(sed -E 's/^(# )?(CONFIG_[A-Z0-9_a-z]+).*/\2/' <<<"$line")
		if [[ $line == '# '* ]]; then
			grep -q "^$name=" "$OUT/.config" || continue
		elif grep -qxF -- "$line" "$OUT/.config"; then
			continue
		fi
		printf 'lost option: %s (the configuration has: %s)\n' "$line" \
			"$(grep -E "^(# )?${name}[= ]" "$OUT/.config" || echo nothing)" >&2
		lost=1
	done < <(requested)
	((!lost)) || die "the $FLAVOUR configuration lacks requested options"
}

configure()
{
	requested >"$OUT/requested.config"
	"${MAKE[@]}" KCONFIG_ALLCONFIG="$OUT/requested.config" allnoconfig \
		>"$OUT/configure.log" 2>&1 || {
		tail -n 20 "$OUT/configure.log" >&2
		die "configuration of $FLAVOUR failed"
	}
	check_config
}

install_modules()
{
	rm -rf "$OUT/staging" "$OUT/staging.tmp"
	"${MAKE[@]}" -s INSTALL_MOD_PATH="$OUT/staging.tmp" modules_install \
		>"$OUT/install.log" 2>&1 || die "installing modules failed: $OUT/install.log"
	rm -f "$OUT"/staging.tmp/lib/modules/*/{build,source}
	mv "$OUT/staging.tmp" "$OUT/staging"
}

# Everything that decides what comes out.
inputs()
{
	(cd "$BASE/stage-$FLAVOUR" && find . -type f | sort | xargs -r sha256sum)
	requested
	compiler_id "${CROSS_COMPILE}gcc"
	echo "$KSHA256"
	sha256sum <"$TOP/scripts/build-kernel.sh"
}

mkdir -p "$OUT"
with_lock "$BASE/$FLAVOUR.lock"
"$TOP/scripts/kernel-tree.sh" "$FLAVOUR" >/dev/null
stamp=$(inputs | sha256sum)
if [[ ! -f $OUT/stamp || $(<"$OUT/stamp") != "$stamp" ]]; then
	rm -f "$OUT/stamp"
	configure
	run_logged "building the $FLAVOUR kernel" "$OUT/build.log" \
		nice "${MAKE[@]}" -j"$JOBS" Image modules
	install_modules
	printf '%s\n' "$stamp" >"$OUT/stamp"
fi
printf '%s\n' "$OUT"
