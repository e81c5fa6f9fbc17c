// SPDX-License-Identifier: GPL-2.0
/*
 * The map of tag blocks. tag_storage/block_map has one byte for each block.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "blockmap.h"
#include "device.h"
#include "exit.h"
#include "message.h"
#include "sysfs.h"

#define ATTR_MAP	"tag_storage/block_map"

/*
 * 16 GiB of carve-out in blocks of 4 KiB, for half a terabyte of memory. A longer file is
 * not a block map.
 */
#define BLOCKS_MAX	(4U << 20)

const char *block_state_name(enum block_state state)
{
	static const char * const names[NR_BLOCK_STATES] = {
		"free", "data", "switching", "tags", "offline"
	};

	return names[state];
}

int blockmap_try(struct device *dev, struct block_map *map)
{
	ssize_t len = sysfs_read_binary(dev->dir, ATTR_MAP, BLOCKS_MAX, &map->byte);

	if (len < 0)
		return len;
	map->nr = len;
	return 0;
}

int blockmap_read(struct device *dev, struct block_map *map)
{
	int ret = blockmap_try(dev, map);

	switch (ret) {
	case 0:
		if (map->nr)
			return EXIT_OK;
		blockmap_free(map);
		report_err(dev->path, ATTR_MAP " is empty; is the driver of another version?");
		return EXIT_ERROR;
	case -EACCES:
	case -EPERM:
		report_err(dev->path, "may not read " ATTR_MAP ": %s; run this as root",
			   strerror(-ret));
		return EXIT_DENIED;
	case -ENODEV:
		return device_vanished(dev);
	case -ENOENT:
		return device_lacks(dev, ATTR_MAP);
	case -EFBIG:
		report_err(dev->path, ATTR_MAP " is too long; is /sys mounted?");
		return EXIT_ERROR;
	default:
		report_err(dev->path, "cannot read " ATTR_MAP ": %s", strerror(-ret));
		return EXIT_ERROR;
	}
}

void blockmap_free(struct block_map *map)
{
	free(map->byte);
	map->byte = NULL;
	map->nr = 0;
}

void blockmap_cell(const struct block_map *map, size_t first, size_t nr,
		   struct cell *cell)
{
	size_t i, end = nr < map->nr - first ? first + nr : map->nr;

	memset(cell, 0, sizeof(*cell));
	cell->nr = end - first;
	for (i = first; i < end; i++) {
		enum block_state state = block_state(map->byte[i]);

		cell->blocks[state]++;
		cell->fill[state] += block_fill(map->byte[i]);
	}
}

unsigned int cell_level(const struct cell *cell, enum block_state state,
			unsigned int levels)
{
	uint64_t whole = (uint64_t)cell->nr * BLOCK_FULL;
	uint64_t level = (cell->fill[state] * levels + whole - 1) / whole;

	/* A block with data counts, even if its fill says 0. */
	return !level && cell->blocks[state] ? 1 : level;
}

unsigned int cell_percent(const struct cell *cell, enum block_state state)
{
	uint64_t whole = (uint64_t)cell->blocks[state] * BLOCK_FULL;

	return whole ? (cell->fill[state] * 100 + whole / 2) / whole : 0;
}

size_t blockmap_ranges(const struct block_map *map, enum block_state state, size_t max,
		       FILE *file)
{
	size_t i = 0, first, ranges = 0;

	while (i < map->nr) {
		if (block_state(map->byte[i]) != state) {
			i++;
			continue;
		}
		first = i;
		while (i < map->nr && block_state(map->byte[i]) == state)
			i++;
		if (++ranges > max)
			continue;
		fprintf(file, "%s%zu", ranges > 1 ? "," : "", first);
		if (i - first > 1)
			fprintf(file, "-%zu", i - 1);
	}
	return ranges > max ? ranges - max : 0;
}
