// SPDX-License-Identifier: GPL-2.0
/*
 * mtetagramctl stats: all numbers by name, for people, scripts, and Prometheus.
 *
 * The table of values says what there is. Names and units follow
 * https://prometheus.io/docs/practices/naming, and must not change.
 */

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include <libsmartcols/libsmartcols.h>

#include "commands.h"
#include "device.h"
#include "exit.h"
#include "heading.h"
#include "message.h"
#include "option.h"
#include "output.h"
#include "snapshot.h"
#include "util.h"
#include "warn.h"

#define PREFIX	"mtetagram_"

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

static void print_sample(const char *name, const char *device, const char *labels,
			 const char *number, FILE *file)
{
	fprintf(file, PREFIX "%s{device=\"%s\"%s} %s\n", name, device, labels, number);
}

static void print_head(const char *name, bool counter, const char *help, FILE *file)
{
	fprintf(file, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s %s\n", name, help, name,
		counter ? "counter" : "gauge");
}

/* Texts become labels. These texts need no escapes: snapshot.c has checked them. */
static void print_info(const struct snapshots *snapshots, FILE *file)
{
	char labels[128];
	size_t i;

	print_head("info", false, "state of the device and its algorithm", file);
	for (i = 0; i < snapshots->nr; i++) {
		const struct device *dev = &snapshots->devices[i];

		snprintf(labels, sizeof(labels), ",algorithm=\"%s\",state=\"%s\"",
			 dev->algorithm, heading_state(dev) ?: "");
		print_sample("info", dev->name, labels, "1", file);
	}
}

static void print_warnings(const struct snapshots *snapshots, FILE *file)
{
	char labels[64];
	unsigned int warning;
	size_t i;

	print_head("warning", false, "1 for each warning of status", file);
	for (i = 0; i < snapshots->nr; i++) {
		const struct device *dev = &snapshots->devices[i];

		for (warning = 0; warning < NR_WARNINGS; warning++) {
			snprintf(labels, sizeof(labels), ",warning=\"%s\"",
				 warn_name(warning));
			print_sample("warning", dev->name, labels,
				     dev->warnings & 1U << warning ? "1" : "0", file);
		}
	}
}

/* Several values can have one name and differ in a label. */
static const char *family_help(enum value_id id)
{
	static const struct {
		const char *name, *help;
	} families[] = {
		{ "blocks", "tag blocks, by what they hold" },
		{ "failed_writes_total", "writes that failed, by cause" },
	};
	size_t i;

	for (i = 0; values[id].label && i < ARRAY_SIZE(families); i++)
		if (!strcmp(families[i].name, values[id].metric))
			return families[i].help;
	return values[id].help;
}

static void print_value(const struct snapshots *snapshots, enum value_id id,
			const char **last, FILE *file)
{
	const struct value_info *info = &values[id];
	char buf[SIZE_TEXT_MAX], labels[64] = "";
	size_t i;

	if (info->label)
		snprintf(labels, sizeof(labels), ",%s=\"%s\"", info->label,
			 info->label_value);
	for (i = 0; i < snapshots->nr; i++) {
		const struct device *dev = &snapshots->devices[i];

		if (!dev->v[id].known)
			continue;
		if (strcmp(*last, info->metric))
			print_head(info->metric, value_is_counter(id), family_help(id), file);
		*last = info->metric;
		print_sample(info->metric, dev->name, labels,
			     value_text(dev->v, id, true, buf), file);
	}
}

static void print_prometheus(const struct snapshots *snapshots, FILE *file)
{
	const char *last = "";
	enum value_id id;

	print_info(snapshots, file);
	print_warnings(snapshots, file);
	for (id = 0; id < NR_VALUES; id++)
		if (values[id].metric)
			print_value(snapshots, id, &last, file);
}

static int add_line(struct libscols_table *table, const struct device *dev,
		    enum value_id id)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	const struct value_info *info = &values[id];
	char name[128], buf[SIZE_TEXT_MAX];

	snprintf(name, sizeof(name), "%s%s%s", info->metric, info->label ? "." : "",
		 info->label ? info->label_value : "");
	if (!line || scols_line_set_data(line, 0, dev->name) ||
	    scols_line_set_data(line, 1, name) ||
	    scols_line_set_data(line, 2, value_text(dev->v, id, true, buf)) ||
	    scols_line_set_data(line, 3, info->help))
		return -1;
	return 0;
}

static int fill_table(struct libscols_table *table, const struct snapshots *snapshots)
{
	enum value_id id;
	int ret = 0;
	size_t i;

	for (i = 0; i < snapshots->nr; i++)
		for (id = 0; id < NR_VALUES && !ret; id++)
			if (values[id].metric && snapshots->devices[i].v[id].known)
				ret = add_line(table, &snapshots->devices[i], id);
	return ret;
}

static int print_table(const struct snapshots *snapshots, const struct options *options,
		       FILE *file)
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
		ret = fill_table(table, snapshots);
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

static int print(const struct snapshots *snapshots, const struct options *options)
{
	struct output output;
	int ret = output_open(&output, options->path);

	if (ret)
		return ret;
	if (options->form == FORM_PROMETHEUS)
		print_prometheus(snapshots, output.file);
	else
		ret = print_table(snapshots, options, output.file);
	return output_close(&output, ret);
}

static int stats(size_t nr, char **names, const void *ctx)
{
	const struct options *options = ctx;
	struct snapshots snapshots;
	int ret = snapshots_read(&snapshots, nr, names), error = EXIT_OK;

	/* A file that lacks a device would look complete, so keep the old file then. */
	if (snapshots.nr && (!options->path || !ret))
		error = print(&snapshots, options);
	snapshots_free(&snapshots);
	return error ?: ret;
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
	return devices_each(argc - optind, argv + optind, stats, &options);
}
