// SPDX-License-Identifier: GPL-2.0
/*
 * mtetagramctl status: what devices hold and how much room there is.
 *
 * For people each device has a heading and one line for each value. The table of values
 * says which values have a line; a few lines have more to say than the table's help.
 * columns.c makes tables and JSON.
 */

#include <getopt.h>
#include <stdio.h>

#include "blockmap.h"
#include "columns.h"
#include "commands.h"
#include "device.h"
#include "exit.h"
#include "heading.h"
#include "message.h"
#include "option.h"
#include "snapshot.h"
#include "warn.h"

#define RANGES_MAX	8	/* of blocks with tags; more ranges would hide the other lines */

struct options {
	struct table_options table;
	struct column_list columns;
	bool use_table;
};

static bool is_shown(const struct device *dev, enum value_id id)
{
	switch (values[id].status) {
	case SHOWN_ALWAYS:
		return true;
	case SHOWN_SET_UP:
		return !value_is_zero(&dev->v[V_INITSTATE]);
	case SHOWN_SWAP:
		return dev->swap;
	case SHOWN_NOT_ZERO:
		return !value_is_zero(&dev->v[id]);
	default:
		return false;
	}
}

/* The note behind a value: its meaning, or other values that belong to it. */
static void print_note(const struct device *dev, enum value_id id, bool exact)
{
	char a[SIZE_TEXT_MAX], b[SIZE_TEXT_MAX];
	const struct value *v = dev->v;

	switch (id) {
	case V_DISKSIZE:
		fputs(*dev->algorithm ? dev->algorithm : "unknown algorithm", stdout);
		break;
	case V_SWAP_USED:
		printf("of %s", value_text(v, V_SWAP_SIZE, exact, a));
		break;
	case V_DATA:
		printf("compressed to %s", value_text(v, V_COMPR, exact, a));
		if (v[V_RATIO].known)
			printf(", ratio %s", value_text(v, V_RATIO, exact, a));
		break;
	case V_MEM_USED:
		printf("peak %s, limit %s", value_text(v, V_MEM_PEAK, exact, a),
		       value_is_zero(&v[V_MEM_LIMIT]) ? "none" :
							value_text(v, V_MEM_LIMIT, exact, b));
		break;
	case V_USED:
		printf("in whole tag blocks; objects take %s of them",
		       value_text(v, V_USED_SIZE, exact, a));
		break;
	case V_SPARE_AVAILABLE:
		printf("of %s kept for objects that spill; part of metadata",
		       value_text(v, V_SPARE_SIZE, exact, a));
		break;
	case V_CARVEOUT:
		printf("the share of the device is %s", value_text(v, V_SHARE, exact, a));
		break;
	case V_BLOCKS:
		printf("of %s", value_text(v, V_BLOCK_SIZE, exact, a));
		break;
	case V_BLOCKS_TAGGED:
		printf("reserved pages: %s", value_text(v, V_RESERVED_PAGES, exact, a));
		break;
	case V_RESERVED:
		printf("so far, %s released", value_text(v, V_RELEASED, exact, a));
		break;
	default:
		fputs(values[id].help, stdout);
	}
}

/* Prints the first blocks that hold tags. Only root may read them. */
static void print_tag_blocks(struct device *dev)
{
	struct block_map map;
	size_t more;

	if (blockmap_try(dev, &map))
		return;
	printf("  %-16s%12s   ", "", "blocks");
	more = blockmap_ranges(&map, BLOCK_TAGS, RANGES_MAX, stdout);
	if (more)
		printf(" and %zu more ranges", more);
	putchar('\n');
	blockmap_free(&map);
}

static void print_value(struct device *dev, enum value_id id, bool exact)
{
	char buf[SIZE_TEXT_MAX];

	printf("  %-16s%12s   ", values[id].line, value_text(dev->v, id, exact, buf));
	print_note(dev, id, exact);
	putchar('\n');
	if (id == V_BLOCKS_TAGGED && dev->v[id].number)
		print_tag_blocks(dev);
}

static void print_warnings(const struct device *dev)
{
	char buf[WARN_TEXT_MAX], safe[2 * WARN_TEXT_MAX];
	unsigned int i;

	for (i = 0; i < NR_WARNINGS; i++)
		if (dev->warnings & 1U << i)
			printf("  warning: %s\n",
			       escape(safe, sizeof(safe), warn_text(dev, i, buf)));
}

static void print_device(struct device *dev, bool exact)
{
	enum value_id id;

	heading_print(dev);
	for (id = 0; id < NR_VALUES; id++)
		if (is_shown(dev, id))
			print_value(dev, id, exact);
	print_warnings(dev);
}

static int print(const struct snapshots *snapshots, const struct options *options)
{
	size_t i;

	if (options->use_table)
		return columns_print(snapshots->devices, snapshots->nr, &options->columns,
				     &options->table);
	for (i = 0; i < snapshots->nr; i++) {
		if (i)
			putchar('\n');
		print_device(&snapshots->devices[i], options->table.bytes);
	}
	return EXIT_OK;
}

/* A device that cannot be read does not keep the others from being shown. */
static int show(size_t nr, char **names, const void *options)
{
	struct snapshots snapshots;
	int ret = snapshots_read(&snapshots, nr, names), error = EXIT_OK;

	if (snapshots.nr)
		error = print(&snapshots, options);
	snapshots_free(&snapshots);
	return error ?: ret;
}

static void print_help(void)
{
	puts("Usage: mtetagramctl status [OPTION]... [DEVICE]...\n\n"
	     "Show what devices hold and how much room there is; all devices by default.\n\n"
	     "  -b, --bytes         print sizes in bytes\n"
	     "  -J, --json          print JSON, with all columns unless --output is given;\n"
	     "                      sizes are in bytes, what is unknown is null\n"
	     "  -o, --output LIST   print a table of these columns; +LIST adds to the default\n"
	     "  -O, --output-all    print a table of all columns\n"
	     "  -n, --noheadings    print a table without a heading\n"
	     "  -r, --raw           print a table without alignment\n"
	     "  -h, --help          print this and exit");
	columns_help();
}

int cmd_status(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "bytes", no_argument, NULL, 'b' },
		{ "help", no_argument, NULL, 'h' },
		{ "json", no_argument, NULL, 'J' },
		{ "noheadings", no_argument, NULL, 'n' },
		{ "output", required_argument, NULL, 'o' },
		{ "output-all", no_argument, NULL, 'O' },
		{ "raw", no_argument, NULL, 'r' },
		{ }
	};
	struct options options = { };
	struct table_options *table = &options.table;
	bool output = false;
	int c;

	columns_default(&options.columns);
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":bhJno:Or", long_options, NULL)) != -1) {
		switch (c) {
		case 'b':
			table->bytes = true;
			break;
		case 'h':
			print_help();
			return EXIT_OK;
		case 'J':
			table->json = true;
			break;
		case 'n':
			table->noheadings = true;
			break;
		case 'o':
			output = true;
			if (columns_parse(&options.columns, optarg))
				return EXIT_USAGE;
			break;
		case 'O':
			output = true;
			columns_all(&options.columns);
			break;
		case 'r':
			table->raw = true;
			break;
		default:
			return option_error(c, argv);
		}
	}
	if (table->json && (table->raw || table->noheadings))
		return usage_error("--json does not go with --raw or --noheadings");
	if (table->json && !output)
		columns_all(&options.columns);
	options.use_table = output || table->json || table->raw || table->noheadings;
	return devices_each(argc - optind, argv + optind, show, &options);
}
