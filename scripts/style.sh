#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# scripts/style.sh [PATTERN]: the style gates, all or those whose name holds
# PATTERN: licence lines, checkpatch --strict, shellcheck, kernel-doc, the documents
# built by sphinx, manual pages, and our kernel files compiled with sparse (C=2) and
# W=1 without a warning. KTAP on stdout.
# shellcheck disable=SC2317 # the gates are called by name
set -euo pipefail
. "$(dirname "$0")/common.sh"

BASE=$CACHE/linux-$KVER
TREE=$BASE/tree-style
OUT=$BASE/style
LOG=$BUILD/style
CHECKPATCH=(perl "$TREE/scripts/checkpatch.pl" --strict --quiet --terse --show-types
	--max-line-length=100)
# What checkpatch may not say, and why:
#   CAMELCASE            names of registers and of zstd are as the kernel has them
KERNEL_IGNORE=CAMELCASE
# and in user space, where the kernel's types, macros and functions are not there:
#   ARRAY_SIZE, PREFER_KERNEL_TYPES, PREFER_DEFINED_ATTRIBUTE_MACRO, CONSIDER_KSTRTO,
#   SSCANF_TO_KSTRTO, STRCPY, STRNCPY, ENOSYS, USE_NEGATIVE_ERRNO, CONST_STRUCT
#   VOLATILE             is how a test reads memory that changes under it
#   EMBEDDED_FUNCTION_NAME, LONG_LINE_STRING   messages are for users, in one piece
#   AVOID_EXTERNS        of getopt and the like
USER_IGNORE=$KERNEL_IGNORE,ARRAY_SIZE,PREFER_KERNEL_TYPES,PREFER_DEFINED_ATTRIBUTE_MACRO
USER_IGNORE+=,CONSIDER_KSTRTO,SSCANF_TO_KSTRTO,STRCPY,STRNCPY,ENOSYS,USE_NEGATIVE_ERRNO
USER_IGNORE+=,CONST_STRUCT,VOLATILE,EMBEDDED_FUNCTION_NAME,LONG_LINE_STRING,AVOID_EXTERNS

# Our files, whether committed or about to be, without what tests compare with.
ours()
{
	(cd "$TOP" && git ls-files -co --exclude-standard -- "$@" | sort -u) |
		while read -r file; do
			[[ ! -f $TOP/$file ]] || printf '%s\n' "$file"
		done
}

kernel_files()
{
	ours 'arch/*.[ch]' 'drivers/*.[ch]' 'include/*.[ch]' 'mm/*.[ch]'
}

gate_spdx()
{
	local file status=0

	while read -r file; do
		case $file in
		COPYING | MAINTAINERS | *.md | debian/changelog | debian/source/format | \
			patches/* | tests/ctl/[0-9]* | tests/ctl/trees/* | \
			tests/ctl/fuzz/corpus/* | \
			Documentation/ABI/*) continue ;;
		esac
		head -n 3 "$TOP/$file" | grep -q 'SPDX-License-Identifier:.*GPL-2.0' || {
			echo "$file has no licence line"
			status=1
		}
	done < <(ours .)
	return "$status"
}

# The tree has our files at the same place.
gate_checkpatch_kernel()
{
	cd "$TREE"
	# A file of macros for the tracing system is no ordinary header.
	kernel_files | grep -v '/trace\.h$' |
		xargs "${CHECKPATCH[@]}" --ignore "$KERNEL_IGNORE" -f
}

# The shim imitates macros of the kernel, letter by letter.
gate_checkpatch_user()
{
	ours 'tests/*.[ch]' 'tools/*.[ch]' | grep -v '^tests/host/shim/' | sed "s|^|$TOP/|" |
		xargs -r "${CHECKPATCH[@]}" --no-tree --root="$TREE" --ignore "$USER_IGNORE" -f
}

# No function has more than 75 lines.
gate_function_length()
{
	ours '*.c' | (cd "$TOP" && xargs awk '
		FNR == 1 { start = 0 }
		/^{/ { start = FNR }
		/^}/ { if (start && FNR - start - 1 > 75) {
				print FILENAME ":" start ": function of " FNR - start - 1 " lines"
				bad = 1
			}
			start = 0 }
		END { exit bad }')
}

gate_shellcheck()
{
	ours . | grep -v '^tests/ctl/[0-9]' | while read -r file; do
		if head -n 1 "$TOP/$file" | tr -d '\0' | grep -qE '^#!.*\b(ba)?sh\b'; then
			printf '%s\0' "$file"
		fi
	done | (cd "$TOP" && xargs -0 shellcheck -e SC2317 -x -P SCRIPTDIR scripts/common.sh)
}

gate_kernel_doc()
{
	local found

	found=$(kernel_files | sed "s|^|$TOP/|" |
		xargs perl "$TREE/scripts/kernel-doc" -none -Wall 2>&1)
	[[ -z $found ]] || { echo "$found"; return 1; }
}

gate_manual()
{
	local dir

	for dir in tools/mtetagramctl tools/boot; do
		make -s -C "$TOP/$dir" lint
	done
}

# Our pages alone, with the kernel's configuration and extensions: what make htmldocs
# would say about them.
gate_documents()
{
	local src=$LOG/documents

	rm -rf "$src" "$LOG/html"
	mkdir -p "$src"
	(cd "$TOP/Documentation" && find . -name '*.rst' -exec cp --parents -t "$src" {} +)
	(cd "$TOP" && perl "$TREE/scripts/get_abi.pl" rest --dir Documentation/ABI) >"$src/abi.rst"
	printf '%s\n' mtetagram ========= '' '.. toctree::' '   :glob:' '' '   **' >"$src/index.rst"
	# The kernel's configuration looks for its own files in its own directory.
	(cd "$TREE/Documentation" && srctree=$TREE PYTHONDONTWRITEBYTECODE=1 sphinx-build -q \
		-b html -c "$TREE/Documentation" -d "$LOG/html.doctrees" -D version="$KVER" \
		-D release="$KVER" -D kerneldoc_bin="$TREE/scripts/kernel-doc" \
		-D kerneldoc_srctree="$TOP" "$src" "$LOG/html") >"$LOG/sphinx.log" 2>&1
	# No figures here, so nothing to draw them with.
	if grep -vE '^WARNING: dot\(1\) not found|^Using .* theme$|^$' "$LOG/sphinx.log"; then
		return 1
	fi
	grep -q arch_mtetagram_clean_tags "$LOG/html/mm/mtetagram-hook.html"
}

# Attributes as Documentation/ABI names them, below the device's directory.
documented_attributes()
{
	sed -n 's|^What:[[:space:]]*/sys/block/mtetagram<id>/||p' \
		"$TOP"/Documentation/ABI/testing/sysfs-block-mtetagram
}

# The guest compares what there is with Documentation/ABI (tests/guest/attrs.sh); this,
# Documentation/ABI with what the admin guide explains.
gate_abi()
{
	local guide=$TOP/Documentation/admin-guide/blockdev/mtetagram.rst status=0 name

	(cd "$TOP" && perl "$TREE/scripts/get_abi.pl" validate --dir Documentation/ABI) 2>&1 |
		(! grep .)
	(($(documented_attributes | wc -l) > 20))
	while read -r name; do
		grep -qE "(^|[^a-z_])${name##*/}([^a-z_]|$)" "$guide" || {
			echo "the admin guide does not explain $name"
			status=1
		}
	done < <(documented_attributes)
	return "$status"
}

# Each file has an entry in MAINTAINERS, and each entry a file.
gate_maintainers()
{
	ours . | python3 -c '
import fnmatch, re, sys
files = sys.stdin.read().split("\n")[:-1]
entries = re.findall(r"^F:\s*(\S+)", open(sys.argv[1], encoding="utf-8").read(), re.M)
matches = lambda name, entry: fnmatch.fnmatch(name, entry + "*" * entry.endswith("/"))
bad = [f"{name} has no entry" for name in files if not any(matches(name, e) for e in entries)]
bad += [f"F: {e} has no file" for e in entries if not any(matches(name, e) for name in files)]
print("\n".join(bad))
sys.exit(bool(bad))' "$TOP/MAINTAINERS"
}

# The build directory of the style gates; only our directories are compiled.
prepare_kernel()
{
	mkdir -p "$OUT"
	{
		grep -hE '^(CONFIG_|# CONFIG_.* is not set$)' "$TOP"/tests/qemu/kernel.config \
			"$TOP"/tests/qemu/mtetagram.config
		echo CONFIG_MTETAGRAM_DEBUG=y
	} >"$OUT/requested.new"
	if ! cmp -s "$OUT/requested.new" "$OUT/requested.config" || [[ ! -f $OUT/.config ]]; then
		"${MAKE[@]}" KCONFIG_ALLCONFIG="$OUT/requested.new" allnoconfig
		mv "$OUT/requested.new" "$OUT/requested.config"
	fi
	"${MAKE[@]}" -j"$JOBS" prepare modules_prepare
}

# Compiles all of our files again and shows what the compiler and sparse say.
compile_ours()
{
	local objects

	find "$OUT/drivers/block/mtetagram" "$OUT/arch/arm64/mm" -name '*.o' -delete 2>/dev/null || :
	objects=$(kernel_files | grep '^arch/.*\.c$' | sed 's/c$/o/')
	# shellcheck disable=SC2086 # one word each
	"${MAKE[@]}" -j"$JOBS" "$@" drivers/block/mtetagram/ $objects 2>&1
}

# What is said about our files; the kernel's own headers are not ours to fix.
about_ours()
{
	local pattern

	pattern=$(kernel_files | sed 's/[].[*^$]/\\&/g' | paste -sd'|')
	! grep -E "($pattern):[0-9]+.*(warning|error):|^make.*Error" "$1"
}

gate_w1()
{
	compile_ours W=1 >"$LOG/w1.log" || { tail -n 30 "$LOG/w1.log"; return 1; }
	about_ours "$LOG/w1.log"
}

gate_sparse()
{
	compile_ours C=2 CF=-D__CHECK_ENDIAN__ >"$LOG/sparse.log" ||
		{ tail -n 30 "$LOG/sparse.log"; return 1; }
	grep -q '  CHECK ' "$LOG/sparse.log" || { echo "sparse did not run"; return 1; }
	about_ours "$LOG/sparse.log"
}

gate_python()
{
	ours . | while read -r file; do
		if head -n 1 "$TOP/$file" | tr -d '\0' | grep -q '^#!.*python3'; then
			printf '%s\n' "$TOP/$file"
		fi
	done | xargs -r -d '\n' python3 -c '
import ast, sys
for name in sys.argv[1:]:
    ast.parse(open(name, encoding="utf-8").read(), name)'
}

MAKE=(nice make -C "$TREE" O="$OUT" ARCH=arm64 LOCALVERSION=
	CROSS_COMPILE="$CROSS_COMPILE" CC="ccache ${CROSS_COMPILE}gcc")
unset MAKEFLAGS
mkdir -p "$LOG" "$BASE"
with_lock "$BASE/style.lock"
"$TOP/scripts/kernel-tree.sh" style >/dev/null
cd "$LOG"

gates=(spdx shellcheck python function_length checkpatch_kernel checkpatch_user
	kernel_doc manual documents abi maintainers w1 sparse)
chosen=()
for gate in "${gates[@]}"; do
	[[ $gate != *"${1:-}"* ]] || chosen+=("$gate")
done
if [[ ${chosen[*]} == *w1* || ${chosen[*]} == *sparse* ]]; then
	run_logged "preparing a kernel tree for the style gates" "$LOG/prepare.log" prepare_kernel
fi
echo "KTAP version 1"
echo "1..${#chosen[@]}"
number=0 failed=0
for gate in "${chosen[@]}"; do
	number=$((number + 1))
	if (set -e; "gate_$gate") >"$LOG/$gate.out" 2>&1; then
		echo "ok $number $gate"
	else
		grep -v '^total: 0 errors, 0 warnings, 0 checks' "$LOG/$gate.out" |
			head -n 100 | sed 's/^/# /'
		echo "not ok $number $gate"
		failed=1
	fi
done
exit $failed
