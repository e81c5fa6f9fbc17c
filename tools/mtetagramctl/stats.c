// SPDX-License-Identifier: GPL-2.0
/*
 * mtetagramctl stats: all numbers by name, for people, scripts, and Prometheus.
 *
 * One table says what there is. Names and units are as Prometheus wants them, see
 * https://prometheus.io/docs/practices/naming: they must not change.
 */

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libsmartcols/libsmartcols.h>

#include "device.h"
#include "mtetagramctl.h"
#include "output.h"
#include "size.h"
#include "status.h"
#include "warn.h"

#define PREFIX	"mtetagram_"

enum type {
	GAUGE,
	COUNTER,
};

/* Metrics of one name follow each other and differ in their label. */
static const struct metric {
	const char *name;
	const char *label;	/* NAME="VALUE", or NULL */
	enum type type;
	enum value_id id;
	const char *help;
} metrics[] = {
	{ "set_up", NULL, GAUGE, V_INITSTATE, "1 if the device has a size" },
	{ "disksize_bytes", NULL, GAUGE, V_DISKSIZE, "size of the device" },
	{ "swap_size_bytes", NULL, GAUGE, V_SWAP_SIZE, "room for swap" },
	{ "swap_used_bytes", NULL, GAUGE, V_SWAP_USED, "swap in use" },
	{ "swap_not_stored_bytes", NULL, GAUGE, V_ZERO,
		"swap in use but not stored: pages of zeros, slots set aside" },
	{ "swap_priority", NULL, GAUGE, V_SWAP_PRIORITY, "swap priority" },
	{ "data_bytes", NULL, GAUGE, V_DATA, "data stored, before compression" },
	{ "compressed_bytes", NULL, GAUGE, V_COMPR, "data stored, after compression" },
	{ "same_filled_bytes", NULL, GAUGE, V_SAME, "data in pages that repeat one value" },
	{ "incompressible_bytes", NULL, GAUGE, V_HUGE, "data in pages that do not compress" },
	{ "memory_used_bytes", NULL, GAUGE, V_MEM_USED,
		"carve-out and ordinary memory that hold data" },
	{ "memory_peak_bytes", NULL, GAUGE, V_MEM_PEAK, "the largest memory_used so far" },
	{ "memory_limit_bytes", NULL, GAUGE, V_MEM_LIMIT, "limit for new data, 0 if none" },
	{ "carveout_bytes", NULL, GAUGE, V_CARVEOUT, "size of the carve-out" },
	{ "carveout_share_bytes", NULL, GAUGE, V_SHARE, "carve-out that data may use" },
	{ "carveout_used_bytes", NULL, GAUGE, V_CARVEOUT_USED, "tag blocks that hold data" },
	{ "objects_bytes", NULL, GAUGE, V_USED_SIZE, "room that objects take in tag blocks" },
	{ "spilled_bytes", NULL, GAUGE, V_SPILLED, "ordinary memory that holds data" },
	{ "spare_bytes", NULL, GAUGE, V_SPARE_SIZE, "memory kept for spilled data" },
	{ "spare_available_bytes", NULL, GAUGE, V_SPARE_AVAILABLE, "what is left of it" },
	{ "metadata_bytes", NULL, GAUGE, V_METADATA, "ordinary memory for tables" },
	{ "gain_bytes", NULL, GAUGE, V_GAIN, "data less spilled and metadata" },
	{ "block_size_bytes", NULL, GAUGE, V_BLOCK_SIZE, "size of a tag block" },
	{ "blocks", "state=\"free\"", GAUGE, V_BLOCKS_FREE, "tag blocks, by what they hold" },
	{ "blocks", "state=\"data\"", GAUGE, V_BLOCKS_USED, "" },
	{ "blocks", "state=\"tags\"", GAUGE, V_BLOCKS_TAGGED, "" },
	{ "blocks", "state=\"offline\"", GAUGE, V_BLOCKS_OFFLINE, "" },
	{ "untaggable_blocks", NULL, GAUGE, V_BLOCKS_UNTAGGABLE,
		"tag blocks that can never hold tags" },
	{ "reserved_pages", NULL, GAUGE, V_RESERVED_PAGES, "pages reserved for tags" },
	{ "stopped", NULL, GAUGE, V_STOPPED,
		"1 if tag storage was overwritten and nothing is stored any more" },
	{ "reads_total", NULL, COUNTER, V_READS, "read requests" },
	{ "read_bytes_total", NULL, COUNTER, V_READ, "data read" },
	{ "writes_total", NULL, COUNTER, V_WRITES, "write requests" },
	{ "written_bytes_total", NULL, COUNTER, V_WRITTEN, "data written" },
	{ "freed_pages_total", NULL, COUNTER, V_FREED_SLOTS,
		"pages freed by swap, or discarded" },
	{ "compacted_pages_total", NULL, COUNTER, V_COMPACTED, "pages freed by compacting" },
	{ "reserved_pages_total", NULL, COUNTER, V_RESERVED, "pages reserved for tags" },
	{ "released_pages_total", NULL, COUNTER, V_RELEASED, "pages released from tags" },
	{ "evicted_blocks_total", NULL, COUNTER, V_EVICTED,
		"blocks with data that were reserved" },
	{ "evicted_atomic_blocks_total", NULL, COUNTER, V_EVICTED_ATOMIC,
		"of these, under page-table locks" },
	{ "relocated_objects_total", NULL, COUNTER, V_RELOCATED, "objects moved to other blocks" },
	{ "spilled_objects_total", NULL, COUNTER, V_SPILLED_OBJECTS,
		"objects moved to ordinary memory" },
	{ "relocated_kept_objects_total", NULL, COUNTER, V_RELOCATED_KEPT,
		"objects moved to blocks that are kept for it" },
	{ "spilled_atomic_objects_total", NULL, COUNTER, V_SPILLED_ATOMIC,
		"objects spilled when the reserve was used up" },
	{ "spilled_emergency_objects_total", NULL, COUNTER, V_SPILLED_EMERGENCY,
		"objects spilled to pages kept for emergencies" },
	{ "settled_objects_total", NULL, COUNTER, V_SETTLED,
		"objects that came back from ordinary memory" },
	{ "refused_total", NULL, COUNTER, V_REFUSED,
		"times that data had no place, and tags were refused" },
	{ "killed_total", NULL, COUNTER, V_KILLED,
		"times that processes were killed, as tags were refused" },
	{ "not_killed_pages_total", NULL, COUNTER, V_NOT_KILLED,
		"pages of processes that must not be killed" },
	{ "lost_objects_total", NULL, COUNTER, V_LOST, "objects that had to be dropped" },
	{ "failed_reads_total", NULL, COUNTER, V_FAILED_READS, "reads that failed" },
	{ "failed_writes_total", "cause=\"no_space\"", COUNTER, V_FAIL_NO_SPACE,
		"writes that failed, by cause" },
	{ "failed_writes_total", "cause=\"mem_limit\"", COUNTER, V_FAIL_MEM_LIMIT, "" },
	{ "failed_writes_total", "cause=\"no_memory\"", COUNTER, V_FAIL_NO_MEMORY, "" },
	{ "failed_writes_total", "cause=\"compress\"", COUNTER, V_FAIL_COMPRESS, "" },
	{ "failed_writes_total", "cause=\"stopped\"", COUNTER, V_FAIL_STOPPED, "" },
	{ "invalid_requests_total", NULL, COUNTER, V_INVALID_IO,
		"requests that were refused, as they were no whole pages" },
};

enum form {
	FORM_TABLE,
	FORM_PROMETHEUS,
};

struct options {
	enum form form;
	bool json;
	bool raw;
	bool noheadings;
	const char *path;
};

static void print_help(void)
{
	puts("Usage: mtetagramctl stats [OPTION]... [DEVICE]...\n\n"
	     "List all numbers with their meaning; of all devices by default. Sizes are in\n"
	     "bytes; what the driver does not tell is left out.\n\n"
	     "  -J, --json          print JSON\n"
	     "  -n, --noheadings    print no heading\n"
	     "  -r, --raw           print without alignment\n"
	     "      --prometheus    print in the text format of Prometheus\n"
	     "      --output FILE   write to this file, which appears when it is complete,\n"
	     "                      for the textfile collector of node_exporter\n"
	     "  -h, --help          print this and exit");
}

static const char *number_of(const struct value *value, char buf[SIZE_TEXT_MAX + 1])
{
	snprintf(buf, SIZE_TEXT_MAX + 1, "%s%" PRIu64, value->negative ? "-" : "",
		 value->number);
	return buf;
}

static void sample(const char *name, const char *device, const char *label,
		   const char *number, FILE *file)
{
	fprintf(file, PREFIX "%s{device=\"%s\"%s%s} %s\n", name, device, label ? "," : "",
		label ?: "", number);
}

static void head(const char *name, enum type type, const char *help, FILE *file)
{
	fprintf(file, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s %s\n", name, help, name,
		type == COUNTER ? "counter" : "gauge");
}

/* What is text becomes a label; only names that were checked get here. */
static void print_info(const struct device *devices, size_t nr, FILE *file)
{
	char label[128];
	size_t i;

	head("info", GAUGE, "state of the device and its algorithm", file);
	for (i = 0; i < nr; i++) {
		const char *state = status_state(&devices[i]);

		snprintf(label, sizeof(label), "algorithm=\"%s\",state=\"%s\"",
			 devices[i].algorithm, state ?: "");
		sample("info", devices[i].name, label, "1", file);
	}
}

static void print_warnings(const struct device *devices, size_t nr, FILE *file)
{
	char label[64];
	unsigned int warning;
	size_t i;

	head("warning", GAUGE, "1 for what status warns of", file);
	for (i = 0; i < nr; i++) {
		for (warning = 0; warning < NR_WARNINGS; warning++) {
			snprintf(label, sizeof(label), "warning=\"%s\"", warn_name(warning));
			sample("warning", devices[i].name, label,
			       devices[i].warnings & 1U << warning ? "1" : "0", file);
		}
	}
}

/* It stands at the first metric of a name. */
static const char *help_of(const struct metric *metric)
{
	while (!*metric->help)
		metric--;
	return metric->help;
}

static void print_prometheus(const struct device *devices, size_t nr, FILE *file)
{
	const char *last = "";
	char buf[SIZE_TEXT_MAX + 1];
	size_t i, j;

	print_info(devices, nr, file);
	print_warnings(devices, nr, file);
	for (i = 0; i < ARRAY_SIZE(metrics); i++) {
		const struct metric *metric = &metrics[i];

		for (j = 0; j < nr; j++) {
			const struct value *value = &devices[j].v[metric->id];

			if (!value->known)
				continue;
			if (strcmp(last, metric->name))
				head(metric->name, metric->type, help_of(metric), file);
			last = metric->name;
			sample(metric->name, devices[j].name, metric->label,
			       number_of(value, buf), file);
		}
	}
}

static int add_line(struct libscols_table *table, const struct device *dev,
		    const struct metric *metric)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	char name[128], buf[SIZE_TEXT_MAX + 1];
	const char *quote = metric->label ? strchr(metric->label, '"') : NULL;

	if (quote)
		snprintf(name, sizeof(name), "%s.%.*s", metric->name,
			 (int)strcspn(quote + 1, "\""), quote + 1);
	else
		snprintf(name, sizeof(name), "%s", metric->name);
	if (!line || scols_line_set_data(line, 0, dev->name) ||
	    scols_line_set_data(line, 1, name) ||
	    scols_line_set_data(line, 2, number_of(&dev->v[metric->id], buf)) ||
	    scols_line_set_data(line, 3, help_of(metric)))
		return -1;
	return 0;
}

static int fill_table(struct libscols_table *table, const struct device *devices,
		      size_t nr)
{
	size_t i, j;
	int ret = 0;

	for (j = 0; j < nr; j++)
		for (i = 0; i < ARRAY_SIZE(metrics) && !ret; i++)
			if (devices[j].v[metrics[i].id].known)
				ret = add_line(table, &devices[j], &metrics[i]);
	return ret;
}

static int print_table(const struct device *devices, size_t nr,
		       const struct options *options, FILE *file)
{
	struct libscols_table *table = scols_new_table();
	struct libscols_column *value = NULL;
	int ret = -1;

	if (table && scols_table_new_column(table, "DEVICE", 0, 0) &&
	    scols_table_new_column(table, "NAME", 0, 0))
		value = scols_table_new_column(table, "VALUE", 0, SCOLS_FL_RIGHT);
	if (value && scols_table_new_column(table, "MEANING", 0, 0))
		ret = scols_column_set_json_type(value, SCOLS_JSON_NUMBER);
	if (!ret) {
		scols_table_set_name(table, "stats");
		scols_table_set_stream(table, file);
		scols_table_enable_json(table, options->json);
		scols_table_enable_raw(table, options->raw);
		scols_table_enable_noheadings(table, options->noheadings);
		ret = fill_table(table, devices, nr);
	}
	if (!ret)
		ret = scols_print_table(table);
	scols_unref_table(table);
	if (ret) {
		report_err(NULL, "cannot make the table; out of memory?");
		return EXIT_ERROR;
	}
	return EXIT_OK;
}

static int print(const struct device *devices, size_t nr, const struct options *options)
{
	struct output output;
	int ret = output_open(&output, options->path);

	if (ret)
		return ret;
	if (options->form == FORM_PROMETHEUS)
		print_prometheus(devices, nr, output.file);
	else
		ret = print_table(devices, nr, options, output.file);
	return output_close(&output, ret);
}

static int stats(char **names, size_t nr_names, const struct options *options)
{
	struct device *devices = xcalloc(nr_names, sizeof(*devices));
	size_t nr;
	int ret, error = EXIT_OK;

	ret = devices_read(devices, &nr, names, nr_names);
	/* A file with less than everything would look like everything. */
	if (nr && (!options->path || !ret))
		error = print(devices, nr, options);
	devices_close(devices, nr);
	free(devices);
	return error ?: ret;
}

static int stats_all(const struct options *options)
{
	char **names = devices_list();
	size_t nr = 0;
	int ret;

	while (names[nr])
		nr++;
	ret = nr ? stats(names, nr, options) : no_device();
	devices_free(names);
	return ret;
}

int cmd_stats(int argc, char **argv)
{
	enum { OPTION_OUTPUT = 256, OPTION_PROMETHEUS };
	static const struct option long_options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "json", no_argument, NULL, 'J' },
		{ "noheadings", no_argument, NULL, 'n' },
		{ "output", required_argument, NULL, OPTION_OUTPUT },
		{ "prometheus", no_argument, NULL, OPTION_PROMETHEUS },
		{ "raw", no_argument, NULL, 'r' },
		{ }
	};
	struct options options = { };
	bool table;
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":hJnr", long_options, NULL)) != -1) {
		switch (c) {
		case 'h':
			print_help();
			return EXIT_OK;
		case 'J':
			options.json = true;
			break;
		case 'n':
			options.noheadings = true;
			break;
		case 'r':
			options.raw = true;
			break;
		case OPTION_OUTPUT:
			options.path = optarg;
			break;
		case OPTION_PROMETHEUS:
			options.form = FORM_PROMETHEUS;
			break;
		default:
			return option_error(c, argv);
		}
	}
	table = options.raw || options.noheadings;
	if ((options.json && table) ||
	    (options.form == FORM_PROMETHEUS && (options.json || table)))
		return usage_error("--json and --prometheus go with nothing but --output");
	return optind < argc ? stats(argv + optind, argc - optind, &options) :
			       stats_all(&options);
}
