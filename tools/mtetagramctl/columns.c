// SPDX-License-Identifier: GPL-2.0
/*
 * The columns of "status --output" and "status --json": one table gives names, help,
 * where the value comes from and how it is written. libsmartcols prints them.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <libsmartcols/libsmartcols.h>

#include "columns.h"
#include "device.h"
#include "mtetagramctl.h"
#include "size.h"
#include "status.h"
#include "warn.h"

enum kind {
	TEXT_NAME,
	TEXT_PATH,
	TEXT_STATE,
	TEXT_ALGORITHM,
	TEXT_MOUNTPOINT,
	TEXT_WARNINGS,
	LAST_TEXT = TEXT_WARNINGS,
	COUNT,
	SIZE,
	RATIO,
};

static const struct column {
	const char *name;
	enum kind kind;
	enum value_id id;
	bool by_default;
	const char *help;
} columns[] = {
	{ "NAME", TEXT_NAME, 0, true, "device" },
	{ "PATH", TEXT_PATH, 0, false, "path of the device node" },
	{ "STATE", TEXT_STATE, 0, true, "unset, ready, swap, mounted or held" },
	{ "SIZE", SIZE, V_DISKSIZE, true, "size of the device" },
	{ "ALGORITHM", TEXT_ALGORITHM, 0, true, "compression algorithm" },
	{ "SWAP-SIZE", SIZE, V_SWAP_SIZE, false, "room for swap" },
	{ "SWAP-USED", SIZE, V_SWAP_USED, true, "swap in use, as in /proc/swaps" },
	{ "SWAP-PRIO", COUNT, V_SWAP_PRIORITY, false, "swap priority" },
	{ "ZERO", SIZE, V_ZERO, false, "swap in use but not stored: pages of zeros" },
	{ "DATA", SIZE, V_DATA, true, "data stored, uncompressed" },
	{ "COMPR", SIZE, V_COMPR, true, "data stored, compressed" },
	{ "RATIO", RATIO, V_RATIO, true, "DATA less SAME, to COMPR" },
	{ "SAME", SIZE, V_SAME, false, "data in same-filled pages, which take no room" },
	{ "HUGE", SIZE, V_HUGE, false, "data in pages that do not compress" },
	{ "MEM-USED", SIZE, V_MEM_USED, false, "carve-out and ordinary memory in use" },
	{ "MEM-PEAK", SIZE, V_MEM_PEAK, false, "the largest MEM-USED so far" },
	{ "MEM-LIMIT", SIZE, V_MEM_LIMIT, false, "limit of MEM-USED, 0 if there is none" },
	{ "USED", SIZE, V_CARVEOUT_USED, true, "carve-out in use for data" },
	{ "USED-SIZE", SIZE, V_USED_SIZE, false, "what its objects take of that" },
	{ "SPILLED", SIZE, V_SPILLED, true, "ordinary memory in use for data moved out" },
	{ "SPARE-SIZE", SIZE, V_SPARE_SIZE, false, "memory kept for SPILLED" },
	{ "SPARE-AVAIL", SIZE, V_SPARE_AVAILABLE, false, "what is left of it now" },
	{ "METADATA", SIZE, V_METADATA, false, "ordinary memory in use for tables" },
	{ "GAIN", SIZE, V_GAIN, false, "DATA less SPILLED and METADATA" },
	{ "CARVE-OUT", SIZE, V_CARVEOUT, true, "size of the tag storage" },
	{ "SHARE", SIZE, V_SHARE, true, "carve-out that the device may use" },
	{ "BLOCK-SIZE", SIZE, V_BLOCK_SIZE, false, "size of a tag block" },
	{ "BLOCKS", COUNT, V_BLOCKS, false, "tag blocks in the carve-out" },
	{ "FREE", COUNT, V_BLOCKS_FREE, false, "tag blocks not in use" },
	{ "DATA-BLOCKS", COUNT, V_BLOCKS_USED, false, "tag blocks that hold data" },
	{ "TAG-BLOCKS", COUNT, V_BLOCKS_TAGGED, false, "tag blocks that hold tags" },
	{ "OFFLINE", COUNT, V_BLOCKS_OFFLINE, false, "tag blocks that failed" },
	{ "UNTAGGABLE", COUNT, V_BLOCKS_UNTAGGABLE, false,
		"tag blocks that can never hold tags, in use or not" },
	{ "RESERVED-PAGES", COUNT, V_RESERVED_PAGES, false, "pages reserved for tags now" },
	{ "RESERVED", COUNT, V_RESERVED, false, "pages reserved for tags so far" },
	{ "RELEASED", COUNT, V_RELEASED, false, "pages released so far" },
	{ "EVICTED", COUNT, V_EVICTED, false, "blocks with data that were reserved" },
	{ "RELOCATED", COUNT, V_RELOCATED, false, "objects moved within the carve-out for it" },
	{ "SPILLED-OBJECTS", COUNT, V_SPILLED_OBJECTS, false, "objects moved to ordinary memory" },
	{ "SETTLED", COUNT, V_SETTLED, false, "objects that came back from there" },
	{ "REFUSED", COUNT, V_REFUSED, false, "times that tags were refused" },
	{ "KILLED", COUNT, V_KILLED, false, "times that processes were killed for it" },
	{ "NOT-KILLED", COUNT, V_NOT_KILLED, false, "pages of processes that must not be killed" },
	{ "LOST", COUNT, V_LOST, false, "objects that had to be dropped" },
	{ "READ", SIZE, V_READ, false, "data read so far: swapped in" },
	{ "WRITTEN", SIZE, V_WRITTEN, false, "data written so far: swapped out" },
	{ "FREED", COUNT, V_FREED_SLOTS, false, "pages freed by swap, or discarded, so far" },
	{ "COMPACTED", COUNT, V_COMPACTED, false, "pages freed by compacting so far" },
	{ "FAILED-READS", COUNT, V_FAILED_READS, false, "reads that failed" },
	{ "FAILED-WRITES", COUNT, V_FAILED_WRITES, false, "writes that failed" },
	{ "FAIL-SPACE", COUNT, V_FAIL_NO_SPACE, false, "... as there was no room" },
	{ "FAIL-LIMIT", COUNT, V_FAIL_MEM_LIMIT, false, "... for MEM-LIMIT" },
	{ "FAIL-MEMORY", COUNT, V_FAIL_NO_MEMORY, false, "... for lack of memory" },
	{ "FAIL-COMPRESS", COUNT, V_FAIL_COMPRESS, false, "... in compression" },
	{ "FAIL-STOPPED", COUNT, V_FAIL_STOPPED, false, "... as it has STOPPED" },
	{ "INVALID-IO", COUNT, V_INVALID_IO, false, "requests that were no whole pages" },
	{ "STOPPED", COUNT, V_STOPPED, false,
		"1 if tag storage was overwritten and nothing is stored any more" },
	{ "MOUNTPOINT", TEXT_MOUNTPOINT, 0, false, "where it is mounted" },
	{ "WARNINGS", TEXT_WARNINGS, 0, false,
		"zswap, hibernation, priority, full, drained, lost, stopped" },
};

_Static_assert(ARRAY_SIZE(columns) <= COLUMNS_MAX, "COLUMNS_MAX");

void columns_default(struct column_list *list)
{
	unsigned int i;

	list->nr = 0;
	for (i = 0; i < ARRAY_SIZE(columns); i++)
		if (columns[i].by_default)
			list->index[list->nr++] = i;
}

void columns_all(struct column_list *list)
{
	list->nr = 0;
	while (list->nr < ARRAY_SIZE(columns)) {
		list->index[list->nr] = list->nr;
		list->nr++;
	}
}

static bool append(struct column_list *list, const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(columns); i++) {
		if (strcasecmp(columns[i].name, name))
			continue;
		if (list->nr == COLUMNS_MAX)
			return false;
		list->index[list->nr++] = i;
		return true;
	}
	return false;
}

int columns_parse(struct column_list *list, char *text)
{
	char *name;

	if (*text == '+')
		text++;
	else
		list->nr = 0;
	while ((name = strsep(&text, ","))) {
		if (list->nr == COLUMNS_MAX)
			return usage_error("too many columns");
		if (!append(list, name))
			return usage_error("%s: unknown column", name);
	}
	return EXIT_OK;
}

void columns_help(void)
{
	size_t i;

	puts("\nColumns:");
	for (i = 0; i < ARRAY_SIZE(columns); i++)
		printf(" %14s  %s\n", columns[i].name, columns[i].help);
}

static const char *text_of(const struct device *dev, enum kind kind, char *buf, size_t size)
{
	switch (kind) {
	case TEXT_NAME:
		return dev->name;
	case TEXT_PATH:
		return dev->path;
	case TEXT_STATE:
		return status_state(dev);
	case TEXT_ALGORITHM:
		return *dev->algorithm ? dev->algorithm : NULL;
	case TEXT_WARNINGS:
		return warn_names(dev, buf, size);
	default:
		return dev->mountpoint;
	}
}

static const char *number_of(const struct device *dev, const struct column *column,
			     const struct table_options *options,
			     char buf[SIZE_TEXT_MAX + 1])
{
	const struct value *value = &dev->v[column->id];
	bool exact = options->json || options->bytes || column->kind == COUNT;

	if (!value->known)
		return NULL;
	if (column->kind == RATIO) {
		snprintf(buf, SIZE_TEXT_MAX, "%" PRIu64 ".%02" PRIu64,
			 value->number / 100, value->number % 100);
		return buf;
	}
	buf[0] = '-';
	size_format(buf + value->negative, value->number, exact);
	return buf;
}

static int add_device(struct libscols_table *table, const struct device *dev,
		      const struct column_list *list,
		      const struct table_options *options)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	char buf[WARN_TEXT_MAX], safe[1024];
	size_t i;

	for (i = 0; line && i < list->nr; i++) {
		const struct column *column = &columns[list->index[i]];
		const char *data = column->kind <= LAST_TEXT ?
			text_of(dev, column->kind, buf, sizeof(buf)) :
			number_of(dev, column, options, buf);

		/* In tables libsmartcols escapes, but JSON has to be UTF-8. */
		if (data && options->json)
			data = escape(safe, sizeof(safe), data);
		/* Unknown is null in JSON; elsewhere an empty cell would be a gap. */
		if (!data && !options->json)
			data = "-";
		if (data && scols_line_set_data(line, i, data))
			return -1;
	}
	return line ? 0 : -1;
}

static int add_column(struct libscols_table *table, const struct column *column)
{
	bool text = column->kind <= LAST_TEXT;
	struct libscols_column *cl;

	cl = scols_table_new_column(table, column->name, 0, text ? 0 : SCOLS_FL_RIGHT);
	if (!cl)
		return -1;
	return text ? 0 : scols_column_set_json_type(cl, SCOLS_JSON_NUMBER);
}

int columns_print(const struct device *devices, size_t nr,
		  const struct column_list *list, const struct table_options *options)
{
	struct libscols_table *table = scols_new_table();
	int ret = table ? 0 : -1;
	size_t i;

	if (table) {
		scols_table_set_name(table, "mtetagram");
		scols_table_enable_json(table, options->json);
		scols_table_enable_raw(table, options->raw);
		scols_table_enable_noheadings(table, options->noheadings);
	}
	for (i = 0; !ret && i < list->nr; i++)
		ret = add_column(table, &columns[list->index[i]]);
	for (i = 0; !ret && i < nr; i++)
		ret = add_device(table, &devices[i], list, options);
	if (!ret)
		ret = scols_print_table(table);
	scols_unref_table(table);
	if (ret) {
		report_err(NULL, "cannot make the table; out of memory?");
		return EXIT_ERROR;
	}
	return EXIT_OK;
}
