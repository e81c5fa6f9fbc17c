// SPDX-License-Identifier: GPL-2.0
/*
 * mtetagramctl status: what devices hold and how much room there is.
 *
 * By default a block of lines for each device, meant for people; tables and JSON are
 * made by columns.c.
 */

#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "blockmap.h"
#include "columns.h"
#include "device.h"
#include "mtetagramctl.h"
#include "size.h"
#include "status.h"
#include "warn.h"

#define RANGES_MAX	8	/* of blocks with tags; more would hide the rest */

struct options {
	struct table_options table;
	struct column_list columns;
	bool use_table;
};

const char *status_state(const struct device *dev)
{
	if (dev->swap)
		return "swap";
	if (dev->mountpoint)
		return "mounted";
	if (dev->holder)
		return "held";
	if (!dev->v[V_INITSTATE].known)
		return NULL;
	return dev->v[V_INITSTATE].number ? "ready" : "unset";
}

static const char *text_of(const struct value *value, bool exact,
			   char buf[SIZE_TEXT_MAX + 1])
{
	if (!value->known)
		return "-";
	buf[0] = '-';
	size_format(buf + value->negative, value->number, exact);
	return buf;
}

/* One line: a label, a number, what there is to say about it. */
__printf(3, 4)
static void line(const char *label, const char *number, const char *note, ...)
{
	va_list args;

	printf("  %-16s%12s   ", label, number);
	va_start(args, note);
	vprintf(note, args);
	va_end(args);
	putchar('\n');
}

static void plain_line(const char *label, const char *number)
{
	printf("  %-16s%12s\n", label, number);
}

void status_heading(const struct device *dev)
{
	char buf[SIZE_TEXT_MAX + 1], safe[1024];

	if (dev->swap)
		printf("%s: swap, priority %s\n", dev->path,
		       text_of(&dev->v[V_SWAP_PRIORITY], true, buf));
	else if (dev->mountpoint)
		printf("%s: mounted on %s\n", dev->path,
		       escape(safe, sizeof(safe), dev->mountpoint));
	else if (dev->holder)
		printf("%s: used by %s\n", dev->path,
		       escape(safe, sizeof(safe), dev->holder));
	else if (!dev->v[V_INITSTATE].known)
		printf("%s:\n", dev->path);
	else if (dev->v[V_INITSTATE].number)
		printf("%s: ready, not in use\n", dev->path);
	else
		printf("%s: not set up\n", dev->path);
}

static void print_data(const struct device *dev, bool exact)
{
	const struct value *v = dev->v;
	char a[SIZE_TEXT_MAX + 1], b[SIZE_TEXT_MAX + 1];

	line("size", text_of(&v[V_DISKSIZE], exact, a), "%s",
	     *dev->algorithm ? dev->algorithm : "unknown algorithm");
	if (dev->swap) {
		line("swap used", text_of(&v[V_SWAP_USED], exact, a), "of %s",
		     text_of(&v[V_SWAP_SIZE], exact, b));
		line("  not stored", text_of(&v[V_ZERO], exact, a),
		     "pages of zeros, which swap does not write, and slots set aside");
	}
	if (v[V_RATIO].known)
		line("data", text_of(&v[V_DATA], exact, a),
		     "compressed to %s, ratio %" PRIu64 ".%02" PRIu64,
		     text_of(&v[V_COMPR], exact, b), v[V_RATIO].number / 100,
		     v[V_RATIO].number % 100);
	else
		line("data", text_of(&v[V_DATA], exact, a), "compressed to %s",
		     text_of(&v[V_COMPR], exact, b));
	line("  same-filled", text_of(&v[V_SAME], exact, a), "takes no room");
	line("  incompressible", text_of(&v[V_HUGE], exact, a), "stored as it is");
}

static void print_memory(const struct device *dev, bool exact)
{
	const struct value *v = dev->v;
	const struct value *mem_limit = &v[V_MEM_LIMIT];
	char a[SIZE_TEXT_MAX + 1], b[SIZE_TEXT_MAX + 1], c[SIZE_TEXT_MAX + 1];

	line("memory used", text_of(&v[V_MEM_USED], exact, a), "peak %s, limit %s",
	     text_of(&v[V_MEM_PEAK], exact, b),
	     mem_limit->known && !mem_limit->number ? "none" :
						      text_of(mem_limit, exact, c));
	line("  carve-out", text_of(&v[V_CARVEOUT_USED], exact, a),
	     "memory that would lie idle; data takes %s of it",
	     text_of(&v[V_USED_SIZE], exact, b));
	line("  spilled", text_of(&v[V_SPILLED], exact, a),
	     "ordinary memory, for data that had to make way for tags");
	if (v[V_SPARE_SIZE].known)
		line("    spare", text_of(&v[V_SPARE_AVAILABLE], exact, a),
		     "of %s, kept for that; counted as metadata",
		     text_of(&v[V_SPARE_SIZE], exact, b));
	line("metadata", text_of(&v[V_METADATA], exact, a), "ordinary memory");
	line("net gain", text_of(&v[V_GAIN], exact, a), "data less spilled and metadata");
}

/* Which blocks hold tags, if we may know; the whole list is in "map --list". */
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

static void print_blocks(struct device *dev, bool exact)
{
	const struct value *v = dev->v;
	char a[SIZE_TEXT_MAX + 1], b[SIZE_TEXT_MAX + 1];

	line("carve-out", text_of(&v[V_CARVEOUT], exact, a),
	     "of which the device may use %s", text_of(&v[V_SHARE], exact, b));
	line("  tag blocks", text_of(&v[V_BLOCKS], true, a), "of %s",
	     text_of(&v[V_BLOCK_SIZE], exact, b));
	plain_line("  free", text_of(&v[V_BLOCKS_FREE], true, a));
	plain_line("  with data", text_of(&v[V_BLOCKS_USED], true, a));
	line("  with tags", text_of(&v[V_BLOCKS_TAGGED], true, a), "reserved pages: %s",
	     text_of(&v[V_RESERVED_PAGES], true, b));
	if (v[V_BLOCKS_TAGGED].known && v[V_BLOCKS_TAGGED].number)
		print_tag_blocks(dev);
	if (v[V_BLOCKS_OFFLINE].known && v[V_BLOCKS_OFFLINE].number)
		line("  offline", text_of(&v[V_BLOCKS_OFFLINE], true, a),
		     "failed memory, holds nothing any more");
	line("  untaggable", text_of(&v[V_BLOCKS_UNTAGGABLE], true, a),
	     "never needed for tags, counted above too");
}

static void print_history(const struct device *dev)
{
	const struct value *v = dev->v;
	char a[SIZE_TEXT_MAX + 1], b[SIZE_TEXT_MAX + 1], c[SIZE_TEXT_MAX + 1],
	     d[SIZE_TEXT_MAX + 1];

	line("reserved", text_of(&v[V_RESERVED], true, a),
	     "pages for tags so far, %s released", text_of(&v[V_RELEASED], true, b));
	line("  evicted", text_of(&v[V_EVICTED], true, a),
	     "blocks for it: %s objects relocated, %s spilled, %s lost",
	     text_of(&v[V_RELOCATED], true, b), text_of(&v[V_SPILLED_OBJECTS], true, c),
	     text_of(&v[V_LOST], true, d));
	if (v[V_SETTLED].known)
		line("  came back", text_of(&v[V_SETTLED], true, a),
		     "spilled objects; %s had no place, %s times processes were killed",
		     text_of(&v[V_REFUSED], true, b), text_of(&v[V_KILLED], true, c));
	if (!v[V_FAILED_READS].known || v[V_FAILED_READS].number)
		plain_line("failed reads", text_of(&v[V_FAILED_READS], true, a));
	plain_line("failed writes", text_of(&v[V_FAILED_WRITES], true, a));
	if (v[V_FAILED_WRITES].known && !v[V_FAILED_WRITES].number)
		return;
	plain_line("  no room", text_of(&v[V_FAIL_NO_SPACE], true, a));
	plain_line("  memory limit", text_of(&v[V_FAIL_MEM_LIMIT], true, a));
	plain_line("  no memory", text_of(&v[V_FAIL_NO_MEMORY], true, a));
	plain_line("  compression", text_of(&v[V_FAIL_COMPRESS], true, a));
	plain_line("  stopped", text_of(&v[V_FAIL_STOPPED], true, a));
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
	bool unset = dev->v[V_INITSTATE].known && !dev->v[V_INITSTATE].number;

	status_heading(dev);
	if (!unset) {
		print_data(dev, exact);
		print_memory(dev, exact);
	}
	print_blocks(dev, exact);
	print_history(dev);
	print_warnings(dev);
}

static int print(struct device *devices, size_t nr, const struct options *options)
{
	size_t i;

	if (options->use_table)
		return columns_print(devices, nr, &options->columns, &options->table);
	for (i = 0; i < nr; i++) {
		if (i)
			putchar('\n');
		print_device(&devices[i], options->table.bytes);
	}
	return EXIT_OK;
}

/* Show what can be shown, even if some devices cannot. */
static int show(char **names, size_t nr_names, const struct options *options)
{
	struct device *devices = xcalloc(nr_names, sizeof(*devices));
	size_t nr;
	int ret = devices_read(devices, &nr, names, nr_names), error;

	if (nr) {
		error = print(devices, nr, options);
		if (error)
			ret = error;
	}
	devices_close(devices, nr);
	free(devices);
	return ret;
}

static int show_all(const struct options *options)
{
	char **names = devices_list();
	size_t nr = 0;
	int ret;

	while (names[nr])
		nr++;
	ret = nr ? show(names, nr, options) : no_device();
	devices_free(names);
	return ret;
}

static void print_help(void)
{
	puts("Usage: mtetagramctl status [OPTION]... [DEVICE]...\n\n"
	     "Show what devices hold and how much room there is; all devices by default.\n\n"
	     "  -b, --bytes         print sizes in bytes\n"
	     "  -J, --json          print JSON, all columns unless --output is given;\n"
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
	return optind < argc ? show(argv + optind, argc - optind, &options) :
			       show_all(&options);
}
