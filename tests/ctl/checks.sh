# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154,SC2034
# The tests of mtetagramctl that are not cases. tests/ctl/run reads this file, and sets
# $here, $top, $tool_dir, $tool, $out and $work. A test is a function check_NAME. If it
# fails, its status is not 0 and its output says what is wrong.

checks=(size_test values-abi values-manual values-trees warnings includes expected help
	manual-page formats prometheus-parser fuzz)

# Attributes of the driver that are not in the table of values: those that are only
# written, the binary block map, which blockmap.c reads, and the result of verify.c.
other_attributes="compact
mem_limit
mem_used_max
reset
tag_storage/block_map
tag_storage/offline_page
tag_storage/verify"

# The parsers of sizes and numbers, called directly.
check_size_test()
{
	gcc -std=gnu11 -D_GNU_SOURCE -g -Wall -Wextra -Wno-missing-field-initializers \
		-fsanitize=address,undefined -fno-sanitize-recover=all -I "$tool_dir" \
		-o "$out/size_test" "$here/size_test.c" "$tool_dir/size.c" &&
		"$out/size_test"
}

# list_values FIELD: one field of the table of values (2 file, 3 column, 4 metric), without
# repetitions.
list_values()
{
	gcc -std=gnu11 -Wall -Wextra -I "$tool_dir" -o "$out/list_values" \
		"$here/list_values.c" "$tool_dir/values.c" "$tool_dir/size.c" || return
	"$out/list_values" | awk -v field="$1" '$field != "-" { print $field }' | sort -u
}

# Documentation/ABI names the files of the table and the other attributes, and no more.
# The kernel, and not the driver, makes the file stat.
check_values_abi()
{
	{
		list_values 2 | grep -vx stat
		echo "$other_attributes"
	} | sort >"$work/ours"
	sed -n 's|^What:[[:space:]]*/sys/block/mtetagram<id>/||p' \
		"$top/Documentation/ABI/testing/sysfs-block-mtetagram" | sort >"$work/abi"
	diff -u --label "the tool" --label Documentation/ABI "$work/ours" "$work/abi"
}

# The manual page names each column and each metric.
check_values_manual()
{
	local status=0 name field

	for field in 3 4; do
		list_values $field >"$work/names"
		[[ -s $work/names ]] || status=1
		while read -r name; do
			if ! grep -qE "^\.It.* (Cm|Li) $name( |\$)" "$tool_dir/mtetagramctl.8"; then
				echo "$name is not in the manual page"
				status=1
			fi
		done <"$work/names"
	done
	return $status
}

# The manual page and the help of the column WARNINGS name each warning.
check_warnings()
{
	local status=0 name help

	help=$("$tool" status --help | grep ' WARNINGS ')
	sed -n 's/.*warning="\(.*\)".*/\1/p' "$here/cases/303-stats-prometheus/expected/stdout" |
		sort -u >"$work/names"
	[[ -s $work/names ]] || status=1
	while read -r name; do
		if ! grep -q "^\.It Cm $name\$" "$tool_dir/mtetagramctl.8" || [[ $help != *" $name"* ]]; then
			echo "$name is not in the manual page or not in the help"
			status=1
		fi
	done <"$work/names"
	return $status
}

# Each tree has the files of the table and the other attributes, and no more. The kernel
# makes the file dev.
check_values_trees()
{
	local status=0 tree

	{
		list_values 2
		echo "$other_attributes"
		echo dev
	} | sort >"$work/ours"
	for tree in "$here"/trees/*; do
		(cd "$tree/sys/devices/virtual/block/mtetagram0" && find . ! -type d) |
			sed 's|^\./||' | sort >"$work/tree-files"
		diff -u --label "the tool" --label "$(basename "$tree")" "$work/ours" \
			"$work/tree-files" || status=1
	done
	return $status
}

# No circle: tsort finds an order of all files of the tool, in which each file includes
# only later ones. A .c file and its header count as one.
check_includes()
{
	(cd "$tool_dir" && grep -o '^#include "[a-z_]*\.h"' ./*.[ch]) |
		sed 's|^\./||; s/\.[ch]:#include "/ /; s/\.h"$//' | awk '$1 != $2' |
		tsort >"$work/order" && [[ -s $work/order ]]
}

# What the cases expect comes from the tool: exit statuses that it has, and messages of
# its own or of the programs in bin/. --accept takes also a crash, and the message of a
# shell whose script is wrong.
check_expected()
{
	local status=0

	! grep -Lx '[0-8]' "$here"/cases/*/expected/status | grep . || status=1
	! grep -vE '^(mtetagramctl: |Try .mtetagramctl |(mkswap|swapon|swapoff): |/dev/mtetagram0: (shrinking|moving swap))' \
		"$here"/cases/*/expected/stderr || status=1
	return $status
}

# Every option that --help names is in the manual page, and no line is too wide.
check_help()
{
	local status=0 command option

	for command in "" status watch map stats setup limit resize drain verify reset; do
		# shellcheck disable=SC2086 # one word, or none
		"$tool" $command --help >"$work/help" || status=1
		if grep -E '^.{81}' "$work/help"; then
			echo "^ too wide, $command --help"
			status=1
		fi
		grep -o -E -e '--[a-z-]+' "$work/help" | sort -u >"$work/options"
		[[ -s $work/options ]] || status=1
		while read -r option; do
			if ! grep -q -e "Fl ${option/-/}\\>" "$tool_dir/mtetagramctl.8"; then
				echo "$option of $command is not in the manual page"
				status=1
			fi
		done <"$work/options"
	done
	return $status
}

check_manual_page()
{
	make -s -C "$tool_dir" lint
}

# Other programs can read what the expected files hold.
check_formats()
{
	local status=0 file

	python3 - "$here"/cases/*/expected/stdout "$here"/cases/*/expected/sys/*.svg <<'PYTHON' || status=1
import json, sys, xml.dom.minidom
counts = {"svg": 0, "json": 0, "lines": 0}
for name in sys.argv[1:]:
    with open(name, encoding="utf-8", errors="replace") as f:
        text = f.read()
    if text.startswith("<svg"):
        xml.dom.minidom.parseString(text)
        counts["svg"] += 1
    elif text.startswith("{\n"):
        json.loads(text)
        counts["json"] += 1
    elif text.startswith("{"):
        for line in text.splitlines():
            json.loads(line)
        counts["lines"] += 1
print(counts)
sys.exit(min(counts.values()) == 0)
PYTHON
	grep -l '^# HELP' "$here"/cases/*/expected/stdout "$here"/cases/*/expected/sys/*.prom \
		>"$work/files"
	while read -r file; do
		awk -f "$here/../guest/prometheus.awk" "$file" || status=1
	done <"$work/files"
	return $status
}

# prometheus.awk finds what it must find: each line makes one fault.
check_prometheus_parser()
{
	local status=0 good=$here/cases/303-stats-prometheus/expected/stdout edit

	while read -r edit; do
		sed "$edit" "$good" >"$work/bad.prom"
		if cmp -s "$good" "$work/bad.prom"; then
			echo "$edit: changes nothing"
			status=1
		elif awk -f "$here/../guest/prometheus.awk" "$work/bad.prom" >/dev/null; then
			echo "$edit: not found"
			status=1
		fi
	done <<'EDITS'
s/reads_total/reads/
s/swap_used_bytes/swap_used_total/
s/counter$/histogram/
3s/ 1$/ one/
3s/ 1$//
3s/"lz4"/lz4/
3s/"lz4"/"l"z4"/
3s/state=/device=/
3s/"} /",} /
/TYPE mtetagram_data_bytes/d
/HELP mtetagram_data_bytes/d
/^mtetagram_data_bytes/d
5,6p
$p
s/^\(mtetagram_reads_total.*\) \([0-9]*\)$/\1 -\2/
s/^mtetagram_data_bytes/mtetagram_date_bytes/
$a # HELP mtetagram_x nothing
$s/$/\n/
EDITS
	return $status
}

# Some seconds of libFuzzer on what parses; longer by hand: see fuzz/parsers.c.
check_fuzz()
{
	local status=0 source sources=()

	for source in alloc blockmap inject interrupt message no_device program progress size \
		sysfs values warn; do
		sources+=("$tool_dir/$source.c")
	done
	mkdir -p "$out/corpus"
	{
		clang -std=gnu11 -D_GNU_SOURCE -g -O1 -Wall -Wextra \
			-Wno-missing-field-initializers -Wno-unused-function \
			-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
			-I "$tool_dir" -o "$out/fuzz" "$here/fuzz/parsers.c" "${sources[@]}" &&
			"$out/fuzz" -seed=1 -runs="${FUZZ_RUNS:-30000}" -close_fd_mask=3 \
				-artifact_prefix="$out/" "$out/corpus" "$here/fuzz/corpus"
	} >"$work/fuzz.log" 2>&1 || status=1
	tail -n 30 "$work/fuzz.log"
	return $status
}
