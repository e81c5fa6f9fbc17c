/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The map of tag blocks: what each of them holds, and how much.
 */
#ifndef _BLOCKMAP_H
#define _BLOCKMAP_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct device;

/*
 * As in tag_storage/block_map: two bits of state, six bits of how much. A block that
 * holds nothing cannot be full: that stands for one that is offline.
 */
enum block_state {
	BLOCK_FREE,
	BLOCK_DATA,
	BLOCK_SWITCHING,
	BLOCK_TAGS,
	BLOCK_OFFLINE,
	NR_BLOCK_STATES
};

#define BLOCK_FULL	63

struct block_map {
	uint8_t *byte;
	size_t nr;
};

static inline enum block_state block_state(uint8_t byte)
{
	return byte == BLOCK_FULL ? BLOCK_OFFLINE : byte >> 6;
}

static inline unsigned int block_fill(uint8_t byte)
{
	return byte & BLOCK_FULL;
}

/* Some neighbouring blocks taken together. */
struct cell {
	uint32_t nr;
	uint32_t blocks[NR_BLOCK_STATES];
	uint64_t fill[NR_BLOCK_STATES];	/* sum over the blocks */
};

const char *block_state_name(enum block_state state);

/*
 * Return: EXIT_OK, and blockmap_free() has to be called; else the error has been
 *	   reported.
 */
int blockmap_read(struct device *dev, struct block_map *map);

/* The same without a word: 0 or -errno. */
int blockmap_try(struct device *dev, struct block_map *map);
void blockmap_free(struct block_map *map);

/* Sum up the blocks from @first, at most @nr of them. */
void blockmap_cell(const struct block_map *map, size_t first, size_t nr,
		   struct cell *cell);

/* How much of the cell this state takes, in @levels steps: 0 is nothing at all. */
unsigned int cell_level(const struct cell *cell, enum block_state state,
			unsigned int levels);

/*
 * Write the blocks of that state as "0-3,17", at most @max ranges.
 * Return: number of ranges that were left out.
 */
size_t blockmap_ranges(const struct block_map *map, enum block_state state, size_t max,
		       FILE *file);

#endif
