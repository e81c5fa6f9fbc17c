# SPDX-License-Identifier: GPL-2.0
# Is a file in the text format of Prometheus, in the strict form that the tool writes?
#
#   awk -f prometheus.awk FILE
#
# A metric is a line HELP, a line TYPE, and then all samples of the metric; each metric comes
# once. Names of counters end with _total, other names do not. No sample comes twice. Values
# are plain numbers. The program says what is wrong and fails, or prints the number of
# samples.

function bad(what)
{
	printf "%s:%d: %s: %s\n", FILENAME, FNR, what, $0
	wrong = 1
	exit 1
}

# The labels of a sample, sorted by name.
function labels(text,    n, i, names, sorted, list, name, value)
{
	n = 0
	while (text != "") {
		if (!match(text, /^[a-zA-Z_][a-zA-Z0-9_]*="([^"\\]|\\[\\"n])*"(,|$)/))
			bad("labels")
		name = substr(text, 1, index(text, "=") - 1)
		if (name in names)
			bad("label twice")
		value = substr(text, 1, RLENGTH)
		if (value ~ /,$/ && RLENGTH == length(text))
			bad("comma at the end")
		sub(/,$/, "", value)
		names[name] = value
		for (i = ++n; i > 1 && sorted[i - 1] > name; i--)
			sorted[i] = sorted[i - 1]
		sorted[i] = name
		text = substr(text, RLENGTH + 1)
	}
	list = ""
	for (i = 1; i <= n; i++)
		list = list "," names[sorted[i]]
	return list
}

/^# HELP / {
	if (!match($0, /^# HELP [a-zA-Z_:][a-zA-Z0-9_:]* [^ ]/))
		bad("HELP")
	if (expected == "TYPE" || expected == "sample")
		bad("no samples before this")
	if ($3 in seen)
		bad("metric comes again")
	metric = $3
	seen[metric] = 1
	expected = "TYPE"
	next
}

/^# TYPE / {
	if (!match($0, /^# TYPE [a-zA-Z_:][a-zA-Z0-9_:]* (counter|gauge)$/))
		bad("TYPE")
	if (expected != "TYPE" || $3 != metric)
		bad("TYPE without HELP")
	type = $4
	if ((type == "counter") != (metric ~ /_total$/))
		bad("name does not fit the type")
	expected = "sample"
	next
}

{
	if (!match($0, /^[a-zA-Z_:][a-zA-Z0-9_:]*\{.*\} -?[0-9]+(\.[0-9]+)?$/))
		bad("neither HELP, TYPE nor a sample")
	if (expected != "sample" && expected != "any")
		bad("sample without TYPE")
	name = substr($0, 1, index($0, "{") - 1)
	if (name != metric)
		bad("sample of another metric")
	match($0, /\} [^ ]*$/)
	value = substr($0, RSTART + 2)
	if (type == "counter" && value ~ /^-/)
		bad("negative counter")
	list = labels(substr($0, length(name) + 2, RSTART - length(name) - 2))
	if ((name, list) in samples)
		bad("sample twice")
	samples[name, list] = value
	expected = "any"
	count++
}

END {
	if (wrong)
		exit 1
	if (expected != "any" || !count) {
		print FILENAME ": no samples at the end"
		exit 1
	}
	print count
}
