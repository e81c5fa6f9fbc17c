/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The map of tag blocks: what each block holds, and how much of it.
 */
#ifndef _BLOCKMAP_H
#define _BLOCKMAP_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct device;

/*
 * As in tag_storage/block_map: two bits of state, six bits of fill. A free block cannot
 * be full, so a full free block stands for a block that is offline.
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

/**
 * struct block_map - the map
 * @byte: one byte for each block
 * @nr: number of blocks
 */
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

/**
 * struct cell - some neighbouring blocks taken together
 * @nr: number of blocks
 * @blocks: blocks in each state
 * @fill: sum of the fill of the blocks in each state
 */
struct cell {
	uint32_t nr;
	uint32_t blocks[NR_BLOCK_STATES];
	uint64_t fill[NR_BLOCK_STATES];
};

/**
 * block_state_name() - the name of a state
 * @state: the state
 *
 * Return: the name.
 */
const char *block_state_name(enum block_state state);

/**
 * blockmap_read() - read the map
 * @dev: the device
 * @map: the map, for blockmap_free()
 *
 * Return: an exit code; an error has been reported.
 */
int blockmap_read(struct device *dev, struct block_map *map);

/**
 * blockmap_try() - read the map without reporting errors
 * @dev: the device
 * @map: the map, for blockmap_free()
 *
 * Return: 0 or -errno.
 */
int blockmap_try(struct device *dev, struct block_map *map);

/**
 * blockmap_free() - free a map
 * @map: the map
 */
void blockmap_free(struct block_map *map);

/**
 * blockmap_cell() - add up some blocks
 * @map: the map
 * @first: the first block
 * @nr: the number of blocks; the map may end before
 * @cell: the result
 */
void blockmap_cell(const struct block_map *map, size_t first, size_t nr,
		   struct cell *cell);

/**
 * cell_level() - how much of a cell the blocks of one state fill
 * @cell: the cell
 * @state: the state
 * @levels: the level of a full cell
 *
 * Return: a level from 0, which means that no block has this state, to @levels.
 */
unsigned int cell_level(const struct cell *cell, enum block_state state,
			unsigned int levels);

/**
 * cell_percent() - how full the blocks of one state are
 * @cell: the cell
 * @state: the state
 *
 * Return: a percentage.
 */
unsigned int cell_percent(const struct cell *cell, enum block_state state);

/**
 * blockmap_ranges() - print the blocks of one state as "0-3,17"
 * @map: the map
 * @state: the state
 * @max: the most ranges to print
 * @file: where to print
 *
 * Return: number of ranges that were left out.
 */
size_t blockmap_ranges(const struct block_map *map, enum block_state state, size_t max,
		       FILE *file);

#endif
