/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the forms of "map" share.
 */
#ifndef _MAP_H
#define _MAP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "blockmap.h"

struct device;

#define MAP_LEVELS	8	/* steps of fill that are told apart */

struct picture {
	const struct device *dev;
	struct block_map map;
	struct cell whole;	/* all blocks */
	uint64_t block_size;
	size_t group;		/* blocks in a cell */
	size_t columns;		/* cells in a row */
	bool color;
	bool utf8;
};

/* What a cell looks like: one state and how much of it; data and tags can be both. */
struct look {
	enum block_state state;
	bool both;
	unsigned int level, tag_level;
};

struct look map_look(const struct cell *cell);
size_t map_cells(const struct picture *picture);

/* Share of what the blocks of that state could hold, in percent. */
unsigned int map_percent(const struct cell *cell, enum block_state state);

void map_svg(const struct picture *picture, FILE *file);

#endif
